// Method qemu, mode internal, on files of this machine and the embedded driver. methods.test.ts has the whole journey.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { findDiskSnapshot, snapshotDisks } from '../../lib';
import { embeddedConnection } from '../../lib/testing/embedded';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { BareDomain, qemuImg } from '../guest/bare-domain';
import { footprint, snapshotsIn } from './inside';

jest.setTimeout(300_000);
const internal = { method: 'qemu', mode: 'internal' } as const;
let vm: BareDomain;
let image: string;
beforeAll(async () => {
  vm = await BareDomain.define(await embeddedConnection(), await temporaryDirectory('internal'), { disks: 2 });
  image = join(vm.directory, 'vda.qcow2');
});
afterAll(() => vm?.remove());

test('refuses in words, and touches nothing', async () => {
  await qemuImg('snapshot', '-c', 'foreign', image);
  const before = await footprint(vm.domain);
  const cases: [string, object, RegExp][] = [
    ['foreign', { code: 'NAME_EXISTS' }, /has a snapshot foreign/],
    ['1', { code: 'INVALID_ARGUMENT' }, /is a number/],
  ];
  for (const [name, expected, says] of cases) {
    const error = await snapshotDisks(vm.domain, { disks: { vda: internal }, name }).catch((e) => e);
    expect(error).toMatchObject({ name: 'DiskSnapshotError', outcome: 'unchanged', disk: 'vda', ...expected });
    expect(error.message).toMatch(says);
  }
  expect(await footprint(vm.domain)).toEqual(before);
  expect(await snapshotsIn(image)).toEqual(['foreign']);
  await qemuImg('snapshot', '-d', 'foreign', image);
});

test('below an overlay it is listed, and deleted only when the overlay has gone', async () => {
  const inner = await snapshotDisks(vm.domain, { disks: { vda: internal }, name: 'inner' });
  const outer = await snapshotDisks(vm.domain, { disks: { vda: 'qemu' }, name: 'outer' });
  expect((await findDiskSnapshot(vm.domain, 'inner'))?.disks[0]?.state).toBe('present');
  const error = await inner.delete().catch((e) => e);
  expect(error).toMatchObject({ code: 'IN_USE', outcome: 'unchanged', disk: 'vda' });
  expect(await snapshotsIn(image)).toEqual(['inner']);
  await outer.delete();
  await inner.delete();
  expect(await snapshotsIn(image)).toEqual([]);
});

test('an image that another domain lies on is not brought back beneath it, and the error says which', async () => {
  const set = await snapshotDisks(vm.domain, { disks: { vda: internal }, name: 'shared' });
  const other = await BareDomain.define(vm.domain.connection, await temporaryDirectory('lies-on'));
  await qemuImg('create', '-q', '-f', 'qcow2', '-b', image, '-F', 'qcow2', await other.source('vda'));
  const refused = {
    code: 'IN_USE',
    outcome: 'unchanged',
    message: expect.stringContaining(`${other.domain.getName()} (vda)`),
  };
  const before = await footprint(vm.domain);
  await expect(set.revert()).rejects.toMatchObject(refused);
  expect(await footprint(vm.domain)).toEqual(before);
  await other.remove();
  await set.revert();
  await set.delete();
});

test('removed by qemu-img: listed as missing, not hidden, and deleted all the same', async () => {
  const set = await snapshotDisks(vm.domain, { disks: { vda: internal }, name: 'gone' });
  await qemuImg('snapshot', '-d', 'gone', image);
  expect((await findDiskSnapshot(vm.domain, 'gone'))?.disks[0]?.state).toBe('missing');
  await set.delete();
  expect(await findDiskSnapshot(vm.domain, 'gone')).toBeNull();
});
