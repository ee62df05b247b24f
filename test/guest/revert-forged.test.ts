// Records that name files of somebody else: going back, deleting and recovering remove and use nothing but layers of that disk.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { findDiskSnapshot } from '../../lib/disk-snapshot/list';
import { readJournal, removeRecord, writeIntent, writeRecord } from '../../lib/disk-snapshot/records/journal';
import type { SetRecord } from '../../lib/disk-snapshot/records/record';
import { recoverDiskSnapshots } from '../../lib/disk-snapshot/recover';
import type { Connection } from '../../lib/libvirt';
import { embeddedConnection } from '../../lib/testing/embedded';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { BareDomain, qemuImg } from './bare-domain';

jest.setTimeout(60_000);

let conn: Connection;
let directory: string;
let vm: BareDomain;
/** A layer over a base of its own, which no domain uses. */
let foreign: string;

beforeAll(async () => {
  conn = await embeddedConnection();
});
beforeEach(async () => {
  directory = await temporaryDirectory('revert-forged');
  vm = await BareDomain.define(conn, join(directory, 'vm'));
  await vm.layers(2);
  const folder = join(directory, 'foreign');
  await mkdir(folder);
  foreign = join(folder, 'layer.qcow2');
  await qemuImg('create', '-q', '-f', 'qcow2', join(folder, 'base.qcow2'), '64M');
  await qemuImg('create', '-q', '-f', 'qcow2', '-b', join(folder, 'base.qcow2'), '-F', 'qcow2', foreign);
});
afterEach(async () => {
  await vm.remove();
  await rm(directory, { recursive: true });
});

const newest = async () => (await readJournal(vm.domain)).sets.find(({ name }) => name === 's2') as SetRecord;

/** Writes an intent to go back to that set, its disk's state changed. */
async function forgeIntent(begun: boolean, change: object): Promise<string> {
  const { disks, ...set } = await newest();
  const id = randomUUID();
  await writeIntent(vm.domain, {
    version: 1,
    id,
    claim: id,
    active: false,
    domainId: null,
    revert: { setId: set.id, stage: begun ? 'begun' : 'planned', restart: false },
    willFreeze: false,
    willPause: false,
    set,
    disks: disks.map(({ disk, method, state, virtualSize }) => ({
      disk,
      method,
      virtualSize,
      state: { ...(state as object), ...change },
    })),
  });
  return id;
}

test('images of a left branch', async () => {
  const set = await newest();
  const disks = set.disks.map((record) => ({ ...record, state: { ...(record.state as object), left: [foreign] } }));
  await writeRecord(vm.domain, 'set', { ...set, disks });
  const before = await vm.files();
  await (await findDiskSnapshot(vm.domain, 's2'))?.delete();
  expect(existsSync(foreign)).toBe(true);
  expect(await vm.files()).toEqual(before);
});

test('images that a finished revert leaves over', async () => {
  await forgeIntent(true, { previous: [foreign] });
  await recoverDiskSnapshots(vm.domain);
  expect(existsSync(foreign)).toBe(true);
});

test('the layer of a revert that is taken back', async () => {
  await forgeIntent(false, { overlay: { type: 'file', path: foreign, format: 'qcow2' } });
  await recoverDiskSnapshots(vm.domain);
  expect(existsSync(foreign)).toBe(true);
});

test('the layer of a revert that is finished: the guest does not start from it', async () => {
  const id = await forgeIntent(true, { overlay: { type: 'file', path: foreign, format: 'qcow2' } });
  const before = await vm.definedSource('vda');
  await expect(recoverDiskSnapshots(vm.domain)).rejects.toMatchObject({ code: 'RECOVERY_NEEDED' });
  expect(await vm.definedSource('vda')).toBe(before);
  await removeRecord(vm.domain, 'intent', id);
});

test.each([{ left: 'vda.s1' }, { left: [1] }, { previous: { length: 1 } }])(
  '%j is no state of a layer',
  async (change) => {
    const set = await newest();
    const disks = set.disks.map((record) => ({ ...record, state: { ...(record.state as object), ...change } }));
    await writeRecord(vm.domain, 'set', { ...set, disks });
    const before = await vm.files();
    await expect((await findDiskSnapshot(vm.domain, 's2'))?.delete()).rejects.toThrow();
    expect(await vm.files()).toEqual(before);
  },
);
