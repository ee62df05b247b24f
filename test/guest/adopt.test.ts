// Overlays that virsh made become records: then they are listed, gone back to and deleted as ours are. qemu-img and qemu-io judge.
import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { adoptDiskSnapshots, type Connection, listDiskSnapshots, snapshotDisks } from '../../lib';
import { PrivateLibvirtd } from '../../lib/testing';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { BareDomain, expectPattern, fill } from './bare-domain';

jest.setTimeout(120_000);

let daemon: PrivateLibvirtd;
let connection: Connection;
let vm: BareDomain;
beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
  connection = await daemon.connect();
});
afterAll(async () => {
  await connection?.close();
  await daemon?.close();
});
beforeEach(async () => {
  vm = await BareDomain.define(connection, await temporaryDirectory('adopt'), { disks: 2 });
});
afterEach(async () => {
  await vm.remove();
  await rm(vm.directory, { recursive: true });
});

/** As virsh does it; the layer is then filled at n MiB with the value n. */
async function byVirsh(name: string, n: number): Promise<void> {
  const diskspec = ['--diskspec', 'vda', '--diskspec', 'vdb,snapshot=no'];
  await vm.domain.create();
  await daemon.virsh('snapshot-create-as', vm.domain.getName(), name, '--disk-only', '--no-metadata', ...diskspec);
  await vm.domain.destroy();
  await fill(await vm.source('vda'), n, n, 1);
}
const listed = async () =>
  (await listDiskSnapshots(vm.domain)).map(({ name, disks }) => [
    name,
    ...disks.map(({ disk, state }) => `${disk} ${state}`),
  ]);

test('each layer becomes a set; it is gone back to, merged, and its file removed', async () => {
  const files = await vm.files();
  await byVirsh('first', 1);
  await byVirsh('second', 2);
  const chain = await vm.chain('vda');
  const sets = await adoptDiskSnapshots(vm.domain);
  expect(sets.map(({ name, consistency }) => [name, consistency])).toEqual([
    ['first', 'disk'],
    ['second', 'disk'],
  ]);
  expect(await vm.chain('vda')).toEqual(chain);
  expect(await listed()).toEqual([
    ['first', 'vda present'],
    ['second', 'vda present'],
  ]);
  expect(await adoptDiskSnapshots(vm.domain)).toEqual([]);

  const [first, second] = await listDiskSnapshots(vm.domain);
  await second?.revert();
  await expectPattern(await vm.source('vda'), 1, 1, 1);
  await expectPattern(await vm.source('vda'), 0, 2, 1);
  await first?.delete();
  expect(await listed()).toEqual([['second', 'vda present']]);
  await second?.delete();
  expect(await vm.files()).toEqual(files);
  await expectPattern(await vm.source('vda'), 1, 1, 1);
});

test.each(['off', 'running'])('beside a snapshot of ours, and merged beneath a guest that is %s', async (state) => {
  const files = await vm.files();
  await byVirsh('theirs', 1);
  await snapshotDisks(vm.domain, { name: 'ours' });
  await fill(await vm.source('vda'), 2, 2, 1);
  await byVirsh('theirs.qcow2', 3); // an extension that names no snapshot
  if (state === 'running') await vm.domain.create();
  const adopted = await adoptDiskSnapshots(vm.domain, { disks: ['vda'] });
  expect(adopted.map(({ name }) => name)).toEqual(['theirs', expect.stringMatching(/^\d{8}T?/)]);
  for (const set of adopted) await set.delete();
  expect(await listed()).toEqual([['ours', 'vda present', 'vdb present']]);
  const [ours] = await listDiskSnapshots(vm.domain);
  await ours?.delete();
  if (state === 'running') await vm.domain.destroy();
  expect(await vm.files()).toEqual(files);
  for (const n of [1, 2, 3]) await expectPattern(await vm.source('vda'), n, n, 1);
});

test('where there is nothing to adopt, nothing is changed', async () => {
  const before = await vm.domain.getXMLDesc();
  expect(await adoptDiskSnapshots(vm.domain)).toEqual([]);
  expect((await vm.domain.getXMLDesc()).replace(/\s*<metadata\/>/, '')).toBe(before);
  await expect(adoptDiskSnapshots(vm.domain, { disks: ['vdz'] })).rejects.toMatchObject({
    code: 'DISK_NOT_FOUND',
    outcome: 'unchanged',
  });
});
