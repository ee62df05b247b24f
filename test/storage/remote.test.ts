// A guest on a libvirt host that is another machine: a logical volume, a qcow2 image and a raw image on btrfs, cut at
// one instant through libvirt's API alone. The host's own tools judge.
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  type DiskSnapshotError,
  type DiskSnapshotSet,
  DomainState,
  listDiskSnapshots,
  planSnapshot,
  recoverDiskSnapshots,
  snapshotDisks,
} from '../../lib';
import { installFaultHook } from '../../lib/disk-snapshot/fault-point';
import type { Connection } from '../../lib/libvirt';
import { type GuestWriter, startInstantWriter } from '../../lib/testing/guest-writers';
import { readDomain } from '../../lib/xml/domain';
import { cell, type Operation, type State } from './cells';
import { everythingOn } from './lvm-host/everything';
import { type HostDisk, HostGuest, imageFile, logicalVolume } from './lvm-host/guest';
import { logicalPool } from './lvm-host/pool';
import { VOLUME_GROUP, VOLUMES } from './lvm-host/scripts';
import { type HostVerdict, verdictOn } from './lvm-host/verdict';
import { VirtualHost } from './lvm-host/virtual-host';

jest.setTimeout(600_000);

/** Everything takes its time in an emulated machine in an emulated machine: that it is short is shown elsewhere. */
const maxFreezeMs = 120_000;
const MOUNTPOINTS: Readonly<Record<string, string>> = { vda: '/mnt/a', vdb: '/mnt/b', vdc: '/mnt/c' };
const METHOD_OF = { vda: 'lvm', vdb: 'qemu', vdc: 'btrfs' } as const;

const there = { where: 'remote' } as const;
const METHODS = ['lvm', 'qemu', 'btrfs (raw)'];
const off = (method: string, shows: readonly Operation[]) => cell({ ...there, method, state: 'off', shows });

let host: VirtualHost;
let connection: Connection;
let guest: HostGuest;
let before: string[];

beforeAll(async () => {
  host = await VirtualHost.boot();
  connection = await host.connect();
  await logicalPool(connection);
  const disks: HostDisk[] = [
    await logicalVolume(host, 'a'),
    await imageFile(host, '/images/b.qcow2', 'qcow2'),
    await imageFile(host, '/btrfs/c.img', 'raw'),
  ];
  guest = await HostGuest.define(host, connection, disks);
  before = await everything();
});
afterAll(async () => {
  await guest?.close();
  await connection?.close();
  await host?.close();
});
afterEach(async () => {
  for (const set of await listDiskSnapshots(guest.domain)) await set.delete();
  expect(await everything()).toEqual(before);
});

const everything = () => everythingOn(host, connection);

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: DiskSnapshotError) => error,
  );
const sourceOf = (set: DiskSnapshotSet, disk: string) =>
  /(?:file|dev)=['"]([^'"]+)/.exec(set.disks.find((one) => one.disk === disk)?.backupSource ?? '')?.[1] ?? '';

async function verdicts(set: DiskSnapshotSet, ...files: string[]): Promise<HostVerdict[]> {
  const found: HostVerdict[] = [];
  for (const { disk, format } of set.disks) {
    found.push(await verdictOn(host, { source: sourceOf(set, disk), format }, files));
  }
  return found;
}

/** By target: the checksum of what a disk held. */
type Content = Readonly<Record<string, string>>;

/** As qemu-img over there reads it. */
async function checksumOf(source: string, format: string): Promise<string> {
  const copy = '/tmp/content.raw';
  await host.run('qemu-img', 'convert', '-U', '-f', format, '-O', 'raw', source, copy);
  return (await host.run('sha256sum', copy)).split(' ')[0] ?? '';
}
async function contentOf(set: DiskSnapshotSet): Promise<Content> {
  const found: Record<string, string> = {};
  for (const { disk, format } of set.disks) found[disk] = await checksumOf(sourceOf(set, disk), format);
  return found;
}
/** As it arrives here. */
async function readOut(set: DiskSnapshotSet): Promise<Content> {
  const found: Record<string, string> = {};
  for (const { disk } of set.disks) {
    const digest = createHash('sha256');
    for await (const chunk of set.read(disk)) digest.update(chunk);
    found[disk] = digest.digest('hex');
  }
  return found;
}
const disksNow = async () => readDomain(await guest.domain.getXMLDesc()).disks;

/** After something else was written to every disk. */
async function expectComesBack(set: DiskSnapshotSet, cut: Content, byte: number): Promise<void> {
  for (const { sourcePath, format } of await disksNow()) {
    const write = `write -P ${byte} 20M 64k`;
    await host.run('qemu-io', '-f', format ?? 'raw', '-c', write, sourcePath ?? '');
  }
  await set.revert();
  const now: Record<string, string> = {};
  for (const { target, sourcePath, format } of await disksNow()) {
    now[target] = await checksumOf(sourcePath ?? '', format ?? 'raw');
  }
  expect(now).toEqual(cut);
  expect(await contentOf(set)).toEqual(cut);
}

const states = async () => (await listDiskSnapshots(guest.domain)).map(({ disks }) => disks.map(({ state }) => state));

describe('the guest is off', () => {
  test('each disk has its method, and the plan touches nothing', async () => {
    const plan = await planSnapshot(guest.domain, { name: 'p', disks: { vda: 'lvm', vdb: 'qemu', vdc: 'btrfs' } });
    expect(plan).toMatchObject({ ok: true, problems: [], consistency: 'crash' });
    expect(plan.disks.flatMap(({ creates }) => creates)).toEqual([`${VOLUMES}/a.p`, '/images/b.p', '/btrfs/c.p']);
    expect(await everything()).toEqual(before);
  });

  const shown = ['create', 'list', 'delete'] as const;
  test(`all at once: ${off('lvm', shown)} ${off('qemu', shown)} ${off('btrfs (raw)', shown)}`, async () => {
    const disks = { vda: 'lvm', vdb: 'qemu', vdc: 'btrfs' };
    const set = await snapshotDisks(guest.domain, { name: 'off', disks });
    expect(set.consistency).toBe('crash');
    expect(await states()).toEqual([['present', 'present', 'present']]);
    for (const verdict of await verdicts(set)) expect(verdict).toMatchObject({ clean: true, needsRecovery: false });
    const shared = await host.run('sh', '-c', 'filefrag -v /btrfs/c.off | grep -c shared');
    expect(Number(shared)).toBeGreaterThan(0);
    await set.delete();
    await host.run('qemu-img', 'check', '/images/b.qcow2');
  });

  const refused = cell({
    ...there,
    method: 'btrfs (qcow2)',
    state: 'off',
    shows: ['create'],
    refused: 'METHOD_UNSUPPORTED',
  });
  test(`libvirt clones raw images only, and only where the file system does: refused in words ${refused}`, async () => {
    const { problems } = await planSnapshot(guest.domain, { disks: { vdb: 'btrfs' } });
    expect(problems).toMatchObject([{ code: 'METHOD_UNSUPPORTED', disk: 'vdb' }]);
    expect(problems[0]?.message).toContain('raw images only');

    const other = await HostGuest.define(host, connection, [await imageFile(host, '/images/raw.img', 'raw')]);
    const error = await refusal(snapshotDisks(other.domain, { disks: { vda: 'reflink' } }));
    expect(error).toMatchObject({ code: 'METHOD_UNSUPPORTED', outcome: 'undone' });
    expect(error.message).toContain('btrfs or XFS');
    await other.close();
    await host.run('rm', '/images/raw.img');
  });

  const cells = METHODS.map((method) => off(method, ['read', 'revert', 'revert again']));
  test(`what was cut is read, and comes back twice: ${cells.join(' ')}`, async () => {
    const set = await snapshotDisks(guest.domain, { name: 'back', disks: METHOD_OF });
    const cut = await contentOf(set);
    expect(await readOut(set)).toEqual(cut);
    for (const byte of [1, 2]) await expectComesBack(set, cut, byte);
  });

  test('removed behind our back, the clone is shown as missing, and can be deleted', async () => {
    const set = await snapshotDisks(guest.domain, { name: 'gone', disks: { vdc: 'btrfs' } });
    await host.run('rm', '/btrfs/c.gone');
    expect(await states()).toEqual([['missing']]);
    await set.delete();
  });
});

describe('the guest runs', () => {
  let writer: GuestWriter;

  beforeAll(async () => {
    await guest.start();
    writer = await startInstantWriter(guest, { directories: Object.values(MOUNTPOINTS) });
  });
  afterAll(async () => {
    if (await guest.domain.isActive()) await guest.stop();
  });
  /** libvirt leaves the element behind that held the first record. */
  const xmlNow = async () => (await guest.domain.getXMLDesc()).replace(/\s*<metadata\/>/, '');
  const expectItGoesOn = async () => {
    expect((await guest.domain.getState()).state).toBe(DomainState.RUNNING);
    const answer = await guest.domain.qemuAgentCommand('{"execute":"guest-fsfreeze-status"}', 60);
    expect(JSON.parse(answer)).toEqual({ return: 'thawed' });
  };
  const expectOneInstant = (found: readonly HostVerdict[]) => {
    const numbers = found.map(({ files }) => Number(files['/instant']));
    expect(numbers[0]).toBeGreaterThan(0);
    expect(Math.max(...numbers) - Math.min(...numbers)).toBeLessThanOrEqual(1);
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a)); // the first is written first
  };
  const running = (state: State, ...shows: readonly Operation[]) =>
    METHODS.map((method) => cell({ ...there, method, state, shows })).join(' ');

  const frozen = ['running, quiesced', 'create', 'list', 'delete'] as const;
  test(`one instant, each file system clean; then deleted beneath the running guest: ${running(...frozen)}`, async () => {
    const set = await snapshotDisks(guest.domain, { name: 'cut', disks: METHOD_OF, quiesce: 'required', maxFreezeMs });
    expect(set).toMatchObject({ consistency: 'filesystem', pausedMs: 0 });
    const found = await verdicts(set, '/instant');
    for (const verdict of found) expect(verdict).toMatchObject({ clean: true, needsRecovery: false });
    expectOneInstant(found);
    expect(await states()).toEqual([['present', 'present', 'present']]);
    await set.delete();
    await expectItGoesOn();
  });

  const paused = ['running, not quiesced', 'create', 'list', 'delete'] as const;
  test(`paused for the moment of the cuts, one instant: ${running(...paused)}`, async () => {
    const set = await snapshotDisks(guest.domain, { name: 'cut', disks: METHOD_OF, quiesce: 'never' });
    expect(set).toMatchObject({ consistency: 'crash', frozenMs: 0 });
    expect(set.pausedMs).toBeGreaterThan(0);
    const found = await verdicts(set, '/instant');
    for (const verdict of found) expect(verdict).toMatchObject({ needsRecovery: true, sound: true });
    expectOneInstant(found);
    expect(await states()).toEqual([['present', 'present', 'present']]);
    await set.delete();
    await expectItGoesOn();
  });

  test('the logical volume alone, not quiesced, needs no pause: LVM cuts it at one instant', async () => {
    const set = await snapshotDisks(guest.domain, { name: 'alone', disks: ['vda'], quiesce: 'never' });
    expect(set).toMatchObject({ consistency: 'crash', pausedMs: 0 });
    expect(await verdicts(set)).toMatchObject([{ needsRecovery: true, sound: true }]);
  });

  // Each fails where its own storage fails it: the volume group and the btrfs before the cut, QEMU in it.
  test.each<[step: string, code: string, break_: string[], mend: string[]]>([
    [
      'no room for the logical volume',
      'NO_SPACE',
      ['lvcreate', '--yes', '--name', 'ballast', '--extents', '100%FREE', VOLUME_GROUP],
      ['lvremove', '--yes', `${VOLUME_GROUP}/ballast`],
    ],
    [
      'a btrfs where nothing new can be made',
      'METHOD_UNSUPPORTED',
      ['chattr', '+i', '/btrfs'],
      ['chattr', '-i', '/btrfs'],
    ],
  ])('%s: all is as before', async (_step, code, break_, mend) => {
    const xml = await xmlNow();
    await host.run(...break_);
    const error = await refusal(snapshotDisks(guest.domain, { disks: METHOD_OF }));
    await host.run(...mend);
    expect(error).toMatchObject({ code });
    expect(['unchanged', 'undone']).toContain(error.outcome);
    expect(await everything()).toEqual(before);
    expect(await xmlNow()).toBe(xml);
    expect(await recoverDiskSnapshots(guest.domain)).toMatchObject({ finished: [], undone: [] });
    await expectItGoesOn();
  });

  test('where QEMU refuses its transaction, the others are taken back', async () => {
    const xml = await xmlNow();
    // Between the overlay and the cut, somebody takes it away.
    installFaultHook(async (point) => {
      if (point === 'snapshot.methods-cut') await host.run('rm', '/images/b.late');
    });
    const error = await refusal(snapshotDisks(guest.domain, { name: 'late', disks: METHOD_OF })).finally(() =>
      installFaultHook(null),
    );
    expect(error.outcome).toBe('undone');
    expect(await everything()).toEqual(before);
    expect(await xmlNow()).toBe(xml);
    await expectItGoesOn();
  });

  const back = ['read', 'revert', 'revert again'] as const;
  const titles = [running('running, quiesced', ...back), running('running, not quiesced', ...back)];
  test(`what was cut while it ran is read, and comes back twice once it is off: ${titles.join(' ')}`, async () => {
    const options = { disks: METHOD_OF, maxFreezeMs };
    const frozen = await snapshotDisks(guest.domain, { ...options, name: 'frozen', quiesce: 'required' });
    const paused = await snapshotDisks(guest.domain, { ...options, name: 'paused', quiesce: 'never' });
    const cuts: Content[] = [];
    for (const set of [frozen, paused]) {
      cuts.push(await contentOf(set));
      expect(await readOut(set)).toEqual(cuts.at(-1));
      expect(await refusal(set.revert())).toMatchObject({ code: 'GUEST_ACTIVE', outcome: 'unchanged' });
    }
    await writer.stop();
    const { stdout } = await guest.exec(['sh', '-c', 'cat /mnt/?/instant']);
    expect(new Set(stdout.trim().split('\n')).size).toBeLessThanOrEqual(2);
    await guest.stop();
    for (const [at, set] of [frozen, paused].entries()) {
      for (const byte of [1, 2]) await expectComesBack(set, cuts[at] as Content, byte);
    }
  });
});
