// Method qemu, mode internal, on files of this machine and the embedded driver. methods.test.ts has the whole journey.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  type DiskSnapshotSet,
  diagnose,
  findDiskSnapshot,
  listDiskSnapshots,
  planSnapshot,
  snapshotDisks,
} from '../../lib';
import { installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { lookAtGuest } from '../../lib/disk-snapshot/guest';
import { withHelper } from '../../lib/disk-snapshot/merge/helper-domain';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { DomainEventType } from '../../lib/libvirt';
import { readFileFromImage, TestGuest } from '../../lib/testing';
import { embeddedConnection } from '../../lib/testing/embedded';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { qemuOf } from '../faults/running';
import { BareDomain, expectPattern, fill, qemuImg } from '../guest/bare-domain';
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

test('planning disturbs nobody: a helper of an operation that is under way works on', async () => {
  const { document } = await lookAtGuest(vm.domain, {});
  const [disk] = document.disks;
  if (!disk) throw new Error('no disk');
  await withHelper(document, disk, vm.domain, async (helper) => {
    const id = helper.getID();
    const plan = await planSnapshot(vm.domain, { disks: { vda: internal }, name: 'next' });
    expect(plan).toMatchObject({ ok: true, problems: [] });
    expect((await vm.domain.connection.domainLookupByName(helper.getName())).getID()).toBe(id);
  });
  expect((await footprint(vm.domain)).names).toEqual([vm.domain.getName()]);
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

test('the guest ends after the cut inside its image, and the call is given up: taken back by itself', async () => {
  const { domain } = vm;
  const reason = new Error('enough');
  const controller = new AbortController();
  await domain.create();
  installFaultHook(async (point) => {
    if (point !== 'snapshot.methods-cut') return;
    expect(await snapshotsIn(image)).toEqual(['short']);
    await using lifecycle = await domain.connection.subscribe('lifecycle', { domain });
    process.kill(await qemuOf(domain.getName()), 'SIGKILL');
    for await (const { event } of lifecycle) if (event === DomainEventType.STOPPED) break;
    controller.abort(reason);
  });
  const disks = { vda: internal, vdb: 'qemu' } as const;
  const attempt = snapshotDisks(domain, { disks, name: 'short', quiesce: 'never', signal: controller.signal });
  await expect(attempt.finally(() => installFaultHook(null))).rejects.toBe(reason);
  expect(await snapshotsIn(image)).toEqual([]);
  expect(await vm.files()).toEqual(['vda.qcow2', 'vdb.qcow2']);
  expect(await readJournal(domain)).toMatchObject({ intents: [], sets: [], claims: [] });
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

describe('an image that the guest leaves by going back', () => {
  const take = (name: string, method: string | typeof internal) =>
    snapshotDisks(vm.domain, { disks: { vda: method }, name });
  const states = async () =>
    (await listDiskSnapshots(vm.domain)).flatMap(({ name, disks }) => disks.map(({ state }) => `${name} ${state}`));
  const files = async () => (await vm.files()).filter((file) => file.startsWith('vda'));
  const needs = (name: string) => ({
    code: 'IN_USE',
    outcome: 'unchanged',
    message: expect.stringContaining(`snapshot ${name} of vda`),
  });

  test('stays while it holds a snapshot, keeps what that rests on, and goes with it', async () => {
    const outer = await take('outer', 'qemu');
    const layer = await vm.source('vda');
    await fill(layer, 3, 3, 1);
    const inner = await take('inner', internal);
    await fill(layer, 4, 3, 1);
    await outer.revert();
    expect(await vm.source('vda')).not.toBe(layer);
    expect(await snapshotsIn(layer)).toEqual(['inner']);
    expect(await states()).toEqual(['outer present', 'inner present']);
    expect(await diagnose(vm.domain)).toEqual([]);

    // What lies below that image is merged into by nobody: the snapshot would read another state.
    await expect(outer.delete()).rejects.toMatchObject(needs('inner'));
    await expect(inner.revert()).rejects.toMatchObject({ code: 'IN_USE', outcome: 'unchanged' });
    await fill(await vm.source('vda'), 5, 3, 1);
    const copy = join(vm.directory, 'copy.raw');
    await qemuImg('convert', '-O', 'raw', '-l', 'snapshot.name=inner', layer, copy);
    await expectPattern(copy, 3, 3, 1, 'raw');
    await rm(copy);

    await inner.delete();
    expect(existsSync(layer)).toBe(false);
    await outer.delete();
    expect(await files()).toEqual(['vda.qcow2']);
    await expectPattern(image, 5, 3, 1);
  });

  test('stays also when the snapshot on it is deleted, whose branch the guest has left', async () => {
    const first = await take('first', 'qemu');
    const layer = await vm.source('vda');
    const inner = await take('inner', internal);
    const second = await take('second', 'qemu');
    await first.revert();
    await second.delete();
    expect(await snapshotsIn(layer)).toEqual(['inner']);
    expect(await states()).toEqual(['first present', 'inner present']);
    await inner.delete();
    await first.delete();
    expect(await files()).toEqual(['vda.qcow2']);
  });

  test('with snapshots that nobody recorded is not left, and the error names them', async () => {
    const outer = await take('outer', 'qemu');
    const layer = await vm.source('vda');
    await qemuImg('snapshot', '-c', 'precious', layer);
    const before = [await footprint(vm.domain), await files()];
    const error = await outer.revert().catch((e) => e);
    expect(error).toMatchObject({ code: 'IN_USE', outcome: 'unchanged', disk: 'vda', snapshot: 'outer' });
    expect(error.message).toContain(layer);
    expect(error.message).toContain('precious');
    expect([await footprint(vm.domain), await files()]).toEqual(before);
    await qemuImg('snapshot', '-d', 'precious', layer);
    await outer.revert();
    expect(existsSync(layer)).toBe(false);
    await outer.delete();
  });

  test('of a real guest: it starts on the older state, and the younger one is still there', async () => {
    await using guest = await TestGuest.boot({ persistent: true, restorable: false });
    const write = (text: string) => guest.exec(['sh', '-c', `echo ${text} >/mnt/a/text; sync`]);
    const cut = (name: string, method: string | typeof internal) =>
      snapshotDisks(guest.domain, { disks: { vda: method }, name, quiesce: 'required' });
    await write('oldest');
    const outer = await cut('outer', 'qemu');
    await write('younger');
    const inner = await cut('inner', internal);
    const layer = join(guest.directory, `${basename(guest.image('vda'), '.qcow2')}.outer`);
    await write('youngest');
    await outer.revert({ force: true });
    expect(await snapshotsIn(layer)).toEqual(['inner']);
    const copy = join(guest.directory, 'copy.raw');
    for (const [set, text] of [
      [outer, 'oldest'],
      [inner, 'younger'],
    ] as [DiskSnapshotSet, string][]) {
      await set.disks[0]?.export(copy, { format: 'raw' });
      expect(await readFileFromImage(copy, '/text')).toBe(`${text}\n`);
      await rm(copy);
    }
    await expect(outer.delete()).rejects.toMatchObject(needs('inner'));
    await inner.delete(); // the guest runs, and does not have that image open
    await outer.delete();
    expect(existsSync(layer)).toBe(false);
    expect(await listDiskSnapshots(guest.domain)).toEqual([]);
  });
});
