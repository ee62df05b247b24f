// Every method of this machine, in every state of the guest: created, listed, read, gone back to twice, and deleted. One guest
// has a disk for each; the storage's own tools and e2fsprogs judge. The titles fill the table that methods-table.mjs prints.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  type Connection,
  type DiskSnapshot,
  type DiskSnapshotSet,
  type DiskTree,
  defineDomain,
  describeDomain,
  diskTree,
  findDiskSnapshot,
  listDiskSnapshots,
  snapshotDisks,
} from '../../lib';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { PrivateLibvirtd, readFileFromImage, verifyConsistency } from '../../lib/testing';
import { run } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { qemuImg } from '../guest/bare-domain';
import { cell, type Operation, STATES } from './cells';
import { defineSecret, start, stop } from './ceph-guest';
import { disksOf, EveryMethod, SUBJECTS, type Subject, sourceOf } from './every-method';

jest.setTimeout(300_000);

let lab: EveryMethod;
/** Another client of the same host, which was not there when the snapshots were made. */
let other: Connection;
let copies: string;
beforeAll(async () => {
  copies = await temporaryDirectory('copies');
  lab = await EveryMethod.start();
  other = await lab.daemon.connect();
});
afterAll(async () => {
  await other?.close();
  await lab?.close();
  await rm(copies, { recursive: true });
});

const inGuest = (text: string, file: string) =>
  lab.sh(
    `for folder in ${SUBJECTS.map(({ folder }) => folder).join(' ')}; do echo ${text} >$folder/${file}; done; sync`,
  );
const namesIn = async ({ folder }: Subject) =>
  (await lab.sh(`cd ${folder}; ls before after 2>/dev/null || true`)).split('\n');
const copyOf = ({ disk }: Subject) => join(copies, `${disk}.raw`);

describe.each(STATES)('%s', (state) => {
  const isFrozen = state === 'running, quiesced';
  const isClean = state !== 'running, not quiesced';
  const name = `at ${state.replaceAll(/\W+/g, '-')}`;
  let set: DiskSnapshotSet;
  /** As the other client finds it. */
  let found: DiskSnapshotSet | null;
  let tree: DiskTree;
  let kept: string[][];
  const snapshotOf = (of: DiskSnapshotSet | null, { disk }: Subject): DiskSnapshot => {
    const snapshot = of?.disks.find((one) => one.disk === disk);
    if (!snapshot) throw new Error(`no snapshot of ${disk}`);
    return snapshot;
  };
  const keptNow = () => Promise.all(SUBJECTS.map((subject) => subject.kept(lab)));
  /** A test for each method. */
  const each = (operation: Operation, work: (subject: Subject, at: number) => Promise<void>) =>
    test.each(SUBJECTS.map((subject, at) => ({ subject, at, title: titleOf(subject, operation) })))(
      '$title',
      ({ subject, at }) => work(subject, at),
    );
  const titleOf = ({ title }: Subject, operation: Operation) =>
    cell({ where: 'local', method: title, state, shows: [operation] });

  describe('create', () => {
    beforeAll(async () => {
      await inGuest('1', 'before');
      if (state === 'off') await stop(lab.guest);
      kept = await keptNow();
      const quiesce = isFrozen ? 'required' : 'never';
      set = await snapshotDisks(lab.guest.domain, { disks: disksOf(SUBJECTS), name, quiesce });
    });
    test('all at one instant', () => {
      expect(set.consistency).toBe(isFrozen ? 'filesystem' : 'crash');
    });
    each('create', async (subject, at) => {
      const snapshot = snapshotOf(set, subject);
      expect(snapshot).toMatchObject({ name, virtualSize: 64 << 20, consistency: set.consistency });
      const now = await subject.kept(lab);
      expect(now).toHaveLength((kept[at]?.length ?? 0) + 1);
      if (/btrfs|reflink/.test(subject.title)) {
        const { stdout } = await run('filefrag', ['-v', sourceOf(snapshot)]);
        expect(stdout).toContain('shared');
      }
    });
    if (state === 'off') {
      test('another host, which has the definition and the storage, finds them all', async () => {
        await using host = await PrivateLibvirtd.start();
        await using connection = await host.connect();
        await defineSecret(host, lab.ceph, { uuid: lab.secret });
        const definition = await describeDomain(lab.guest.domain, { inactive: true, secure: true });
        const domain = await defineDomain(connection, definition);
        const [listed] = await listDiskSnapshots(domain);
        expect(listed).toMatchObject({ name, disks: SUBJECTS.map(({ disk }) => ({ disk, state: 'present' })) });
        const { disks } = await diskTree(domain);
        expect(disks.flatMap(({ snapshots }) => snapshots.map((one) => one.state))).toEqual(
          SUBJECTS.map(() => 'present'),
        );
        await domain.undefine();
      });
    }
  });

  describe('list', () => {
    beforeAll(async () => {
      if (state === 'off') await start(lab.guest);
      await inGuest('2', 'after');
      const domain = await other.domainLookupByName(lab.guest.name);
      found = await findDiskSnapshot(domain, name);
      tree = await diskTree(domain);
    });
    each('list', async (subject) => {
      const { method, disk, state: is } = snapshotOf(found, subject);
      expect(is).toBe('present');
      expect(tree.disks.find((one) => one.disk === disk)?.snapshots).toEqual([{ name, method, state: is }]);
    });
  });

  describe('read', () => {
    each('read', async (subject) => {
      const snapshot = snapshotOf(found, subject);
      const copy = copyOf(subject);
      await subject.copyOut(lab, snapshot, copy);
      expect(await verifyConsistency(copy)).toMatchObject({ sound: true, clean: isClean, needsRecovery: !isClean });
      expect(await readFileFromImage(copy, '/before')).toBe('1\n');
      await expect(readFileFromImage(copy, '/after')).rejects.toThrow('holds no file');
      expect(await namesIn(subject)).toEqual(expect.arrayContaining(['before', 'after']));
      expect(Buffer.concat(await snapshot.read().toArray()).equals(await readFile(copy))).toBe(true);
      const exported = join(copies, 'exported.qcow2');
      await snapshot.export(exported);
      expect(await qemuImg('compare', '-f', 'raw', '-F', 'qcow2', copy, exported)).toContain('identical');
      await rm(exported);
    });
  });

  describe.each(['revert', 'revert again'] as const)('%s', (operation) => {
    let reverted: Map<string, Promise<void>>;
    beforeAll(async () => {
      await inGuest(operation === 'revert' ? '3' : '4', 'after');
      const running = snapshotOf(found, SUBJECTS[0] as Subject).revert();
      await expect(running).rejects.toMatchObject({ code: 'GUEST_ACTIVE', outcome: 'unchanged' });
      await stop(lab.guest);
      reverted = new Map();
      for (const subject of SUBJECTS) {
        const done = snapshotOf(found, subject).revert();
        reverted.set(subject.disk, done);
        await done.catch(() => undefined); // told by its own test
      }
      await start(lab.guest);
    });
    each(operation, async (subject) => {
      await reverted.get(subject.disk);
      expect((await namesIn(subject)).filter(Boolean)).toEqual(['before']);
      const again = copyOf(subject).replace('.raw', '.again.raw');
      await subject.copyOut(lab, snapshotOf(found, subject), again);
      expect((await readFile(again)).equals(await readFile(copyOf(subject)))).toBe(true);
      await rm(again);
    });
  });

  describe('delete', () => {
    beforeAll(() => inGuest('5', 'after'));
    each('delete', async (subject, at) => {
      const snapshot = snapshotOf(found, subject);
      await snapshot.delete();
      await snapshot.delete();
      expect(await subject.kept(lab)).toEqual(kept[at]);
      expect(await lab.sh(`cat ${subject.folder}/before ${subject.folder}/after`)).toBe('1\n5\n');
    });
    test('nothing is left', async () => {
      const { domain } = lab.guest;
      expect(await readJournal(domain)).toMatchObject({ sets: [], intents: [], claims: [], damaged: [] });
      expect((await lab.everything()).domains).toEqual([lab.guest.name]);
      await inGuest('', 'now');
      await lab.sh(`rm -f ${SUBJECTS.map(({ folder }) => `${folder}/after`).join(' ')}; sync`);
    });
  });
});
