// Back to a clone on real btrfs and XFS: the image is a clone of it, twice, with its owner and mode, and nothing is left over.
import { chmod, chown, mkdir, readdir, rm, stat, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { findDiskSnapshot, snapshotDisks } from '../../lib';
import { type FaultPoint, installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import type { Connection } from '../../lib/libvirt';
import { run } from '../../lib/testing/command';
import { embeddedConnection } from '../../lib/testing/embedded';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { parseXml } from '../../lib/xml/document';
import { BareDomain, expectPattern, fill, qemuImg } from '../guest/bare-domain';
import { snapshotsIn } from './inside';
import { Mounted } from './mounted';

jest.setTimeout(60_000);

describe.each([
  ['btrfs', 'btrfs', 'by its path'],
  ['xfs', 'reflink', 'over a link'],
] as const)('on %s, by method %s, its folder reached %s', (type, method, way) => {
  let conn: Connection;
  let root: string;
  let mounted: Mounted;
  let vm: BareDomain;
  let image: string;
  beforeAll(async () => {
    conn = await embeddedConnection();
    root = await temporaryDirectory(`clone-back-${type}`);
    mounted = await Mounted.make(type, root);
    const folder = join(mounted.directory, 'images');
    await mkdir(folder);
    const link = join(root, 'link');
    await symlink(folder, link);
    vm = await BareDomain.define(conn, join(root, `vm-${type}`), { folder: way === 'over a link' ? link : folder });
    image = await vm.source('vda');
  });
  afterAll(async () => {
    await vm?.remove();
    await mounted?.close();
    await rm(root, { recursive: true });
  });

  test('what was written since is gone, twice', async () => {
    await fill(image, 1, 1, 1);
    await chown(image, 1234, 2345);
    await chmod(image, 0o640);
    const set = await snapshotDisks(vm.domain, { disks: { vda: method }, name: 'clone' });
    for (const pattern of [2, 3]) {
      await fill(image, pattern, 1, 2);
      await set.revert();
      await expectPattern(image, 1, 1, 1);
      await expectPattern(image, 0, 2, 1);
      expect(await qemuImg('check', image)).toContain('No errors were found');
      expect(await stat(image)).toMatchObject({ uid: 1234, gid: 2345, mode: 0o100640 });
    }
    await set.delete();
    expect(await readdir(join(mounted.directory, 'images'))).toEqual(['vda.qcow2']);
    await expect(set.revert()).rejects.toMatchObject({ code: 'NOT_FOUND', outcome: 'unchanged' });
  });

  test('an image that a layer rests on since is not replaced beneath it', async () => {
    const clone = await snapshotDisks(vm.domain, { disks: { vda: method }, name: 'below' });
    const layer = await snapshotDisks(vm.domain, { disks: { vda: 'qemu' }, name: 'layer' });
    const before = await stat(image);
    await expect(clone.revert()).rejects.toMatchObject({ code: 'DISK_NOT_FOUND', outcome: 'unchanged', disk: 'vda' });
    expect(await readJournal(vm.domain)).toMatchObject({ intents: [] });
    expect(await stat(image)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
    expect(layer.disks[0]?.state).toBe('present');
    await layer.delete();
    await clone.delete();
  });

  test('an abort before the image is replaced takes the revert back; one after it does not end it', async () => {
    await fill(image, 6, 1, 1);
    const set = await snapshotDisks(vm.domain, { disks: { vda: method }, name: 'abort' });
    await fill(image, 7, 1, 1);
    const before = await stat(image);
    const reverted = (point: FaultPoint) => {
      const controller = new AbortController();
      installFaultHook((passed) => (passed === point ? controller.abort(new Error('enough')) : undefined));
      return set.revert({ signal: controller.signal }).finally(() => installFaultHook(null));
    };
    await expect(reverted('revert.guest-off')).rejects.toThrow('enough');
    expect(await stat(image)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
    expect(await readJournal(vm.domain)).toMatchObject({ intents: [], claims: [] });
    expect(await readdir(join(mounted.directory, 'images'))).toHaveLength(2);
    await reverted('revert.begun');
    await expectPattern(image, 6, 1, 1);
    await set.delete();
  });

  test('what lies in the place of the clone, and is not the clone, is shown as missing, and nothing becomes of it', async () => {
    const set = await snapshotDisks(vm.domain, { disks: { vda: method }, name: 'replaced' });
    const clone = parseXml(set.disks[0]?.backupSource ?? '').attributes.file ?? '';
    await truncate(clone, 1000);
    expect((await findDiskSnapshot(vm.domain, 'replaced'))?.disks[0]?.state).toBe('missing');
    const before = await stat(image);
    await expect(set.revert()).rejects.toMatchObject({ code: 'NOT_FOUND', outcome: 'unchanged' });
    expect(await stat(image)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
    await set.delete();
  });

  test('an image is not replaced that holds snapshots inside which its clone does not, and the error names them', async () => {
    const internal = { method: 'qemu', mode: 'internal' } as const;
    const older = await snapshotDisks(vm.domain, { disks: { vda: internal }, name: 'older' });
    const clone = await snapshotDisks(vm.domain, { disks: { vda: method }, name: 'clone' });
    const younger = await snapshotDisks(vm.domain, { disks: { vda: internal }, name: 'younger' });
    const error = await clone.revert().catch((e) => e);
    expect(error).toMatchObject({ code: 'IN_USE', outcome: 'unchanged', disk: 'vda' });
    expect(error.message).toContain('(younger)');
    expect(await snapshotsIn(image)).toEqual(['older', 'younger']);
    await younger.delete();
    await clone.revert();
    expect(await snapshotsIn(image)).toEqual(['older']);
    for (const set of [older, clone]) await set.delete();
    expect(await snapshotsIn(image)).toEqual([]);
  });

  test('what a clone rests on goes with it, once the disk has left that and nobody else needs it', async () => {
    const files = async () => (await readdir(join(mounted.directory, 'images'))).sort();
    const one = await snapshotDisks(vm.domain, { disks: { vda: 'qemu' }, name: 'one' });
    const two = await snapshotDisks(vm.domain, { disks: { vda: 'qemu' }, name: 'two' });
    const clone = await snapshotDisks(vm.domain, { disks: { vda: method }, name: 'clone' });
    await one.revert();
    expect(await files()).toEqual(['vda.clone', 'vda.one', 'vda.one-revert1', 'vda.qcow2']);
    await two.delete();
    expect(await files()).toContain('vda.one');
    await clone.delete();
    expect(await files()).toEqual(['vda.one-revert1', 'vda.qcow2']);
    await one.delete();
    expect(await files()).toEqual(['vda.qcow2']);
  });

  test('what another domain needs is neither replaced nor removed, and the error says who needs it', async () => {
    const set = await snapshotDisks(vm.domain, { disks: { vda: method }, name: 'needed' });
    const clone = parseXml(set.disks[0]?.backupSource ?? '').attributes.file ?? '';
    const on = async (name: string, base: string) => {
      const other = await BareDomain.define(conn, join(root, `${name}-${type}`));
      const overlay = await other.source('vda');
      await qemuImg('create', '-q', '-f', 'qcow2', '-b', base, '-F', 'qcow2', overlay);
      return other;
    };
    const sibling = await on('sibling', image);
    const message = expect.stringContaining(`sibling-${type} (vda)`);
    const refused = { code: 'IN_USE', outcome: 'unchanged', message };
    await expect(set.revert()).rejects.toMatchObject(refused);
    await vm.domain.create();
    const run = async () => (await conn.domainLookupByName(vm.domain.getName())).getID();
    const before = await run();
    await expect(set.revert({ force: true })).rejects.toMatchObject(refused);
    expect(await run()).toBe(before); // it was not stopped for nothing
    await vm.domain.destroy();
    expect(await readJournal(vm.domain)).toMatchObject({ intents: [], claims: [] });
    await sibling.remove();
    const heir = await on('heir', clone);
    await expect(set.delete()).rejects.toMatchObject({
      code: 'IN_USE',
      outcome: 'unchanged',
      message: expect.stringContaining(`disk vda of heir-${type}`),
    });
    expect((await findDiskSnapshot(vm.domain, 'needed'))?.disks[0]?.state).toBe('present');
    await heir.remove();
    await set.delete();
    expect(await readdir(join(mounted.directory, 'images'))).toEqual(['vda.qcow2']);
  });
});

test('a clone that is recorded is there also when the power fails at once', async () => {
  const root = await temporaryDirectory('power');
  const mounted = await Mounted.make('xfs', root);
  const vm = await BareDomain.define(await embeddedConnection(), join(root, 'vm-power'), { folder: mounted.directory });
  await fill(await vm.source('vda'), 5, 1, 8);
  await run('sync', ['-f', mounted.directory]);
  const set = await snapshotDisks(vm.domain, { disks: { vda: 'reflink' }, name: 'safe' });
  await run('xfs_io', ['-x', '-c', 'shutdown', mounted.directory]); // nothing that is still in memory is written
  await mounted.remount();
  await expectPattern(join(mounted.directory, 'vda.safe'), 5, 1, 8);
  expect((await findDiskSnapshot(vm.domain, 'safe'))?.disks[0]?.state).toBe('present');
  await set.delete();
  await vm.remove();
  await mounted.close();
  await rm(root, { recursive: true });
});

test('while a clone is exported it stays, and its neighbour, an overlay, does not wait for that', async () => {
  const root = await temporaryDirectory('exported');
  const mounted = await Mounted.make('btrfs', root);
  const vm = await BareDomain.define(await embeddedConnection(), join(root, 'vm-exported'), {
    folder: mounted.directory,
    disks: 2,
  });
  await fill(await vm.source('vda'), 5, 1, 8);
  const set = await snapshotDisks(vm.domain, { disks: { vda: 'btrfs', vdb: 'qemu' }, name: 'both' });
  await fill(await vm.source('vda'), 6, 1, 8);
  const [clone, layer] = set.disks;
  const meanwhile: unknown[] = [];
  const onProgress = () => {
    if (meanwhile.length === 0)
      meanwhile.push(
        set.delete().catch((error) => error),
        clone?.delete().catch((e) => e),
      );
  };
  await clone?.export(join(root, 'copy.raw'), { format: 'raw', onProgress });
  const refused = { code: 'IN_USE', outcome: 'unchanged', disk: 'vda' };
  expect(await Promise.all(meanwhile)).toMatchObject([refused, refused]);
  await expectPattern(join(root, 'copy.raw'), 5, 1, 8, 'raw');
  await layer?.delete();
  await set.delete();
  expect((await readdir(mounted.directory)).sort()).toEqual(['vda.qcow2', 'vdb.qcow2']);
  await vm.remove();
  await mounted.close();
  await rm(root, { recursive: true });
});

test('on btrfs, an image that is nocow in a folder that is not is refused in words, and nothing is left', async () => {
  const root = await temporaryDirectory('nocow');
  const mounted = await Mounted.make('btrfs', root);
  const vm = await BareDomain.define(await embeddedConnection(), join(root, 'vm-nocow'), { folder: mounted.directory });
  const image = await vm.source('vda');
  await rm(image);
  await qemuImg('create', '-q', '-f', 'qcow2', '-o', 'nocow=on', image, '64M');
  await fill(image, 1, 1, 1);
  const error = await snapshotDisks(vm.domain, { disks: { vda: 'btrfs' }, name: 'no' }).catch((e) => e);
  expect(error).toMatchObject({ code: 'METHOD_UNSUPPORTED', outcome: 'unchanged', disk: 'vda' });
  expect(error.message).toContain('nocow');
  expect(await readdir(mounted.directory)).toEqual(['vda.qcow2']);
  await vm.remove();
  await mounted.close();
  await rm(root, { recursive: true });
});
