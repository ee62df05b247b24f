// Disks of different methods, cut at one instant or not at all: an overlay, clones of real btrfs and XFS, and a plug-in.
import { execFile } from 'node:child_process';
import { copyFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  type DiskSnapshotSet,
  listDiskSnapshots,
  planSnapshot,
  registerSnapshotMethod,
  type SnapshotMethod,
  snapshotDisks,
} from '../../lib';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { readFileFromImage, startInstantWriter, TestGuest, verifyConsistency } from '../../lib/testing';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { Mounted } from './mounted';

const exec = promisify(execFile);
jest.setTimeout(300_000);

/** A vendor's method in small: its storage is a folder, and each step can be made to fail. */
class FolderMethod implements SnapshotMethod<{ folder: string }, { file: string }> {
  readonly method = 'folder';
  readonly interfaceVersion = 1;
  readonly needs = 'frozen';
  failing: 'prepare' | 'cut' | null = null;
  parse(): { folder: string } {
    throw new TypeError('<folder> is missing');
  }
  async plan(c: { data: { folder: string }; name: string }) {
    return { problems: [], creates: [join(c.data.folder, c.name)], bytes: 0 };
  }
  async prepare(c: { data: { folder: string }; name: string }) {
    if (this.failing === 'prepare') throw new Error('prepare failed on purpose');
    return { file: join(c.data.folder, c.name) };
  }
  async cut(c: { disk: { sourcePath: string | null }; state: { file: string } }) {
    await copyFile(c.disk.sourcePath ?? '', c.state.file);
    if (this.failing === 'cut') throw new Error('cut failed on purpose');
    return c.state;
  }
  undo = (c: { state: { file: string } }) => rm(c.state.file, { force: true });
  delete = (c: { state: { file: string } }) => rm(c.state.file, { force: true });
  async exists(c: { state: { file: string } }) {
    return exec('test', ['-e', c.state.file]).then(
      () => true,
      () => false,
    );
  }
  async revert(): Promise<void> {
    throw new Error('not in this test');
  }
  async backupSource(c: { state: { file: string } }) {
    return { source: `<source file='${c.state.file}'/>`, format: 'qcow2', modifiedDisk: null };
  }
}

describe('four disks by four methods', () => {
  let root: string;
  let btrfs: Mounted;
  let xfs: Mounted;
  let guest: TestGuest;
  let registration: Disposable;
  const plugin = new FolderMethod();
  const disks = () => ({ vda: 'qemu', vdb: 'btrfs', vdc: 'reflink', vdd: { method: 'folder', folder: root } });

  beforeAll(async () => {
    root = await temporaryDirectory('methods');
    btrfs = await Mounted.make('btrfs', root);
    xfs = await Mounted.make('xfs', root);
    registration = registerSnapshotMethod(plugin);
    guest = await TestGuest.boot({
      disks: [{}, { directory: btrfs.directory }, { directory: xfs.directory, format: 'raw' }, {}],
      restorable: false,
    });
  });
  afterAll(async () => {
    await guest?.close();
    registration?.[Symbol.dispose]();
    await btrfs?.close();
    await xfs?.close();
    await rm(root, { recursive: true });
  });
  afterEach(async () => {
    plugin.failing = null;
    for (const set of await listDiskSnapshots(guest.domain)) await set.delete();
  });

  const fileOf = (set: DiskSnapshotSet, disk: string) =>
    /file=['"]([^'"]+)/.exec(set.disks.find((d) => d.disk === disk)?.backupSource ?? '')?.[1] ?? '';
  const files = async () => ({
    root: (await readdir(root)).sort(),
    btrfs: (await readdir(btrfs.directory)).sort(),
    xfs: (await readdir(xfs.directory)).sort(),
    guest: (await readdir(guest.directory)).sort(),
  });
  const folders: Record<string, string> = { vda: 'a', vdb: 'b', vdc: 'c', vdd: 'd' };

  /** The numbers that the guest wrote to its disks in turn, as each cut has them. */
  async function instant(set: DiskSnapshotSet): Promise<number[]> {
    const numbers: number[] = [];
    for (const disk of Object.keys(folders)) {
      const text = await readFileFromImage(fileOf(set, disk), '/instant');
      numbers.push(Number(text.trim().split('\n').at(-1)));
    }
    return numbers;
  }
  const expectOneInstant = (numbers: number[]) => {
    expect(Math.max(...numbers) - Math.min(...numbers)).toBeLessThanOrEqual(1);
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a)); // the first is written first
  };

  test('quiesced: frozen, one instant, each clean; deleted again', async () => {
    const before = await files();
    const directories = Object.values(folders).map((f) => `/mnt/${f}`);
    const writer = await startInstantWriter(guest, { directories });
    const set = await snapshotDisks(guest.domain, { disks: disks(), quiesce: 'required', name: 'mixed' });
    expect(set).toMatchObject({ consistency: 'filesystem', pausedMs: 0 });
    expect(set.disks.map((d) => [d.disk, d.method])).toEqual([
      ['vda', 'qemu'],
      ['vdb', 'btrfs'],
      ['vdc', 'reflink'],
      ['vdd', 'folder'],
    ]);
    for (const disk of Object.keys(folders)) {
      expect(await verifyConsistency(fileOf(set, disk))).toMatchObject({ clean: true, needsRecovery: false });
    }
    expectOneInstant(await instant(set));
    await writer.stop();
    const [listed] = await listDiskSnapshots(guest.domain);
    expect(listed?.disks.map((d) => d.state)).toEqual(['present', 'present', 'present', 'present']);
    await set.delete();
    expect(await files()).toEqual(before);
    expect(await listDiskSnapshots(guest.domain)).toEqual([]);
  });

  test('not quiesced: paused for the moment of the cuts, one instant', async () => {
    const directories = Object.values(folders).map((f) => `/mnt/${f}`);
    const writer = await startInstantWriter(guest, { directories });
    const plan = await planSnapshot(guest.domain, { disks: disks(), quiesce: 'never' });
    expect(plan).toMatchObject({ ok: true, willPause: true, willFreeze: false, consistency: 'crash' });
    const set = await snapshotDisks(guest.domain, { disks: disks(), quiesce: 'never' });
    expect(set).toMatchObject({ consistency: 'crash', frozenMs: 0 });
    expect(set.pausedMs).toBeGreaterThan(0);
    expect((await guest.domain.getState()).state).toBe(1);
    expectOneInstant(await instant(set));
    for (const disk of Object.keys(folders)) {
      expect(await verifyConsistency(fileOf(set, disk))).toMatchObject({ needsRecovery: true, sound: true });
    }
    await writer.stop();
  });

  test.each(['prepare', 'cut'] as const)(
    'where the plug-in fails in %s, nothing is left of any of them',
    async (step) => {
      const before = { files: await files(), xml: await guest.domain.getXMLDesc() };
      plugin.failing = step;
      await expect(snapshotDisks(guest.domain, { disks: disks() })).rejects.toThrow('on purpose');
      expect({ files: await files(), xml: await guest.domain.getXMLDesc() }).toEqual(before);
      expect(await readJournal(guest.domain)).toMatchObject({ sets: [], intents: [], claims: [] });
      const answer = await guest.domain.qemuAgentCommand('{"execute":"guest-fsfreeze-status"}', 5);
      expect(JSON.parse(answer)).toEqual({ return: 'thawed' });
    },
  );

  test('pause: false with a method that needs it is refused in words', async () => {
    await expect(
      snapshotDisks(guest.domain, { disks: { vdb: 'btrfs' }, quiesce: 'never', pause: false }),
    ).rejects.toMatchObject({ code: 'METHOD_UNSUPPORTED', outcome: 'unchanged', disk: 'vdb' });
  });

  test('the wrong file system, and a folder on another one, are refused in words', async () => {
    const attempts = [
      { disks: { vdb: 'reflink' }, says: 'XFS' },
      { disks: { vda: 'btrfs' }, says: 'btrfs' },
      { disks: { vdb: { method: 'btrfs', source: join(root, 'elsewhere') } }, says: 'different file systems' },
    ];
    for (const { disks: wanted, says } of attempts) {
      const error = await snapshotDisks(guest.domain, { disks: wanted }).catch((e) => e);
      expect(error).toMatchObject({ code: 'METHOD_UNSUPPORTED', outcome: 'unchanged' });
      expect(error.message).toContain(says);
    }
  });
});
