// The tree shows what qemu-img and the file system say is there, of a guest that runs and of one that is off.
import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { diskTree, listDiskSnapshots, snapshotDisks, updateDisk } from '../../lib';
import { TestGuest } from '../../lib/testing';
import { run } from '../../lib/testing/command';

jest.setTimeout(120_000);

interface Info {
  filename: string;
  format: string;
  'virtual-size': number;
  'actual-size': number;
}
const headers = async (top: string): Promise<Info[]> =>
  JSON.parse((await run('qemu-img', ['info', '-U', '--backing-chain', '--output=json', top])).stdout) as Info[];

describe.each(['off', 'running'] as const)('the tree of a guest that is %s', (state) => {
  let guest: TestGuest;
  beforeAll(async () => {
    guest = await TestGuest.boot({ disks: [{}, { format: 'raw' }, { type: 'cdrom' }], start: false, agent: false });
    if (state === 'running') await guest.domain.create();
  });
  afterAll(() => guest.close());
  const overlay = (name: string, disk = 'vda') => join(guest.directory, `${guest.name}-${disk}.${name}`);

  test('has each disk with its layers from the active one down, and the snapshots where their state lies', async () => {
    await updateDisk(guest.domain, "<disk><target dev='vdb'/><diskSnapshot method='qemu'/></disk>");
    await snapshotDisks(guest.domain, { name: 'one', quiesce: 'never' });
    await snapshotDisks(guest.domain, { name: 'two', quiesce: 'never', disks: ['vda'] });
    const tree = await diskTree(guest.domain);
    expect(tree).toMatchObject({ guest: guest.name, uri: await guest.connection.getURI() });
    const present = (name: string) => ({ name, method: 'qemu', state: 'present' });
    expect(tree.disks.map(({ layers: _, ...disk }) => disk)).toEqual([
      { disk: 'vda', policy: null, snapshots: [present('one'), present('two')] },
      { disk: 'vdb', policy: { method: 'qemu' }, snapshots: [present('one')] },
      { disk: 'sda', policy: null, snapshots: [] },
    ]);
    const [vda, vdb, cdrom] = tree.disks.map(({ layers }) => layers);
    expect(vda?.map(({ source, active, snapshots }) => [source, active, snapshots])).toEqual([
      [overlay('two'), true, []],
      [overlay('one'), false, ['two']],
      [guest.image('vda'), false, ['one']],
    ]);
    expect(vdb?.map(({ source, format, snapshots }) => [source, format, snapshots])).toEqual([
      [overlay('one', 'vdb'), 'qcow2', []],
      [guest.image('vdb'), 'raw', ['one']],
    ]);
    expect(cdrom?.every(({ snapshots }) => snapshots.length === 0)).toBe(true);
    for (const [at, info] of (await headers(overlay('two'))).entries()) {
      expect(vda?.[at]).toMatchObject({
        source: info.filename,
        format: info.format,
        virtualSize: info['virtual-size'],
      });
      expect(vda?.[at]).toMatchObject({ fileSize: info['actual-size'], missing: false });
    }
    expect(JSON.parse(JSON.stringify(tree))).toEqual(tree);
  });

  test('shows a layer whose file is gone as missing, and does not hide it', async () => {
    const file = guest.image('vda');
    await rename(file, `${file}.away`);
    const layers = (await diskTree(guest.domain)).disks[0]?.layers ?? [];
    expect(layers.at(-1)).toMatchObject({ source: file, missing: true, fileSize: null });
    expect(layers.slice(0, -1).map(({ missing }) => missing)).toEqual([false, false]);
    await rename(`${file}.away`, file);
    expect((await stat(file)).isFile()).toBe(true);
  });

  test('is one layer less for each snapshot that is deleted', async () => {
    for (const set of await listDiskSnapshots(guest.domain)) await set.delete();
    const [vda, vdb] = (await diskTree(guest.domain)).disks;
    expect(vda?.layers.map(({ source }) => source)).toEqual([guest.image('vda')]);
    expect(vdb?.layers.map(({ source }) => source)).toEqual([guest.image('vdb')]);
    expect(vda?.snapshots).toEqual([]);
  });
});
