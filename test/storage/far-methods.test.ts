// The methods of this machine's storage as a manager on another host has them: over the network, through libvirt's API alone. Of
// a real guest, in each of its states; and whatever fails, all is as it was. The storage's own tools judge, on its host.
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  type DiskSnapshot,
  type DiskSnapshotSet,
  findDiskSnapshot,
  listDiskSnapshots,
  planSnapshot,
  recoverDiskSnapshots,
  snapshotDisks,
} from '../../lib';
import { type FaultPoint, installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { readFileFromImage, verifyConsistency } from '../../lib/testing';
import { FREEZE_HOOK } from '../../lib/testing/guest-scripts';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { cell, type Operation, STATES, type State } from './cells';
import { start, stop } from './ceph-guest';
import { disksOf, EveryMethod, SUBJECTS, type Subject } from './every-method';

jest.setTimeout(300_000);

const TITLES: Readonly<Record<string, string>> = {
  vda: 'qemu',
  vdc: 'rbd',
  vde: 'reflink (raw)',
  vdf: 'qemu, internal',
};
const MINE = SUBJECTS.filter(({ disk }) => disk in TITLES);
const disks = disksOf(MINE);
const titles = (state: State, shows: readonly Operation[]) =>
  MINE.map(({ disk }) => cell({ where: 'far', method: TITLES[disk] ?? '', state, shows })).join(' ');
/** Of all but the one inside an image: libvirt gives no bytes of it. */
const readTitles = (state: State) =>
  MINE.map(({ disk }) => {
    const refused = disk === 'vdf' ? ({ refused: 'METHOD_UNSUPPORTED' } as const) : {};
    return cell({ where: 'far', method: TITLES[disk] ?? '', state, shows: ['read'], ...refused });
  }).join(' ');

let lab: EveryMethod;
let copies: string;
beforeAll(async () => {
  copies = await temporaryDirectory('copies');
  lab = await EveryMethod.start(undefined, { far: true });
});
afterAll(async () => {
  await lab?.close();
  await rm(copies, { recursive: true });
});
afterEach(() => installFaultHook(null));

const folders = MINE.map(({ folder }) => folder).join(' ');
const write = (text: string) => lab.sh(`for folder in ${folders}; do echo ${text} >$folder/text; done; sync`);
const snapshotOf = (set: DiskSnapshotSet | null, { disk }: Subject) =>
  set?.disks.find((one) => one.disk === disk) as DiskSnapshot;
const copyOf = ({ disk }: Subject) => join(copies, `${disk}.raw`);
const kept = () => Promise.all(MINE.map((subject) => subject.kept(lab)));

describe.each(STATES)('%s', (state) => {
  const isFrozen = state === 'running, quiesced';
  const name = `far-${STATES.indexOf(state)}`;
  let set: DiskSnapshotSet;
  let before: string[][];

  test(`all at one instant: ${titles(state, ['create', 'list'])}`, async () => {
    await write('then');
    if (state === 'off') await stop(lab.guest);
    before = await kept();
    set = await snapshotDisks(lab.guest.domain, { disks, name, quiesce: isFrozen ? 'required' : 'never' });
    expect(set.consistency).toBe(isFrozen ? 'filesystem' : 'crash');
    for (const [at, names] of (await kept()).entries()) expect(names).toHaveLength((before[at]?.length ?? 0) + 1);
    const found = await findDiskSnapshot(lab.guest.domain, name);
    expect(found?.disks.map((disk) => disk.state)).toEqual(MINE.map(() => 'present'));
    if (state === 'off') await start(lab.guest);
  });

  test(`what arrives here is what its own tools read there: ${readTitles(state)}`, async () => {
    await write('since');
    for (const subject of MINE) {
      const snapshot = snapshotOf(set, subject);
      const copy = copyOf(subject);
      await subject.copyOut(lab, snapshot, copy);
      const isClean = state !== 'running, not quiesced';
      expect(await verifyConsistency(copy)).toMatchObject({ sound: true, clean: isClean });
      expect(await readFileFromImage(copy, '/text')).toBe('then\n');
      const bytes = snapshot.read().toArray();
      if (subject.disk === 'vdf')
        await expect(bytes).rejects.toMatchObject({ code: 'METHOD_UNSUPPORTED', disk: 'vdf' });
      else expect(Buffer.concat(await bytes).equals(await readFile(copy))).toBe(true);
    }
  });

  test(`it comes back twice: ${titles(state, ['revert', 'revert again'])}`, async () => {
    for (const text of ['later', 'latest']) {
      await write(text);
      await expect(set.revert()).rejects.toMatchObject({ code: 'GUEST_ACTIVE', outcome: 'unchanged' });
      await stop(lab.guest);
      await set.revert();
      await start(lab.guest);
      expect(await lab.sh(`for folder in ${folders}; do cat $folder/text; done`)).toBe('then\n'.repeat(MINE.length));
      for (const subject of MINE) {
        const again = `${copyOf(subject)}.again`;
        await subject.copyOut(lab, snapshotOf(set, subject), again);
        expect((await readFile(again)).equals(await readFile(copyOf(subject)))).toBe(true);
        await rm(again);
      }
    }
  });

  test(`deleted beneath the running guest, twice: ${titles(state, ['delete'])}`, async () => {
    await write('now');
    await set.delete();
    await set.delete();
    expect(await kept()).toEqual(before);
    expect(await lab.sh(`for folder in ${folders}; do cat $folder/text; done`)).toBe('now\n'.repeat(MINE.length));
    expect(await readJournal(lab.guest.domain)).toMatchObject({ sets: [], intents: [], claims: [], damaged: [] });
    expect((await lab.everything()).pools).toEqual([]);
  });
});

describe('where a step fails', () => {
  async function expectTakenBack(
    struck: { at: FaultPoint; strike(): unknown; mend?(): unknown; signal?: AbortSignal },
    expected: object,
  ): Promise<void> {
    const before = await lab.everything();
    let hits = 0;
    installFaultHook(async (point) => {
      if (point === struck.at && hits++ === 0) await struck.strike();
    });
    const options = {
      disks,
      name: 'undone',
      quiesce: 'required',
      ...(struck.signal && { signal: struck.signal }),
    } as const;
    const error = await snapshotDisks(lab.guest.domain, options).catch((e) => e);
    installFaultHook(null);
    await struck.mend?.();
    expect(hits).toBeGreaterThan(0);
    expect(error).toMatchObject(expected);
    expect(await lab.everything()).toEqual(before);
    expect(await readJournal(lab.guest.domain)).toMatchObject({ sets: [], intents: [], claims: [], damaged: [] });
    expect(await recoverDiskSnapshots(lab.guest.domain)).toMatchObject({ finished: [], undone: [] });
  }
  const stem = (disk: string) => basename(lab.guest.image(disk)).replace(/\.[^.]*$/, '');
  const overlay = () => join(lab.guest.directory, `${stem('vda')}.undone`);
  const clone = () => join(dirname(lab.guest.image('vde')), `${stem('vde')}.undone`);

  test.each<FaultPoint>([
    'claim.written',
    'snapshot.recorded',
    'snapshot.layer-made',
    'snapshot.prepared',
    'guard.armed',
    'freeze.sent',
    'freeze.held',
    'snapshot.methods-cut',
  ])('aborted by the caller at %s', async (at) => {
    const controller = new AbortController();
    const strike = () => controller.abort(new Error('enough'));
    await expectTakenBack({ at, strike, signal: controller.signal }, { message: 'enough' });
  });

  test.each([
    ['qemu', overlay],
    ['reflink', clone],
  ])('%s: somebody takes its place before it is prepared, and theirs is not touched', async (_, place) => {
    const struck = { strike: () => writeFile(place(), 'theirs'), mend: () => rm(place()) };
    await expectTakenBack({ at: 'snapshot.recorded', ...struck }, { code: 'FILE_EXISTS', outcome: 'undone' });
  });

  test('reflink: the place is taken between its attempt and the cut, and theirs is not touched', async () => {
    const struck = { strike: () => writeFile(clone(), 'theirs'), mend: () => rm(clone()) };
    await expectTakenBack({ at: 'freeze.held', ...struck }, { code: 'FILE_EXISTS', outcome: 'undone' });
  });

  test('reflink: the image cannot be cloned', async () => {
    const image = lab.guest.image('vde');
    const struck = { strike: () => rename(image, `${image}.hidden`), mend: () => rename(`${image}.hidden`, image) };
    await expectTakenBack({ at: 'freeze.held', ...struck }, { outcome: 'undone', disk: 'vde' });
  });

  test('rbd: the cluster makes no snapshot; that inside the qcow2, of the same transaction, goes too', async () => {
    const snap = (...args: string[]) => lab.ceph.rbd('snap', ...args);
    await snap('create', '--no-progress', `${lab.rbdImage}@foreign`);
    const struck = {
      strike: () => snap('limit', 'set', '--limit', '1', lab.rbdImage),
      mend: () => snap('limit', 'clear', lab.rbdImage),
    };
    await expectTakenBack({ at: 'freeze.held', ...struck }, { outcome: 'undone' });
    await snap('rm', '--no-progress', `${lab.rbdImage}@foreign`);
  });

  test('qemu: its transaction fails when all others have cut', async () => {
    await expectTakenBack({ at: 'snapshot.methods-cut', strike: () => rm(overlay()) }, { outcome: 'undone' });
  });

  test('the guest does not freeze', async () => {
    const hook = (exitCode: number) => lab.sh(`printf '#!/bin/sh\\nexit ${exitCode}\\n' >${FREEZE_HOOK}`);
    const struck = { strike: () => hook(1), mend: () => hook(0) };
    await expectTakenBack({ at: 'snapshot.prepared', ...struck }, { code: 'QUIESCE_UNAVAILABLE', outcome: 'undone' });
  });
});

test('a clone in another folder is refused in words, also where a file of the same name lies there', async () => {
  const image = lab.guest.image('vde');
  const elsewhere = lab.array;
  const decoy = join(elsewhere, basename(image));
  await writeFile(decoy, 'another image');
  const before = await lab.everything();
  const disks = { vde: { method: 'reflink', source: join(elsewhere, 'clone') } } as const;
  const refused = { code: 'METHOD_UNSUPPORTED', disk: 'vde', message: expect.stringContaining(dirname(image)) };
  expect((await planSnapshot(lab.guest.domain, { disks })).problems).toMatchObject([refused]);
  await expect(snapshotDisks(lab.guest.domain, { disks })).rejects.toMatchObject({ ...refused, outcome: 'unchanged' });
  expect(await lab.everything()).toEqual(before);
  expect(await listDiskSnapshots(lab.guest.domain)).toEqual([]);
  await rm(decoy);
});
