import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { snapshotDisks } from '../../lib/disk-snapshot/create';
import { lookAtGuest } from '../../lib/disk-snapshot/guest';
import { diskOf, liveChain } from '../../lib/disk-snapshot/images/backing-chain';
import { diskChain } from '../../lib/disk-snapshot/images/disk-chain';
import { listDiskSnapshots } from '../../lib/disk-snapshot/list';
import { deleteSnapshots } from '../../lib/disk-snapshot/merge/delete-by-method';
import { HELPER_DISK, helperXml, withHelper } from '../../lib/disk-snapshot/merge/helper-domain';
import { readJournal, writeRecord } from '../../lib/disk-snapshot/records/journal';
import type { SetRecord } from '../../lib/disk-snapshot/records/record';
import type { DiskSnapshotSet } from '../../lib/disk-snapshot/types';
import {
  type Connection,
  DomainBlockCommitFlags,
  DomainBlockJobAbortFlags,
  DomainCreateFlags,
  DomainXMLFlags,
} from '../../lib/libvirt';
import { run } from '../../lib/testing/command';
import { embeddedConnection } from '../../lib/testing/embedded';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { type DomainDisk, pathSource, readDomain, redefineDisk } from '../../lib/xml/domain';
import { BareDomain, expectPattern, fill, qemuImg } from './bare-domain';

jest.setTimeout(60_000);

let conn: Connection;
let directory: string;
let vm: BareDomain;

beforeAll(async () => {
  conn = await embeddedConnection();
});
beforeEach(async () => {
  directory = await temporaryDirectory('delete');
});
afterEach(async () => {
  await vm.remove();
  // Nothing else was left running: no helper, no claim.
  expect((await conn.listAllDomains()).map((domain) => domain.getName())).toEqual([]);
  await rm(directory, { recursive: true });
});

const at = (name: string) => join(directory, name);
const records = async () => (await listDiskSnapshots(vm.domain)).map(({ name }) => name);
const sound = async (path: string) => expect(await qemuImg('check', '-U', path)).toContain('No errors were found');

/** A chain of base, s1, s2, s3; layer n holds the value n at n MiB. */
async function threeLayers(mib = 1): Promise<[DiskSnapshotSet, DiskSnapshotSet, DiskSnapshotSet]> {
  vm = await BareDomain.define(conn, directory);
  return (await vm.layers(3, mib)) as [DiskSnapshotSet, DiskSnapshotSet, DiskSnapshotSet];
}
async function expectAllData(top: string): Promise<void> {
  for (const n of [1, 2, 3]) await expectPattern(top, n, n, 1);
  await sound(top);
}

describe.each(['off', 'running'] as const)('of a guest that is %s', (state) => {
  const maybeStart = () => (state === 'running' ? vm.domain.create() : Promise.resolve());

  test.each([
    ['newest', 2, ['vda.s2', 'vda.s1', 'vda.qcow2'], ['s1', 's2']],
    ['inner', 1, ['vda.s3', 'vda.s1', 'vda.qcow2'], ['s1', 's3']],
    ['lowest', 0, ['vda.s3', 'vda.s2', 'vda.qcow2'], ['s2', 's3']],
  ])(
    'the %s layer is merged into the one below, in data, chain, definition and records',
    async (_, index, chain, kept) => {
      const sets = await threeLayers();
      await maybeStart();

      await sets[index]?.delete();

      expect((await qemuImg('info', '-U', '--backing-chain', at(chain[0] as string))).match(/^image: .*/gm)).toEqual(
        chain.map((name) => `image: ${at(name)}`),
      );
      expect(await vm.files()).toEqual([...chain].sort());
      expect(await vm.definedSource('vda')).toBe(at(chain[0] as string));
      if (state === 'running') expect(await vm.chain('vda')).toEqual(chain.map(at));
      expect(await records()).toEqual(kept);
      for (const [i, set] of (await listDiskSnapshots(vm.domain)).entries()) {
        // Each snapshot that is left rests on the image below its layer.
        expect(set.disks[0]).toMatchObject({
          state: 'present',
          backupSource: expect.stringContaining(`'${at(chain.at(-1 - i) as string)}'`),
        });
      }
      await expectAllData(at(chain[0] as string));
    },
  );

  test('all of them, oldest first or newest first, give back one image', async () => {
    const [one, two, three] = await threeLayers();
    await maybeStart();

    for (const set of [two, three, one]) await set.delete();

    expect(await vm.files()).toEqual(['vda.qcow2']);
    expect(await vm.source('vda')).toBe(at('vda.qcow2'));
    expect(await vm.definedSource('vda')).toBe(at('vda.qcow2'));
    expect(await records()).toEqual([]);
    await expectAllData(at('vda.qcow2'));
    // The definition starts.
    if (state === 'running') await vm.domain.destroy();
    await vm.domain.create();
    expect(await vm.chain('vda')).toEqual([at('vda.qcow2')]);
  });

  test('done twice, by the same or another handle, is success', async () => {
    const [, , three] = await threeLayers();
    await maybeStart();
    const again = (await listDiskSnapshots(vm.domain)).find(({ name }) => name === 's3');

    await three.delete();
    await three.delete();
    await again?.delete();

    expect(await records()).toEqual(['s1', 's2']);
    await expectAllData(at('vda.s2'));
  });

  test('a layer that was resized makes the image below grow', async () => {
    const [, , three] = await threeLayers();
    await qemuImg('resize', '-q', at('vda.s3'), '96M');
    await fill(at('vda.s3'), 9, 90, 1);
    await maybeStart();

    await three.delete();

    expect(JSON.parse(await qemuImg('info', '-U', '--output=json', at('vda.s2')))['virtual-size']).toBe(96 * 1024 ** 2);
    await expectPattern(at('vda.s2'), 9, 90, 1);
  });

  test('an overlay that carries internal snapshots is not merged: they would vanish', async () => {
    const [, , three] = await threeLayers();
    await qemuImg('snapshot', '-c', 'precious', at('vda.s3'));
    await maybeStart();

    await expect(three.delete()).rejects.toMatchObject({
      code: 'METHOD_UNSUPPORTED',
      outcome: 'unchanged',
      snapshot: 's3',
      message: expect.stringContaining('precious'),
    });
    expect(await vm.source('vda')).toBe(at('vda.s3'));
    expect((await listDiskSnapshots(vm.domain))[2]?.disks[0]?.state).toBe('present');
  });

  test('an image that another domain needs is neither merged into nor removed', async () => {
    const [, two] = await threeLayers();
    const other = await BareDomain.define(conn, await temporaryDirectory('other'));
    const clone = join(other.directory, 'vda.qcow2');
    await rm(clone);
    await qemuImg('create', '-q', '-f', 'qcow2', '-b', at('vda.s1'), '-F', 'qcow2', clone);
    await maybeStart();
    try {
      await expect(two.delete()).rejects.toMatchObject({
        code: 'IN_USE',
        outcome: 'unchanged',
        message: expect.stringContaining(other.domain.getName()),
      });
      expect(await vm.files()).toEqual(['vda.qcow2', 'vda.s1', 'vda.s2', 'vda.s3']);
      expect(await records()).toEqual(['s1', 's2', 's3']);
    } finally {
      await other.remove();
      await rm(other.directory, { recursive: true });
    }
    await two.delete();
    await expectAllData(at('vda.s3'));
  });
});

describe('a helper domain', () => {
  const look = () => lookAtGuest(vm.domain, {});
  const diskOfGuest = async () => (await look()).document.disks[0] as DomainDisk;

  test('shows the chain that the headers tell, keeps the guest from starting, and is gone afterwards', async () => {
    await threeLayers();
    const told = await diskChain(await look(), 'vda');

    await withHelper((await look()).document, await diskOfGuest(), vm.domain, async (helper) => {
      const held = await diskOf(helper, HELPER_DISK);
      expect(held && (await liveChain(helper, held))).toEqual(told);
      await expect(vm.domain.create()).rejects.toMatchObject({ message: expect.stringMatching(/lock/) });
    });

    expect((await conn.listAllDomains()).map((domain) => domain.getName())).toEqual([vm.domain.getName()]);
    await vm.domain.create();
  });

  test('that was left by a process which died is ended by the next', async () => {
    const [, , three] = await threeLayers();
    const { document } = await look();
    await conn.domainCreateXML(helperXml(document, await diskOfGuest()), DomainCreateFlags.START_PAUSED);

    await three.delete();

    await expectAllData(at('vda.s2'));
  });
});

describe.each(['file', 'block'] as const)('a raw base of type %s', (type) => {
  test.each(['off', 'running'])('takes the layer back, of a guest that is %s', async (state) => {
    const image = at('base.raw');
    await qemuImg('create', '-q', '-f', 'raw', image, '64M');
    const losetup = async (...args: string[]) => (await run('losetup', args)).stdout.trim();
    const path = type === 'block' ? await losetup('--find', '--show', image) : image;
    try {
      vm = await BareDomain.define(conn, directory, { raw: { type, path } });
      const disks = { vda: { method: 'qemu', source: at('top') } };
      const set = await snapshotDisks(vm.domain, { disks, quiesce: 'never' });
      await fill(at('top'), 5, 5, 1);
      if (state === 'running') await vm.domain.create();

      await set.delete();

      for (const flags of [0, DomainXMLFlags.INACTIVE] as const) {
        const [disk] = readDomain(await vm.domain.getXMLDesc(flags)).disks;
        expect(disk).toMatchObject({ type, sourcePath: path, format: 'raw' });
      }
      expect(await vm.files()).toEqual(['base.raw']);
      if (state === 'running') await vm.domain.destroy();
      await expectPattern(path, 5, 5, 1, 'raw');
    } finally {
      if (type === 'block') await losetup('--detach', path);
    }
  });
});

test('a raw file whose size is no number of sectors is taken as the guest sees it', async () => {
  const path = at('base.raw');
  await writeFile(path, Buffer.alloc(10_000_001, 7));
  vm = await BareDomain.define(conn, directory, { raw: { type: 'file', path } });

  const set = await snapshotDisks(vm.domain, {
    disks: { vda: { method: 'qemu', source: at('top') } },
    quiesce: 'never',
  });
  expect(set.disks[0]?.virtualSize).toBe(10_000_384);
  await set.delete();

  expect(await vm.files()).toEqual(['base.raw']);
  expect((await readFile(path)).subarray(0, 10_000_001).every((byte) => byte === 7)).toBe(true);
});

describe('what others did', () => {
  test('a layer that was merged by hand is cleaned up: record and file', async () => {
    const [, , three] = await threeLayers();
    await vm.domain.create();
    const ready = await conn.subscribe('block-job-2', { domain: vm.domain });
    await vm.domain.blockCommit('vda', at('vda.s2'), at('vda.s3'), 0, DomainBlockCommitFlags.ACTIVE);
    for await (const { status } of ready) if (status === 3) break;
    await vm.domain.blockJobAbort('vda', DomainBlockJobAbortFlags.PIVOT);

    await expect(three.read('vda').toArray()).rejects.toMatchObject({ code: 'NOT_FOUND', outcome: 'unchanged' });
    await three.delete();

    expect(await vm.files()).toEqual(['vda.qcow2', 'vda.s1', 'vda.s2']);
    expect(await records()).toEqual(['s1', 's2']);
    await expectAllData(at('vda.s2'));
  });

  test('a layer on which the guest does not run, and which was not merged, is not thrown away', async () => {
    const [, , three] = await threeLayers();
    // Back to the state below by hand, on a new layer: s3 is now another branch.
    await qemuImg('create', '-q', '-f', 'qcow2', '-b', at('vda.s2'), '-F', 'qcow2', at('branch'));
    const branch = { source: pathSource('file', at('branch')), format: 'qcow2' };
    await conn.domainDefineXML(redefineDisk(await vm.domain.getXMLDesc(), 'vda', branch));

    await expect(three.delete()).rejects.toMatchObject({ code: 'OPERATION_FAILED', outcome: 'unchanged' });
    await expectPattern(at('vda.s3'), 3, 3, 1);

    await rm(at('vda.s3'));
    await three.delete();
    expect(await records()).toEqual(['s1', 's2']);
  });

  test('a domain that was cloned with its records lets go of them, and of nothing else', async () => {
    const [, , three] = await threeLayers();
    const other = await BareDomain.define(conn, await temporaryDirectory('clone'));
    const copy = { ...(await readJournal(vm.domain)).sets[2] } as SetRecord;
    await writeRecord(other.domain, 'set', copy);
    try {
      await expect(three.delete()).rejects.toMatchObject({ code: 'IN_USE' });

      for (const set of await listDiskSnapshots(other.domain)) await set.delete();

      expect(await listDiskSnapshots(other.domain)).toEqual([]);
      await expectAllData(at('vda.s3'));
    } finally {
      await other.remove();
      await rm(other.directory, { recursive: true });
    }
    await three.delete();
    await expectAllData(at('vda.s2'));
  });

  test('a chain with a missing image is left alone', async () => {
    const [one, two] = await threeLayers();
    await run('mv', [at('vda.s1'), at('elsewhere')]);

    for (const set of [one, two]) {
      await expect(set.delete()).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: expect.stringContaining('vda.s1'),
      });
    }
    await run('mv', [at('elsewhere'), at('vda.s1')]);
    await two.delete();
    await expectAllData(at('vda.s3'));
  });

  test('a guest that was saved is refused: it would go on with the disks of that moment', async () => {
    const [, , three] = await threeLayers();
    await vm.domain.create();
    await vm.domain.managedSave();

    await expect(three.delete()).rejects.toMatchObject({ code: 'GUEST_ACTIVE', outcome: 'unchanged' });

    await vm.domain.managedSaveRemove();
    await three.delete();
    await expectAllData(at('vda.s2'));
  });
});

test('several disks: one target alone, then the rest of the set', async () => {
  vm = await BareDomain.define(conn, directory, { disks: 2 });
  const set = await snapshotDisks(vm.domain, { name: 'both', quiesce: 'never' });
  await vm.domain.create();

  await set.disks[1]?.delete();
  expect(await vm.source('vda')).toBe(at('vda.both'));
  expect(await vm.source('vdb')).toBe(at('vdb.qcow2'));
  expect((await listDiskSnapshots(vm.domain))[0]?.disks.map(({ disk }) => disk)).toEqual(['vda']);

  await set.delete();
  expect(await vm.files()).toEqual(['vda.qcow2', 'vdb.qcow2']);
  expect(await records()).toEqual([]);
});

test('wrong arguments are refused before anything is touched', async () => {
  const [, , three] = await threeLayers();

  await expect(three.delete({ bandwidth: -1 })).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  await expect(three.delete({ bandwidth: '1' as never })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  await expect(three.delete({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  await expect(deleteSnapshots(vm.domain, 'no such set', null, {})).resolves.toBeUndefined();

  expect(await records()).toEqual(['s1', 's2', 's3']);
});
