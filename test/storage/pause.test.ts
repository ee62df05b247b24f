// The pause around the cut of a clone, and others who pause and resume the same guest: what is said of it is true, and theirs
// is left to them. On real btrfs; looked at through libvirt and the folder.
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { listDiskSnapshots, snapshotDisks } from '../../lib';
import { installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { type Connection, DomainState } from '../../lib/libvirt';
import { embeddedConnection } from '../../lib/testing/embedded';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { BareDomain } from '../guest/bare-domain';
import { Mounted } from './mounted';

jest.setTimeout(60_000);

let conn: Connection;
let root: string;
let mounted: Mounted;
let vm: BareDomain;
let folder: string;
beforeAll(async () => {
  conn = await embeddedConnection();
  root = await temporaryDirectory('pause');
  mounted = await Mounted.make('btrfs', root);
  folder = join(mounted.directory, 'images');
  await mkdir(folder);
  vm = await BareDomain.define(conn, join(root, 'vm-pause'), { folder });
  await vm.domain.create();
});
afterAll(async () => {
  await vm?.remove();
  await mounted?.close();
  await rm(root, { recursive: true });
});
afterEach(async () => {
  installFaultHook(null);
  for (const set of await listDiskSnapshots(vm.domain)) await set.delete();
  expect(await readJournal(vm.domain)).toMatchObject({ sets: [], intents: [], claims: [] });
  expect(await readdir(folder)).toEqual(['vda.qcow2']);
  if ((await state()) === DomainState.PAUSED) await vm.domain.resume();
});

const state = async () => (await vm.domain.getState()).state;
const snapshot = () => snapshotDisks(vm.domain, { disks: { vda: 'btrfs' }, name: 's', quiesce: 'never' });
const at = (point: string, strike: () => Promise<unknown>) =>
  installFaultHook(async (passed) => {
    if (passed === point) await strike();
  });

test('held, it is told for how long, and the guest goes on', async () => {
  const set = await snapshot();
  expect(set).toMatchObject({ consistency: 'crash', frozenMs: 0 });
  expect(set.pausedMs).toBeGreaterThan(0);
  expect(set.evidence.map(({ fact }) => fact)).toContainEqual(expect.stringMatching(/^paused for \d+ ms/));
  expect(await state()).toBe(DomainState.RUNNING);
});

test('ended by another before the clone is made: the clone is taken back, and that is said', async () => {
  at('pause.begun', () => vm.domain.resume());
  await expect(snapshot()).rejects.toMatchObject({
    code: 'OPERATION_FAILED',
    outcome: 'undone',
    message: expect.stringContaining('somebody else has resumed it'),
  });
  expect(await state()).toBe(DomainState.RUNNING);
});

test('of another, who paused the guest after it was looked at, is not ended', async () => {
  at('snapshot.prepared', () => vm.domain.suspend());
  expect(await snapshot()).toMatchObject({ consistency: 'crash' });
  expect(await state()).toBe(DomainState.PAUSED);
});
