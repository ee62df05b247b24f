// Disks of different methods, cut at one instant or not at all; and whatever fails, everything is as it was before.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { VendorArrayMethod } from '../../examples/vendor-array/index';
import {
  type DiskSnapshot,
  type DiskSnapshotSet,
  DomainState,
  diskTree,
  listDiskSnapshots,
  planSnapshot,
  type Quiesce,
  recoverDiskSnapshots,
  snapshotDisks,
} from '../../lib';
import { type FaultPoint, installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { qmp } from '../../lib/disk-snapshot/images/qmp';
import { readJournal, writeRecord } from '../../lib/disk-snapshot/records/journal';
import { readFileFromImage, startInstantWriter, verifyConsistency } from '../../lib/testing';
import { FREEZE_HOOK } from '../../lib/testing/guest-scripts';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { disksOf, EveryMethod, SUBJECTS, sourceOf } from './every-method';

jest.setTimeout(300_000);

/** A vendor's array that fails when it is told to. */
class FailingArray extends VendorArrayMethod {
  failing: 'prepare' | 'cut' | null = null;
  override async prepare(c: Parameters<VendorArrayMethod['prepare']>[0]) {
    if (this.failing === 'prepare') throw new Error('prepare failed on purpose');
    return super.prepare(c);
  }
  override async cut(c: Parameters<VendorArrayMethod['cut']>[0]) {
    const state = await super.cut(c);
    if (this.failing === 'cut') throw new Error('cut failed on purpose');
    return state;
  }
}

const vendor = new FailingArray();
let lab: EveryMethod;
let images: string;
beforeAll(async () => {
  images = await temporaryDirectory('images');
  lab = await EveryMethod.start(vendor);
});
afterAll(async () => {
  await lab?.close();
  await rm(images, { recursive: true });
});
afterEach(async () => {
  vendor.failing = null;
  installFaultHook(null);
  for (const set of await listDiskSnapshots(lab.guest.domain)) await set.delete();
});

describe.each([
  ['four', SUBJECTS.slice(0, 4)],
  ['six', SUBJECTS],
] as const)('%s disks by as many methods', (_, subjects) => {
  const disks = disksOf(subjects);

  async function copies(set: DiskSnapshotSet): Promise<string[]> {
    const made: string[] = [];
    for (const [at, subject] of subjects.entries()) {
      const snapshot = set.disks[at];
      expect(snapshot).toMatchObject({ disk: subject.disk });
      const copy = join(images, `${subject.disk}.raw`);
      if (snapshot) await subject.copyOut(lab, snapshot, copy);
      made.push(copy);
    }
    return made;
  }

  /** The numbers that the guest wrote to its disks in turn, as each cut has them. */
  async function expectOneInstant(made: readonly string[]): Promise<void> {
    const numbers: number[] = [];
    for (const image of made) numbers.push(Number((await readFileFromImage(image, '/instant')).trim()));
    expect(Math.min(...numbers)).toBeGreaterThan(0);
    expect(Math.max(...numbers) - Math.min(...numbers)).toBeLessThanOrEqual(1);
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a)); // the first is written first
  }

  async function writing<T>(work: () => Promise<T>): Promise<T> {
    const directories = subjects.map(({ folder }) => folder);
    const writer = await startInstantWriter(lab.guest, { directories });
    const last = directories.at(-1);
    await lab.sh(`until [ "$(cat ${last}/instant)" -gt 1 ]; do usleep 10000; done 2>/dev/null`);
    try {
      return await work();
    } finally {
      await writer.stop();
    }
  }

  test.each([
    ['quiesced', 'required', { consistency: 'filesystem', pausedMs: 0 }],
    ['not quiesced', 'never', { consistency: 'crash', frozenMs: 0 }],
  ] as const)('%s: one instant, and each sound; deleted again', async (__, quiesce, expected) => {
    const kept = (await lab.everything()).inside;
    const plan = await planSnapshot(lab.guest.domain, { disks, quiesce });
    const isFrozen = quiesce === 'required';
    expect(plan).toMatchObject({ ok: true, willFreeze: isFrozen, willPause: !isFrozen });
    const set = await writing(() => snapshotDisks(lab.guest.domain, { disks, quiesce, name: 'mixed' }));
    expect(set).toMatchObject(expected);
    if (!isFrozen) expect(set.pausedMs).toBeGreaterThan(0);
    expect((await lab.guest.domain.getState()).state).toBe(DomainState.RUNNING);
    const made = await copies(set);
    await expectOneInstant(made);
    for (const image of made) {
      expect(await verifyConsistency(image)).toMatchObject({ clean: isFrozen, needsRecovery: !isFrozen, sound: true });
      await rm(image);
    }
    const [listed] = await listDiskSnapshots(lab.guest.domain);
    expect(listed?.disks.map(({ state }) => state)).toEqual(subjects.map(() => 'present'));
    await set.delete();
    expect((await lab.everything()).inside).toEqual(kept);
    expect(await readJournal(lab.guest.domain)).toMatchObject({ sets: [], intents: [], claims: [], damaged: [] });
  });
});

describe('where a step fails', () => {
  const disks = disksOf(SUBJECTS);

  /** A call that is struck at a point fails as expected, and everything is as it was before. */
  async function expectTakenBack(
    struck: { at: FaultPoint; strike(): unknown; mend?(): unknown; quiesce?: Quiesce; signal?: AbortSignal },
    expected: object,
  ): Promise<void> {
    const before = await lab.everything();
    let hits = 0;
    installFaultHook(async (point) => {
      if (point === struck.at && hits++ === 0) await struck.strike();
    });
    const { quiesce = 'required', signal } = struck;
    const options = { disks, name: 'undone', quiesce, ...(signal && { signal }) };
    const error = await snapshotDisks(lab.guest.domain, options).catch((e) => e);
    installFaultHook(null);
    await struck.mend?.();
    expect(hits).toBeGreaterThan(0);
    expect(error).toMatchObject(expected);
    expect(await lab.everything()).toEqual(before);
    expect(await readJournal(lab.guest.domain)).toMatchObject({ sets: [], intents: [], claims: [], damaged: [] });
  }

  const required: FaultPoint[] = [
    'claim.written',
    'snapshot.recorded',
    'snapshot.layer-made',
    'snapshot.prepared',
    'guard.armed',
    'freeze.sent',
    'freeze.held',
    'snapshot.methods-cut',
  ];
  test.each([
    ...required.map((at) => ['required', at] as const),
    ['never', 'pause.begun'] as const,
    ['never', 'snapshot.methods-cut'] as const,
  ])('aborted by the caller, quiesce %s, at %s', async (quiesce, at) => {
    const controller = new AbortController();
    const strike = () => controller.abort(new Error('enough'));
    await expectTakenBack({ at, strike, quiesce, signal: controller.signal }, { message: 'enough' });
  });

  const overlay = () => join(lab.guest.directory, `${lab.guest.name}-vda.undone`);
  const clone = () => join(lab.btrfs.directory, `${lab.guest.name}-vdb.undone`);
  const hidden = () => `${lab.guest.image('vdb')}.hidden`;

  test.each([
    ['qemu', overlay],
    ['btrfs', clone],
  ])('%s: somebody takes its place before it is prepared, and theirs is not touched', async (_, place) => {
    const struck = { strike: () => writeFile(place(), 'theirs'), mend: () => rm(place()) };
    await expectTakenBack({ at: 'snapshot.recorded', ...struck }, { code: 'FILE_EXISTS', outcome: 'undone' });
  });

  test.each(['prepare', 'cut'] as const)('the plug-in fails in %s', async (step) => {
    const strike = () => {
      vendor.failing = step;
    };
    const says = expect.stringContaining(`method vendor-array failed in ${step}(): ${step} failed on purpose`);
    const expected = { code: 'OPERATION_FAILED', outcome: 'undone', disk: 'vdd', message: says };
    await expectTakenBack({ at: 'snapshot.recorded', strike }, expected);
  });

  test('the guest does not freeze', async () => {
    const hook = (exitCode: number) => lab.sh(`printf '#!/bin/sh\\nexit ${exitCode}\\n' >${FREEZE_HOOK}`);
    const struck = { strike: () => hook(1), mend: () => hook(0) };
    await expectTakenBack({ at: 'snapshot.prepared', ...struck }, { code: 'QUIESCE_UNAVAILABLE', outcome: 'undone' });
  });

  test('btrfs: the image cannot be cloned', async () => {
    const image = lab.guest.image('vdb');
    const struck = { strike: () => rename(image, hidden()), mend: () => rename(hidden(), image) };
    const expected = { code: 'OPERATION_FAILED', outcome: 'undone', disk: 'vdb' };
    await expectTakenBack({ at: 'freeze.held', ...struck }, expected);
  });

  test('rbd: the cluster makes no snapshot; that inside the qcow2, of the same transaction, goes too', async () => {
    const snap = (...args: string[]) => lab.ceph.rbd('snap', ...args);
    const foreign = `${lab.rbdImage}@foreign`;
    await snap('create', '--no-progress', foreign);
    const struck = {
      strike: () => snap('limit', 'set', '--limit', '1', lab.rbdImage),
      mend: () => snap('limit', 'clear', lab.rbdImage),
    };
    await expectTakenBack({ at: 'freeze.held', ...struck }, { outcome: 'undone' });
    await snap('rm', '--no-progress', foreign);
  });

  test('qemu: its transaction fails when all others have cut', async () => {
    await expectTakenBack({ at: 'snapshot.methods-cut', strike: () => rm(overlay()) }, { outcome: 'undone' });
  });
});

test('removed behind our back, by whatever tool, each is shown as missing, and can be deleted', async () => {
  const { domain, name: guest } = lab.guest;
  const before = await lab.everything();
  const set = await snapshotDisks(domain, { disks: disksOf(SUBJECTS), name: 'gone' });
  const file = (disk: string) => rm(sourceOf(set.disks.find((one) => one.disk === disk) as DiskSnapshot));
  await lab.daemon.virsh('blockcommit', guest, 'vda', '--active', '--pivot', '--wait');
  await file('vdb');
  await lab.ceph.rbd('snap', 'rm', '--no-progress', `${lab.rbdImage}@gone`);
  await file('vdd');
  await file('vde');
  const nodes = await qmp<{ 'node-name': string; file: string; drv: string }[]>(domain, 'query-named-block-nodes', {
    flat: true,
  });
  const device = nodes.find(({ file: path, drv }) => path === lab.guest.image('vdf') && drv === 'qcow2')?.['node-name'];
  await qmp(domain, 'blockdev-snapshot-delete-internal-sync', { device, name: 'gone' });

  const [listed] = await listDiskSnapshots(domain);
  expect(listed?.disks.map(({ disk, state }) => [disk, state])).toEqual(SUBJECTS.map(({ disk }) => [disk, 'missing']));
  for (const { snapshots } of (await diskTree(domain)).disks) expect(snapshots).toMatchObject([{ state: 'missing' }]);
  await listed?.delete();
  await rm(join(lab.guest.directory, `${guest}-vda.gone`), { force: true }); // virsh leaves it
  expect((await lab.everything()).inside).toEqual(before.inside);
  expect(await listDiskSnapshots(domain)).toEqual([]);
});

const dieAt = (point: FaultPoint) =>
  `require('./dist/disk-snapshot/fault-point').installFaultHook((point) => { if (point === '${point}') die(); })`;
/** Where the clone's place is taken, and that is not written down; where the overlay, the last, has just been made. */
const DEATHS = {
  'with a place for the clone': `const files = require('node:fs/promises');
  const { open } = files;
  files.open = (...args) => open(...args).then((file) => (args[1] === 'wx' ? die() : file))`,
  'between preparation and cut': dieAt('snapshot.layer-made'),
  'with a whole clone': dieAt('snapshot.methods-cut'),
};
test.each(Object.entries(DEATHS))('killed %s: what was made is taken back by recovery', async (_, death) => {
  const { domain } = lab.guest;
  const before = await lab.everything();
  const disks = { vdb: 'btrfs', vda: 'qemu' };
  const args = [
    `const die = () => process.kill(process.pid, 'SIGKILL');\n${death};\n${CHILD}`,
    lab.daemon.uri,
    domain.getName(),
    JSON.stringify(disks),
  ];
  const cwd = join(__dirname, '..', '..');
  const child = spawn(process.execPath, ['-e', ...args], { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  expect(await lab.everything()).not.toEqual(before);
  expect(await recoverDiskSnapshots(domain)).toMatchObject({ undone: ['dead'], finished: [] });
  expect(await lab.everything()).toEqual(before);
});

test('killed when the record was written, by a method alone: the snapshot stays, and only the intent goes', async () => {
  const { domain } = lab.guest;
  const args = [
    `const die = () => process.kill(process.pid, 'SIGKILL');\n${dieAt('snapshot.written')};\n${CHILD}`,
    lab.daemon.uri,
    domain.getName(),
    JSON.stringify({ vdb: 'btrfs' }),
  ];
  const child = spawn(process.execPath, ['-e', ...args], { cwd: join(__dirname, '..', '..'), stdio: 'inherit' });
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  const { sets } = await readJournal(domain);
  expect(await recoverDiskSnapshots(domain)).toMatchObject({ finished: ['dead'], undone: [] });
  expect(await readJournal(domain)).toMatchObject({ sets, intents: [], claims: [] });
  const [listed] = await listDiskSnapshots(domain);
  expect(listed?.disks.map(({ disk, state }) => [disk, state])).toEqual([['vdb', 'present']]);
});

describe('the guest refuses to freeze, and nobody requires it', () => {
  const hook = (exitCode: number) => lab.sh(`printf '#!/bin/sh\\nexit ${exitCode}\\n' >${FREEZE_HOOK}`);
  beforeAll(() => hook(1));
  afterAll(() => hook(0));

  test('it is paused instead: one instant all the same, and each sound', async () => {
    const disks = disksOf(SUBJECTS.slice(0, 4));
    expect(await planSnapshot(lab.guest.domain, { disks })).toMatchObject({ willFreeze: true, willPause: false });
    const set = await snapshotDisks(lab.guest.domain, { disks, name: 'unfrozen' });
    expect(set).toMatchObject({ consistency: 'crash', frozenMs: 0 });
    expect(set.pausedMs).toBeGreaterThan(0);
    expect((await lab.guest.domain.getState()).state).toBe(DomainState.RUNNING);
  });

  test('a clone, which needs one or the other, is not made where the caller forbids the pause', async () => {
    const before = await lab.everything();
    const options = { disks: { vdb: 'btrfs' }, pause: false } as const;
    const error = await snapshotDisks(lab.guest.domain, options).catch((e) => e);
    expect(error).toMatchObject({ code: 'METHOD_UNSUPPORTED', outcome: 'undone', disk: 'vdb' });
    expect(await lab.everything()).toEqual(before);
  });
});

test('nor is one whose layer cannot be merged', async () => {
  const { domain } = lab.guest;
  const set = await snapshotDisks(domain, { disks: { vda: 'qemu', vdb: 'btrfs' }, name: 'lower' });
  const inside = await snapshotDisks(domain, { disks: { vda: { method: 'qemu', mode: 'internal' } }, name: 'upper' });
  await expect(set.delete()).rejects.toMatchObject({ name: 'DiskSnapshotError', outcome: 'unchanged', disk: 'vda' });
  const listed = (await listDiskSnapshots(domain)).find(({ name }) => name === 'lower');
  expect(listed?.disks.map(({ state }) => state)).toEqual(['present', 'present']);
  await inside.delete();
});

test('a set of which one cannot be deleted is not deleted in part', async () => {
  const { domain } = lab.guest;
  const set = await snapshotDisks(domain, { disks: { vdb: 'btrfs', vdd: 'vendor-array' }, name: 'whole' });
  const { sets } = await readJournal(domain);
  const [record] = sets;
  const strange = sets.map((one) => ({
    ...one,
    disks: one.disks.map((disk) => (disk.disk === 'vdd' ? { ...disk, method: 'unheard-of' } : disk)),
  }));
  if (strange[0] === undefined || record === undefined) throw new Error('no record');
  await writeRecord(domain, 'set', strange[0]);
  await expect(set.delete()).rejects.toMatchObject({ code: 'METHOD_UNKNOWN', outcome: 'unchanged' });
  expect((await readJournal(domain)).sets).toEqual(strange);
  await writeRecord(domain, 'set', record);
  const [listed] = await listDiskSnapshots(domain);
  expect(listed?.disks.map(({ state }) => state)).toEqual(['present', 'present']);
});

const CHILD = `
  const { connect, snapshotDisks } = require('./dist');
  const [uri, name, disks] = process.argv.slice(1);
  (async () => {
    const domain = await (await connect(uri)).domainLookupByName(name);
    await snapshotDisks(domain, { disks: JSON.parse(disks), name: 'dead', quiesce: 'never' });
  })();
`;

describe('refused in words', () => {
  test.each([
    ['the wrong file system', { vdb: 'reflink' }, 'XFS'],
    ['no such file system', { vda: 'btrfs' }, 'btrfs'],
    ['a folder on another one', { vdb: { method: 'btrfs', source: '/clone' } }, 'different file systems'],
  ])('%s', async (_, disks, says) => {
    const error = await snapshotDisks(lab.guest.domain, { disks }).catch((e) => e);
    expect(error).toMatchObject({ code: 'METHOD_UNSUPPORTED', outcome: 'unchanged' });
    expect(error.message).toContain(says);
  });

  test('pause: false with a method that needs it', async () => {
    const options = { disks: { vdb: 'btrfs' }, quiesce: 'never', pause: false } as const;
    await expect(snapshotDisks(lab.guest.domain, options)).rejects.toMatchObject({
      code: 'METHOD_UNSUPPORTED',
      outcome: 'unchanged',
      disk: 'vdb',
    });
  });
});
