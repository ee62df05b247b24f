// A disk's chain, read from QEMU's answer, from domain XML and from image headers.
import { describe, expect, test } from '@jest/globals';
import {
  type BlockDevice,
  chainOfHeaders,
  chainOfQemu,
  chainOfXml,
  type Inspect,
  pathOf,
  positionOf,
  type QemuImage,
} from '../../lib/disk-snapshot/images/backing-chain';
import { readDisk } from '../../lib/xml/disk';

const image = (filename: string, format: string, below?: QemuImage, names: string[] = []): QemuImage => ({
  filename,
  format,
  'virtual-size': 1024,
  snapshots: names.map((name) => ({ name })),
  ...(below ? { 'backing-image': below } : {}),
});
const device = (qdev: string, top: QemuImage): BlockDevice => ({ device: '', qdev, inserted: { image: top } });
const paths = (chain: ReturnType<typeof chainOfQemu>) => chain?.map(({ path }) => path);

describe('query-block', () => {
  const chain = image('/i/o2', 'qcow2', image('/i/o1', 'qcow2', image('/dev/vg/lv', 'raw'), ['inside']));

  test.each([
    ['/machine/peripheral/virtio-disk0/virtio-backend', 'virtio-disk0'],
    ['scsi0-0-0-0', 'scsi0-0-0-0'],
    ['/machine/peripheral/ua-mine/virtio-backend', 'ua-mine'],
  ])('finds %s by its alias, and lists the images, the active one first', (qdev, alias) => {
    const other = device('/machine/peripheral/virtio-disk01/virtio-backend', image('/i/other', 'raw'));

    const found = chainOfQemu([{ device: 'empty' }, other, device(qdev, chain)], alias);

    expect(paths(found)).toEqual(['/i/o2', '/i/o1', '/dev/vg/lv']);
    expect(found?.[1]).toEqual({
      path: '/i/o1',
      format: 'qcow2',
      virtualSize: 1024,
      internalSnapshots: ['inside'],
      missing: false,
    });
    expect(found && positionOf(found, '/dev/vg/lv')).toBe(2);
    expect(found && positionOf(found, '/dev/vg')).toBe(-1);
  });

  test('the nodes of a running job are no layers', () => {
    const busy = image(
      '/i/o2',
      'mirror_top',
      image('/i/o2', 'qcow2', image('/i/o1', 'commit_top', image('/i/o1', 'qcow2'))),
    );

    expect(paths(chainOfQemu([device('d', busy)], 'd'))).toEqual(['/i/o2', '/i/o1']);
  });

  test('a disk that QEMU does not have is none, an empty drive has no images', () => {
    expect(chainOfQemu([device('d', chain)], 'e')).toBeNull();
    expect(chainOfQemu([device('d', chain)], null)).toBeNull();
    expect(chainOfQemu([{ device: '', qdev: 'd' }], 'd')).toEqual([]);
  });

  test.each([
    ['/plain/path', '/plain/path'],
    ['json:{"driver":"raw","offset":512,"file":{"driver":"file","filename":"/deep/path"}}', '/deep/path'],
    ['json:{"driver":"rbd","pool":"p","image":"i"}', null],
    ['nbd://host/export', null],
  ])('%s is the path %s', (filename, path) => {
    expect(pathOf(filename)).toBe(path);
  });
});

test('domain XML: the disk, then what lies below it', () => {
  const disk = readDisk(`<disk type='file'><driver name='qemu' type='qcow2'/><source file='/i/top' index='3'/>
    <backingStore type='block' index='2'><format type='raw'/><source dev='/dev/lv'/><backingStore/></backingStore>
    <target dev='vda'/></disk>`);

  expect(chainOfXml(disk).map(({ path, format }) => [path, format])).toEqual([
    ['/i/top', 'qcow2'],
    ['/dev/lv', 'raw'],
  ]);
});

describe('headers', () => {
  const files: Record<string, { format: string; backing: { path: string; format: string | null } | null }> = {
    '/i/top': { format: 'qcow2', backing: { path: '/i/mid', format: 'qcow2' } },
    '/i/mid': { format: 'qcow2', backing: { path: '/i/base', format: 'raw' } },
    '/i/base': { format: 'raw', backing: null },
    '/i/orphan': { format: 'qcow2', backing: { path: '/i/gone', format: 'qcow2' } },
    '/i/loop': { format: 'qcow2', backing: { path: '/i/loop', format: 'qcow2' } },
  };
  const asked: [string, string | undefined][] = [];
  const inspect: Inspect = async (path, format) => {
    asked.push([path, format]);
    const file = files[path];
    return file ? { ...file, virtualSize: 1, actualSize: 1, length: 1, internalSnapshots: [], damaged: false } : null;
  };

  test('lead from one image to the next, each read as the format that the one above it names', async () => {
    const chain = await chainOfHeaders({ path: '/i/top', format: 'qcow2' }, inspect);

    expect(paths(chain)).toEqual(['/i/top', '/i/mid', '/i/base']);
    expect(asked).toEqual([
      ['/i/top', 'qcow2'],
      ['/i/mid', 'qcow2'],
      ['/i/base', 'raw'],
    ]);
  });

  test('a file that is missing is the last of the chain, and said to be', async () => {
    const chain = await chainOfHeaders({ path: '/i/orphan', format: 'qcow2' }, inspect);

    expect(chain.map(({ path, missing }) => [path, missing])).toEqual([
      ['/i/orphan', false],
      ['/i/gone', true],
    ]);
  });

  test('a loop of headers ends in an error', async () => {
    await expect(chainOfHeaders({ path: '/i/loop', format: 'qcow2' }, inspect)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
  });
});
