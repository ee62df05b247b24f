// A process that goes back to a snapshot is killed at each step, or one that deletes what was left by that: one call finishes it
// or takes it back, the guest runs again, and no image is too many or too few. The children run what `npm run build:ts` made.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { snapshotDisks } from '../../lib/disk-snapshot/create';
import { findDiskSnapshot } from '../../lib/disk-snapshot/list';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { recoverDiskSnapshots } from '../../lib/disk-snapshot/recover';
import type { Connection } from '../../lib/libvirt';
import { PrivateLibvirtd } from '../../lib/testing';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { BareDomain, expectPattern, qemuImg } from './bare-domain';

jest.setTimeout(60_000);

let daemon: PrivateLibvirtd;
let conn: Connection;
let directory: string;
let vm: BareDomain;

beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
  conn = await daemon.connect();
});
afterAll(async () => {
  await conn?.close();
  await daemon?.close();
});
beforeEach(async () => {
  directory = await temporaryDirectory('revert-killed');
  vm = await BareDomain.define(conn, join(directory, 'vm'));
  await vm.layers(1); // s1: empty; since then 1 at 1 MiB
  await vm.domain.create();
});
afterEach(async () => {
  await vm.remove();
  await rm(directory, { recursive: true });
});

async function killedAt(point: string, snapshot = 's1'): Promise<void> {
  const child = spawn(process.execPath, ['-e', CHILD, daemon.uri, vm.domain.getName(), point, snapshot], {
    cwd: join(__dirname, '..', '..'),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
}
const CHILD = `
  const { connect, findDiskSnapshot } = require('./dist');
  require('./dist/disk-snapshot/fault-point').installFaultHook((point) => {
    if (point === process.argv[3]) process.kill(process.pid, 'SIGKILL');
  });
  (async () => {
    const conn = await connect(process.argv[1]);
    const set = await findDiskSnapshot(await conn.domainLookupByName(process.argv[2]), process.argv[4]);
    await (process.argv[3].startsWith('delete') ? set.delete() : set.revert({ force: true }));
  })();
`;

const take = (name: string) => snapshotDisks(vm.domain, { name, quiesce: 'never' });
async function find(name: string) {
  const set = await findDiskSnapshot(vm.domain, name);
  if (set === null) throw new Error(`no snapshot ${name}`);
  return set;
}

test.each([
  ['revert.recorded', 'undone'],
  ['revert.layer-made', 'undone'],
  ['revert.guest-off', 'undone'],
  ['revert.begun', 'finished'],
  ['revert.defined', 'finished'],
  ['revert.written', 'finished'],
  ['revert.cleaned', 'finished'],
  ['revert.restarted', 'finished'],
] as const)('at %s: %s', async (point, came) => {
  const files = await vm.files();
  await killedAt(point);
  expect(await recoverDiskSnapshots(vm.domain)).toMatchObject({ finished: [], undone: [], [came]: ['s1'] });

  expect(await vm.domain.isActive()).toBe(true);
  await vm.domain.destroy();
  const top = await vm.definedSource('vda');
  await expectPattern(top, came === 'undone' ? 1 : 0, 1, 1);
  expect(await qemuImg('check', top)).toContain('No errors were found');
  expect(await vm.files()).toHaveLength(files.length);
  expect(await readJournal(vm.domain)).toMatchObject({ intents: [], claims: [], damaged: [] });
  expect((await findDiskSnapshot(vm.domain, 's1'))?.disks[0]?.state).toBe('present');
});

test('back to a branch whose layers were deleted: undone, though its record still names one as the new layer is named', async () => {
  await vm.domain.destroy();
  await (await find('s1')).delete();
  await take('s0');
  await take('s1');
  await (await find('s1')).revert();
  const again = await vm.definedSource('vda');
  await take('s2');
  await (await find('s0')).revert();
  await (await find('s2')).delete();
  await vm.domain.create();
  const before = await vm.files();
  expect(before).not.toContain(basename(again));

  await killedAt('revert.layer-made');
  expect(await vm.files()).toContain(basename(again));
  expect(await recoverDiskSnapshots(vm.domain)).toMatchObject({ finished: [], undone: ['s1'] });
  expect(await vm.files()).toEqual(before);
  expect(await vm.domain.isActive()).toBe(true);
});

test('a deletion on a branch that the guest has left: it is missing, no new layer takes its place, and one call ends it', async () => {
  await vm.domain.destroy();
  await (await find('s1')).revert();
  const image = await vm.definedSource('vda');
  await take('s2');
  await (await find('s1')).revert();
  await killedAt('delete.file-removed', 's2');
  expect(await vm.files()).not.toContain(basename(image));

  const left = await find('s2');
  expect(left.disks.map(({ state }) => state)).toEqual(['missing']);
  await expect(left.revert()).rejects.toMatchObject({ code: 'NOT_FOUND', outcome: 'unchanged' });
  await (await find('s1')).revert();
  expect(await vm.definedSource('vda')).not.toBe(image);
  await expect(left.read('vda').toArray()).rejects.toMatchObject({ code: 'NOT_FOUND', outcome: 'unchanged' });

  expect(await recoverDiskSnapshots(vm.domain)).toMatchObject({ finished: ['s2'], undone: [] });
  expect(await findDiskSnapshot(vm.domain, 's2')).toBeNull();
  expect(await vm.files()).toEqual(['vda.qcow2', basename(await vm.definedSource('vda'))].sort());
});
