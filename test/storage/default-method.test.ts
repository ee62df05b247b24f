// Which method a disk gets that nobody chose one for, by the file system that its image really lies on; and the reason in words.
import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Connection, type PlannedDisk, type PlanOptions, planSnapshot, snapshotDisks } from '../../lib';
import { run } from '../../lib/testing/command';
import { embeddedConnection } from '../../lib/testing/embedded';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { BareDomain, qemuImg } from '../guest/bare-domain';
import { Mounted } from './mounted';

let conn: Connection;
let root: string;
const mounted: Record<string, Mounted> = {};
beforeAll(async () => {
  conn = await embeddedConnection();
  root = await temporaryDirectory('default-method');
  mounted.btrfs = await Mounted.make('btrfs', root);
  mounted.xfs = await Mounted.make('xfs', root);
  mounted['xfs without reflink'] = await Mounted.make('xfs', root, ['-m', 'reflink=0']);
  mounted.ext4 = await Mounted.make('ext4', root);
});
afterAll(async () => {
  for (const one of Object.values(mounted)) await one.close();
  await rm(root, { recursive: true });
});

let count = 0;
/** A domain that is off, with one image of its own in a folder of that file system. */
async function domainOn(on: string, format: 'raw' | 'qcow2', make = plain) {
  const folder = join(mounted[on]?.directory ?? '', `${++count}`);
  await mkdir(folder);
  const path = join(folder, `vda.${format}`);
  const directory = join(root, `vm-${count}`);
  const vm = await BareDomain.define(conn, directory, format === 'raw' ? { raw: { type: 'file', path } } : { folder });
  if (format === 'raw') await make(path);
  return { vm, folder, path };
}

async function planned(vm: BareDomain, options: PlanOptions = {}): Promise<PlannedDisk | undefined> {
  const plan = await planSnapshot(vm.domain, options);
  expect(plan.problems).toEqual([]);
  return plan.disks[0];
}

async function plain(image: string, ...options: string[]): Promise<void> {
  await qemuImg('create', '-q', '-f', 'raw', ...options, image, '64M');
}
/** In a folder that is cow. */
const nocow = (image: string) => plain(image, '-o', 'nocow=on');
async function linked(image: string): Promise<void> {
  await plain(`${image}.real`);
  await symlink(basename(`${image}.real`), image);
}

test.each([
  { on: 'btrfs', method: 'btrfs', because: /^a raw image on btrfs, which clones it/ },
  { on: 'xfs', method: 'reflink', because: /^a raw image on XFS, which clones it/ },
  { on: 'btrfs', format: 'qcow2', because: /^a qcow2 disk of type file on btrfs: .* overlay$/ },
  { on: 'xfs', format: 'qcow2', because: /^a qcow2 disk of type file on XFS: .* overlay$/ },
  { on: 'ext4', because: /^a raw disk of type file on ext4: .* overlay$/ },
  { on: 'btrfs', make: nocow, because: /on btrfs, but it cannot be cloned there: .*EINVAL/ },
  { on: 'btrfs', make: linked, because: /on btrfs, but its path is a link/ },
  { on: 'xfs without reflink', because: /on XFS, but it cannot be cloned there: .*SUP/ },
] as const)('on $on: $because', async ({ on, because, ...rest }) => {
  const { format, make, method }: { format?: 'qcow2'; make?: typeof nocow; method?: string } = rest;
  const { vm, folder } = await domainOn(on, format ?? 'raw', make);
  const before = await readdir(folder);
  expect(await planned(vm)).toMatchObject({ method: method ?? 'qemu', because: expect.stringMatching(because) });
  expect(await readdir(folder)).toEqual(before);
  const set = await snapshotDisks(vm.domain, { name: 'taken' });
  expect(set.disks.map((disk) => [disk.method, disk.state])).toEqual([[method ?? 'qemu', 'present']]);
  await set.delete();
  expect(await readdir(folder)).toEqual(before);
  await vm.remove();
});

test('the clone that the file system suggests shares its blocks, and the guest writes on', async () => {
  const { vm, path } = await domainOn('btrfs', 'raw');
  await run('dd', ['if=/dev/urandom', `of=${path}`, 'bs=1M', 'count=4', 'conv=notrunc,fsync', 'status=none']);
  const set = await snapshotDisks(vm.domain, { name: 'shared' });
  expect(set.disks[0]).toMatchObject({ method: 'btrfs', modifiedDisk: null });
  expect((await run('filefrag', ['-v', path])).stdout).toContain('shared');
  expect(await vm.source('vda')).toBe(path);
  await set.delete();
  await vm.remove();
});

test('pause: false forbids what a clone may need: an overlay, and the plan says so', async () => {
  const { vm } = await domainOn('xfs', 'raw');
  const says = expect.stringMatching(/on XFS, but a clone may need a pause/);
  expect(await planned(vm, { pause: false })).toMatchObject({ method: 'qemu', because: says });
  await vm.remove();
});

test('what was asked for, and what strict refuses, is not guessed at', async () => {
  const { vm } = await domainOn('btrfs', 'raw');
  const asked = { method: 'qemu', because: 'the caller chose it' };
  expect(await planned(vm, { disks: { vda: 'qemu' } })).toMatchObject(asked);
  const strict = await planSnapshot(vm.domain, { strict: true });
  expect(strict).toMatchObject({ ok: false, problems: [{ code: 'INVALID_ARGUMENT', disk: 'vda' }] });
  await vm.remove();
});
