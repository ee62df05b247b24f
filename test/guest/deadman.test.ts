// The host is out of reach as a whole: libvirtd hangs, and the guard with it. The guest helps itself, and nobody says afterwards
// that the freeze held.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { type Connection, listDiskSnapshots, snapshotDisks } from '../../lib';
import { installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { PrivateLibvirtd, startWriter, TestGuest } from '../../lib/testing';

jest.setTimeout(180_000);
/** The deadman wakes after the freeze's limit and 5 s more. */
const MAX_FREEZE_MS = 1_000;
const WAKES_MS = 6_000;
const OUTAGE_MS = 11_000;

let daemon: PrivateLibvirtd;
let connection: Connection;
let guest: TestGuest;
beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
  connection = await daemon.connect();
  guest = await TestGuest.boot({ connection, disks: 2, restorable: false });
});
afterEach(() => installFaultHook(null));
afterAll(async () => {
  await guest?.close();
  await connection?.close();
  await daemon?.close();
});

async function guardsOfOurs(): Promise<number[]> {
  const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8');
  const pids = children.split(' ').filter(Boolean);
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, i) => lines[i]?.includes(join('disk-snapshot', 'guard'))).map(Number);
}
const sleepers = async () => {
  const { stdout } = await guest.exec(['ps', '-o', 'args']);
  return stdout.split('\n').filter((line) => /^(sleep \d+|.*fsfreeze --unfreeze)/.test(line));
};

test('it waits in the guest while a freeze is on, and has gone afterwards', async () => {
  const before = await sleepers();
  let during: string[] = [];
  installFaultHook(async (point) => {
    if (point === 'guard.armed') during = await sleepers();
  });
  const set = await snapshotDisks(guest.domain, { quiesce: 'required', deadman: true });
  expect(set.consistency).toBe('filesystem');
  expect(during.filter((line) => line.includes('/mnt/a'))).toHaveLength(1);
  expect(during.filter((line) => line.includes('/mnt/b'))).toHaveLength(1);
  expect(await sleepers()).toEqual(before);
  await set.delete();
});

test('the host hangs: the guest thaws itself, and the snapshot fails as one that did not stay frozen', async () => {
  const writer = await startWriter(guest);
  await writer.mark();
  installFaultHook(async (point) => {
    if (point !== 'freeze.held') return;
    const guards = await guardsOfOurs();
    daemon.suspend();
    for (const pid of guards) process.kill(pid, 'SIGSTOP');
    await delay(OUTAGE_MS);
    daemon.resume();
    for (const pid of guards) process.kill(pid, 'SIGCONT');
  });
  const failed = snapshotDisks(guest.domain, { quiesce: 'required', deadman: true, maxFreezeMs: MAX_FREEZE_MS });
  await expect(failed).rejects.toMatchObject({ code: 'FREEZE_BUDGET_EXCEEDED', outcome: 'undone' });
  const gap = await writer.largestGapMs();
  expect(gap).toBeGreaterThan(WAKES_MS - 1_500);
  expect(gap).toBeLessThan(OUTAGE_MS - 2_000);
  expect(await listDiskSnapshots(guest.domain)).toEqual([]);
  expect((await readdir(guest.directory)).filter((name) => name.includes('.20'))).toEqual([]);
});
