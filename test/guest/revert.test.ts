// Back to a snapshot: the guest starts on what was there then, any number of times, and no image is lost or left over.
// Judged by qemu-img, qemu-io and libvirt's XML.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { snapshotDisks } from '../../lib/disk-snapshot/create';
import { installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { findDiskSnapshot, listDiskSnapshots } from '../../lib/disk-snapshot/list';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { qemuStateOf } from '../../lib/disk-snapshot/records/record';
import { recoverDiskSnapshots } from '../../lib/disk-snapshot/recover';
import type { DiskSnapshotSet } from '../../lib/disk-snapshot/types';
import { type Connection, DomainState, DomainXMLFlags } from '../../lib/libvirt';
import { embeddedConnection } from '../../lib/testing/embedded';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { BareDomain, expectPattern, fill, qemuImg } from './bare-domain';

jest.setTimeout(60_000);

let conn: Connection;
let directory: string;
let vm: BareDomain;

beforeAll(async () => {
  conn = await embeddedConnection();
});
beforeEach(async () => {
  directory = await temporaryDirectory('revert');
  vm = await BareDomain.define(conn, join(directory, 'vm'));
});
afterEach(async () => {
  installFaultHook(null);
  const { claims, intents } = await readJournal(vm.domain);
  expect([claims, intents]).toEqual([[], []]);
  await vm.remove();
  await rm(directory, { recursive: true });
});

const at = (name: string) => join(vm.directory, name);
const states = async () =>
  (await listDiskSnapshots(vm.domain)).flatMap(({ name, disks }) => disks.map(({ state }) => `${name} ${state}`));
const find = async (name: string) => (await findDiskSnapshot(vm.domain, name)) as DiskSnapshotSet;
/** What the disk holds at n MiB for n from 1; 0: nothing was written there. */
const holds = async (...patterns: number[]) => {
  const top = await vm.definedSource('vda');
  for (const [i, pattern] of patterns.entries()) await expectPattern(top, pattern, i + 1, 1);
  expect(await qemuImg('check', '-U', top)).toContain('No errors were found');
};

test('the guest starts on what was there then, twice; what it wrote since is gone', async () => {
  await fill(await vm.source('vda'), 9, 1, 1);
  const set = await snapshotDisks(vm.domain, { disks: ['vda'], name: 's', quiesce: 'never' });
  for (const pattern of [1, 2]) {
    await fill(await vm.source('vda'), pattern, 1, 2);
    await set.revert();
    await holds(9, 0);
    expect(await states()).toEqual(['s present']);
    expect(await vm.files()).toHaveLength(2);
  }
  await vm.domain.create();
  expect((await vm.chain('vda')).at(-1)).toBe(at('vda.qcow2'));
  await vm.domain.destroy();
});

test('where somebody takes the place of its new layer, theirs is not touched, and all is as before', async () => {
  const set = await snapshotDisks(vm.domain, { disks: ['vda'], name: 's', quiesce: 'never' });
  const before = { xml: await vm.domain.getXMLDesc(), files: await vm.files() };
  let place = '';
  installFaultHook(async (point) => {
    if (point !== 'revert.recorded') return;
    const { intents, claims } = await readJournal(vm.domain);
    expect(intents[0]?.claim).toBe(claims[0]?.id); // or a diagnosis would call it left behind
    place = qemuStateOf(intents[0]?.disks[0] as never)?.overlay.path ?? '';
    await writeFile(place, 'theirs');
  });
  await expect(set.revert()).rejects.toMatchObject({ code: 'FILE_EXISTS', outcome: 'undone' });
  expect(await readFile(place, 'utf8')).toBe('theirs');
  await rm(place);
  expect({ xml: await vm.domain.getXMLDesc(), files: await vm.files() }).toEqual(before);
});

test('an older one, then the newer again: each branch keeps its data; deleting leaves one image', async () => {
  await vm.layers(2);
  const [one, two] = [await find('s1'), await find('s2')]; // s1: nothing; s2: 1
  await one.revert();
  await holds(0, 0);
  expect(await states()).toEqual(['s1 present', 's2 present']);
  await fill(await vm.source('vda'), 7, 3, 1);

  // The image below has two branches: to merge one of them into it would spoil the other.
  await expect((await find('s1')).delete()).rejects.toMatchObject({
    code: 'IN_USE',
    message: expect.stringContaining('s2'),
  });

  await two.revert();
  await holds(1, 0, 0);
  expect(await states()).toEqual(['s1 present', 's2 present']);
  await (await find('s1')).delete();
  await holds(1, 0);
  await (await find('s2')).delete();
  await holds(1, 0);
  expect(await vm.files()).toEqual(['vda.qcow2']);
});

test('two disks whose layers have one stem go on in a layer each', async () => {
  await vm.remove();
  vm = await BareDomain.define(conn, join(directory, 'two'), { disks: 2 });
  const disks = Object.fromEntries(
    ['vda', 'vdb'].map((disk) => [disk, { method: 'qemu', source: join(vm.directory, `stem.${disk}`) } as const]),
  );
  const set = await snapshotDisks(vm.domain, { disks, name: 's', quiesce: 'never' });
  await set.revert();
  const now = [await vm.definedSource('vda'), await vm.definedSource('vdb')];
  expect(new Set(now).size).toBe(2);
  for (const [at, disk] of ['vda', 'vdb'].entries()) {
    const info = JSON.parse(await qemuImg('info', '--output=json', now[at] ?? ''));
    expect(info['backing-filename']).toBe(join(vm.directory, `${disk}.qcow2`));
  }
  await set.delete();
  expect(await vm.files()).toEqual(['vda.qcow2', 'vdb.qcow2']);
});

test('a branch that the guest has left is deleted from its end, with its images, and nothing else', async () => {
  await vm.layers(3);
  await (await find('s1')).revert();
  const files = await vm.files();
  const message = expect.stringContaining('snapshot s3 of vda. Delete those first');
  await expect((await find('s2')).delete()).rejects.toMatchObject({ code: 'IN_USE', outcome: 'unchanged', message });
  expect(await vm.files()).toEqual(files);
  await (await find('s3')).delete();
  await (await find('s2')).delete();
  expect(await vm.files()).toHaveLength(2);
  await (await find('s1')).delete();
  expect(await vm.files()).toEqual(['vda.qcow2']);
  await holds(0, 0, 0);
});

test('the guest goes back to a branch that it had left: all its layers are merged in the end', async () => {
  await vm.layers(3);
  await (await find('s1')).revert();
  await expect((await find('s2')).delete()).rejects.toMatchObject({ code: 'IN_USE' });
  await (await find('s3')).revert();
  for (const name of ['s2', 's3', 's1']) await (await find(name)).delete();
  expect(await vm.files()).toEqual(['vda.qcow2']);
  await holds(1, 2, 0);
});

test('nothing takes the place of an image that is missing: its snapshot would be shown as present, with what it never was', async () => {
  await vm.layers(1);
  await (await find('s1')).revert();
  const image = await vm.definedSource('vda');
  await snapshotDisks(vm.domain, { disks: ['vda'], name: 'lost', quiesce: 'never' });
  await (await find('s1')).revert();
  await rm(image);

  await (await find('s1')).revert();
  expect(await vm.definedSource('vda')).not.toBe(image);
  const name = basename(image).slice('vda.'.length); // whose layer would lie there
  await expect(snapshotDisks(vm.domain, { disks: ['vda'], name, quiesce: 'never' })).rejects.toMatchObject({
    code: 'IN_USE',
    disk: 'vda',
    outcome: 'unchanged',
    message: expect.stringContaining('snapshot lost'),
  });
  expect(await states()).toEqual(['s1 present', 'lost missing']);
});

test('new snapshots of a reverted disk; a backup source keeps what it held', async () => {
  await vm.layers(1);
  await (await find('s1')).revert();
  await fill(await vm.source('vda'), 5, 2, 1);
  await snapshotDisks(vm.domain, { disks: ['vda'], name: 'later', quiesce: 'never' });
  await fill(await vm.source('vda'), 6, 2, 1);
  await (await find('later')).revert();
  await holds(0, 5);
  await (await find('s1')).revert();
  await holds(0, 0);
  expect(await states()).toEqual(['s1 present', 'later present']);
});

describe('of a running guest', () => {
  test('is refused before anything is touched', async () => {
    await vm.layers(1);
    await vm.domain.create();
    const before = [await vm.files(), await vm.chain('vda')];
    await expect((await find('s1')).revert()).rejects.toMatchObject({ code: 'GUEST_ACTIVE', outcome: 'unchanged' });
    expect([await vm.files(), await vm.chain('vda')]).toEqual(before);
  });

  test('with force it is stopped, and runs again on the old state', async () => {
    await vm.layers(1);
    await vm.domain.create();
    await (await find('s1')).revert({ force: true });
    expect(await vm.domain.isActive()).toBe(true);
    expect((await vm.chain('vda'))[0]).toBe(await vm.definedSource('vda'));
    await vm.domain.destroy();
    await holds(0);
  });
});

test('a saved guest is refused, unless its image may go', async () => {
  await vm.layers(1);
  await vm.domain.create();
  await vm.domain.managedSave();
  await expect((await find('s1')).revert()).rejects.toMatchObject({ code: 'GUEST_ACTIVE' });
  expect(await vm.domain.hasManagedSaveImage()).toBe(true);
  await (await find('s1')).revert({ discardManagedSave: true });
  expect(await vm.domain.hasManagedSaveImage()).toBe(false);
  await holds(0);
});

test('one that is deleted, or whose image is gone, says so', async () => {
  await vm.layers(2);
  const [one, two] = [await find('s1'), await find('s2')];
  await two.delete();
  await expect(two.revert()).rejects.toMatchObject({ code: 'NOT_FOUND', outcome: 'unchanged' });
  await rm(at('vda.qcow2'));
  await expect(one.revert()).rejects.toMatchObject({ code: 'NOT_FOUND', outcome: 'unchanged' });
});

describe('interrupted', () => {
  class Gone extends Error {}
  /** As if the process had died there: nothing after this point runs, also no undo. */
  const dieAt = (point: string) =>
    installFaultHook((passed) => (passed === point ? Promise.reject(new Gone(point)) : undefined));

  test.each(['revert.recorded', 'revert.layer-made', 'revert.guest-off'])('at %s: taken back', async (point) => {
    await vm.layers(1);
    const before = [await vm.files(), await vm.definedSource('vda')];
    dieAt(point);
    await expect((await find('s1')).revert()).rejects.toThrow(point);
    installFaultHook(null);
    expect([await vm.files(), await vm.definedSource('vda')]).toEqual(before);
    await holds(1);
  });

  test.each(['revert.begun', 'revert.defined', 'revert.written', 'revert.cleaned'])(
    'at %s: finished by recovery',
    async (point) => {
      await vm.layers(1);
      dieAt(point);
      await expect((await find('s1')).revert()).rejects.toMatchObject({ code: 'RECOVERY_NEEDED', outcome: 'unknown' });
      installFaultHook(null);
      expect(await recoverDiskSnapshots(vm.domain)).toMatchObject({ finished: ['s1'], undone: [] });
      await holds(0);
      expect(await states()).toEqual(['s1 present']);
      expect(await vm.files()).toHaveLength(2);
    },
  );
});

test('a guest that somebody starts while the revert is prepared is not stopped without force', async () => {
  await vm.layers(1);
  const before = [await vm.files(), await vm.definedSource('vda')];
  installFaultHook((point) => (point === 'revert.layer-made' ? vm.domain.create() : undefined));
  await expect((await find('s1')).revert()).rejects.toMatchObject({ code: 'GUEST_ACTIVE', outcome: 'undone' });
  installFaultHook(null);
  expect(await vm.domain.isActive()).toBe(true);
  expect([await vm.files(), await vm.definedSource('vda')]).toEqual(before);
  expect(await readJournal(vm.domain)).toMatchObject({ intents: [], claims: [] });
});

test('a guest that was paused is paused again, at the snapshot', async () => {
  await vm.layers(1);
  await vm.domain.create();
  await vm.domain.suspend();
  await (await find('s1')).revert({ force: true });
  expect(await vm.domain.getState()).toMatchObject({ state: DomainState.PAUSED });
});

test('a guest that cannot be started again: the disks are back, and that is said', async () => {
  await vm.layers(1);
  await vm.domain.create();
  // The firmware of its definition is gone by then.
  installFaultHook(async (point) => {
    if (point !== 'revert.cleaned') return;
    const xml = await vm.domain.getXMLDesc(DomainXMLFlags.INACTIVE);
    await conn.domainDefineXML(xml.replace('</type>', '</type><kernel>/nowhere/kernel</kernel>'));
  });
  await expect((await find('s1')).revert({ force: true })).rejects.toMatchObject({
    code: 'OPERATION_FAILED',
    outcome: 'done',
    message: expect.stringContaining('could not be started again'),
  });
  installFaultHook(null);
  expect(await vm.domain.isActive()).toBe(false);
  await holds(0);
  expect(await readJournal(vm.domain)).toMatchObject({ intents: [], claims: [] });
});
