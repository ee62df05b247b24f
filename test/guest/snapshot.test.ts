// The main job on a real guest: disks cut at one instant, quiesced or not; what stays behind, judged from outside.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  type DiskSnapshot,
  DiskSnapshotFlags,
  type DiskSnapshotSet,
  diskSnapshotCreate,
  findDiskSnapshot,
  listDiskSnapshots,
  planSnapshot,
  quiesceStorage,
  snapshotDisks,
} from '../../lib';
import { readFileFromImage, startInstantWriter, TestGuest, verifyConsistency } from '../../lib/testing';
import { readDomain } from '../../lib/xml/domain';

const exec = promisify(execFile);
jest.setTimeout(180_000);

/** The file that a `<source>` names. */
function fileOf(snapshot: DiskSnapshot): string {
  const path = /file='([^']+)'|file="([^"]+)"/.exec(snapshot.backupSource ?? '');
  return path?.[1] ?? path?.[2] ?? '';
}
async function imageInfo(path: string): Promise<Record<string, unknown>> {
  const { stdout } = await exec('qemu-img', ['info', '-U', '--output=json', path]);
  return JSON.parse(stdout) as Record<string, unknown>;
}
async function sources(guest: TestGuest): Promise<Record<string, string | null>> {
  const { disks } = readDomain(await guest.domain.getXMLDesc());
  return Object.fromEntries(disks.map((d) => [d.target, d.sourcePath]));
}
async function frozenStatus(guest: TestGuest): Promise<unknown> {
  const answer = await guest.domain.qemuAgentCommand('{"execute":"guest-fsfreeze-status"}', 5);
  return (JSON.parse(answer) as { return: unknown }).return;
}

describe('a running guest with two disks', () => {
  let guest: TestGuest;
  beforeAll(async () => {
    guest = await TestGuest.boot({ disks: 2 });
  });
  afterAll(() => guest.close());
  afterEach(async () => {
    for (const set of await listDiskSnapshots(guest.domain)) await set.delete();
    expect(await frozenStatus(guest)).toBe('thawed');
  });

  /** What both disks hold of the guest's numbers, in the cut. */
  async function instant(set: DiskSnapshotSet): Promise<number> {
    const numbers: number[] = [];
    for (const disk of set.disks) {
      const folder = disk.disk === 'vda' ? 'a' : 'b';
      const lines = (await readFileFromImage(fileOf(disk), `/instant`)).trim();
      expect({ folder, lines }).toMatchObject({ lines: expect.stringMatching(/^\d+$/m) });
      numbers.push(Number(lines.split('\n').at(-1)));
    }
    return (numbers[0] ?? Number.NaN) - (numbers[1] ?? Number.NaN);
  }

  test('quiesced, is cut at one instant, clean, ten times in a row', async () => {
    const before = await sources(guest);
    const writer = await startInstantWriter(guest);
    for (let round = 0; round < 10; round++) {
      const set = await snapshotDisks(guest.domain, { disks: ['vda', 'vdb'], quiesce: 'required' });
      expect(set).toMatchObject({ consistency: 'filesystem', pausedMs: 0 });
      expect(set.frozenMs).toBeGreaterThan(0);
      for (const disk of set.disks) {
        const verdict = await verifyConsistency(fileOf(disk));
        expect(verdict).toMatchObject({ clean: true, needsRecovery: false, sound: true });
      }
      const ahead = await instant(set);
      expect(ahead).toBeGreaterThanOrEqual(0);
      expect(ahead).toBeLessThanOrEqual(1);
      await set.delete();
      expect(await sources(guest)).toEqual(before);
    }
    await writer.stop();
  }, 600_000);

  test('not quiesced, is cut at one instant, and needs its journal', async () => {
    const writer = await startInstantWriter(guest);
    const set = await snapshotDisks(guest.domain, { quiesce: 'never' });
    expect(set).toMatchObject({ consistency: 'crash', frozenMs: 0 });
    for (const disk of set.disks) {
      expect(await verifyConsistency(fileOf(disk))).toMatchObject({ needsRecovery: true, clean: false, sound: true });
    }
    const ahead = await instant(set);
    expect(ahead).toBeGreaterThanOrEqual(0);
    expect(ahead).toBeLessThanOrEqual(1);
    await writer.stop();
  });

  test('the result says what libvirt, qemu-img and the files say', async () => {
    const before = await sources(guest);
    const started = Date.now();
    const set = await snapshotDisks(guest.domain, {
      name: 'truth',
      description: 'a <b> & "c"',
      labels: { job: 'nightly', ключ: '✓' },
    });
    const now = readDomain(await guest.domain.getXMLDesc()).disks;
    for (const disk of set.disks) {
      const live = now.find((d) => d.target === disk.disk);
      expect(live?.xml).toBe(disk.modifiedDisk);
      expect(live?.sourcePath).not.toBe(before[disk.disk]);
      expect(fileOf(disk)).toBe(before[disk.disk]);
      const overlay = await imageInfo(live?.sourcePath ?? '');
      expect(overlay).toMatchObject({
        format: 'qcow2',
        'virtual-size': disk.virtualSize,
        'backing-filename': fileOf(disk),
        'backing-filename-format': disk.format,
      });
      expect(await imageInfo(fileOf(disk))).toMatchObject({ format: disk.format, 'virtual-size': disk.virtualSize });
      expect(dirname(live?.sourcePath ?? '')).toBe(dirname(fileOf(disk)));
      expect(basename(live?.sourcePath ?? '')).toContain('truth');
    }
    expect(set.createdAt.getTime()).toBeGreaterThanOrEqual(started);
    expect(JSON.parse(JSON.stringify(set))).toMatchObject({
      name: 'truth',
      guest: guest.name,
      description: 'a <b> & "c"',
      labels: { job: 'nightly', ключ: '✓' },
      disks: [{ disk: 'vda', format: 'qcow2' }, { disk: 'vdb' }],
    });
  });

  test('the record is found again, and libvirt lists no snapshot of it', async () => {
    const made = await snapshotDisks(guest.domain, { name: 'kept', labels: { a: 'b' } });
    const [listed] = await listDiskSnapshots(guest.domain);
    expect(listed?.toJSON()).toEqual(made.toJSON());
    expect((await findDiskSnapshot(guest.domain, 'kept'))?.disks.map((d) => d.state)).toEqual(['present', 'present']);
    expect(await findDiskSnapshot(guest.domain, 'other')).toBeNull();
    expect(await guest.domain.listAllSnapshots()).toEqual([]);
  });

  test('one disk by its source path, with the flag of the proposal: the other is not touched', async () => {
    const before = await sources(guest);
    const path = before.vdb ?? '';
    const snapshot = await diskSnapshotCreate(guest.domain, path, { flags: DiskSnapshotFlags.QUIESCE_REQUIRED });
    expect(snapshot).toMatchObject({ disk: 'vdb', consistency: 'filesystem', method: 'qemu' });
    expect(fileOf(snapshot)).toBe(path);
    expect((await sources(guest)).vda).toBe(before.vda);
    expect(snapshot.name).toMatch(/^\d{8}T\d{6}/);
  });

  test('several calls inside one held quiesce are cuts of one instant', async () => {
    const writer = await startInstantWriter(guest);
    const frozen = await quiesceStorage(guest.domain, { disks: ['vda', 'vdb'] });
    const a = await diskSnapshotCreate(guest.domain, 'vda', { quiesce: frozen, name: 'held-a' });
    const b = await diskSnapshotCreate(guest.domain, '<disk><target dev="vdb"/></disk>', {
      quiesce: frozen,
      name: 'held-b',
    });
    expect(await frozen.unquiesce()).toMatchObject({ intact: true });
    for (const disk of [a, b]) {
      expect(disk.consistency).toBe('filesystem');
      expect(disk.set.evidence.map((e) => e.fact).join()).toContain('provisional');
      expect(await verifyConsistency(fileOf(disk))).toMatchObject({ clean: true, needsRecovery: false });
    }
    await writer.stop();
  });

  test('the plan says what the snapshot then does, and touches nothing', async () => {
    const before = await guest.domain.getXMLDesc();
    const plan = await planSnapshot(guest.domain, { name: 'planned' });
    expect(await guest.domain.getXMLDesc()).toBe(before);
    expect(plan).toMatchObject({
      ok: true,
      problems: [],
      willFreeze: true,
      willPause: false,
      consistency: 'filesystem',
    });
    const files = plan.disks.flatMap((d) => d.creates);
    expect(files.map((f) => existsSync(f))).toEqual([false, false]);
    await snapshotDisks(guest.domain, { name: 'planned' });
    expect(Object.values(await sources(guest))).toEqual(files);
  });

  test('an abort before the cut leaves no trace', async () => {
    const before = await guest.domain.getXMLDesc();
    const controller = new AbortController();
    const reason = new Error('enough');
    const attempt = snapshotDisks(guest.domain, {
      name: 'aborted',
      signal: controller.signal,
      onProgress: ({ phase }) => {
        if (phase === 'cut') controller.abort(reason);
      },
    });
    await expect(attempt).rejects.toBe(reason);
    expect(await findDiskSnapshot(guest.domain, 'aborted')).toBeNull();
    expect(await guest.domain.getXMLDesc()).toBe(before);

    const early = new AbortController();
    await expect(
      snapshotDisks(guest.domain, {
        signal: early.signal,
        onProgress: ({ phase }) => {
          if (phase === 'quiesce') early.abort(reason);
        },
      }),
    ).rejects.toBe(reason);
    expect(await guest.domain.getXMLDesc()).toBe(before);
  });
});

describe('other disks and states', () => {
  test('a raw disk goes on in a qcow2 overlay, and its backupSource stays raw', async () => {
    await using guest = await TestGuest.boot({ disks: [{ format: 'raw' }] });
    const snapshot = await diskSnapshotCreate(guest.domain, 'vda', { quiesce: 'required' });
    expect(snapshot.format).toBe('raw');
    expect(await verifyConsistency(fileOf(snapshot))).toMatchObject({ clean: true });
    await snapshot.delete();
    expect((await sources(guest)).vda).toBe(fileOf(snapshot));
  });

  test('a block device needs a place for its overlay', async () => {
    await using guest = await TestGuest.boot({ disks: [{ type: 'block', format: 'raw' }] });
    await expect(diskSnapshotCreate(guest.domain, 'vda')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      outcome: 'unchanged',
      disk: 'vda',
    });
    const source = `${guest.directory}/over-the-device.qcow2`;
    const snapshot = await diskSnapshotCreate(guest.domain, 'vda', { method: { method: 'qemu', source } });
    expect(snapshot.backupSource).toMatch(/<source dev=.\/dev\/loop/);
    expect((await sources(guest)).vda).toBe(source);
    await snapshot.delete();
    expect(existsSync(source)).toBe(false);
  });

  test('a guest that is off is cut without being started', async () => {
    await using guest = await TestGuest.boot({ disks: 2, persistent: true, restorable: false });
    await guest.domain.destroy();
    const before = await sources(guest);
    await expect(snapshotDisks(guest.domain, { quiesce: 'required' })).rejects.toMatchObject({
      code: 'QUIESCE_UNAVAILABLE',
      outcome: 'unchanged',
    });
    const set = await snapshotDisks(guest.domain, { name: 'off' });
    expect(set).toMatchObject({ consistency: 'crash', frozenMs: 0 });
    for (const disk of set.disks) {
      expect(fileOf(disk)).toBe(before[disk.disk]);
      const overlay = (await sources(guest))[disk.disk] ?? '';
      expect(await imageInfo(overlay)).toMatchObject({ 'backing-filename': fileOf(disk) });
    }
    expect((await listDiskSnapshots(guest.domain)).map((s) => s.name)).toEqual(['off']);
    await set.delete();
    expect(await sources(guest)).toEqual(before);
  });
});
