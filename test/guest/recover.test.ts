// Killed in the middle: a process dies at each step of a snapshot; afterwards one call finishes or undoes it, the guest
// writes on, and nothing is too many or too few. The children run what `npm run build:ts` made.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import {
  type Connection,
  listDiskSnapshots,
  type Phase,
  recoverDiskSnapshots,
  registerSnapshotMethod,
  type SnapshotMethod,
  snapshotDisks,
} from '../../lib';
import { temporaryPool } from '../../lib/disk-snapshot/images/pool-images';
import { readJournal, writeIntent } from '../../lib/disk-snapshot/records/journal';
import { qemuStateOf } from '../../lib/disk-snapshot/records/record';
import { DomainMetadataType, DomainModificationImpact, DomainXMLFlags } from '../../lib/libvirt';
import { PrivateLibvirtd, startWriter, TestGuest, verifyConsistency } from '../../lib/testing';
import { readDomain } from '../../lib/xml/domain';

jest.setTimeout(180_000);
let daemon: PrivateLibvirtd;
let connection: Connection;
let guest: TestGuest;
beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
  connection = await daemon.connect();
  guest = await TestGuest.boot({ connection, disks: 2, restorable: false, persistent: true });
});
afterAll(async () => {
  await guest?.close();
  await connection?.close();
  await daemon?.close();
});
afterEach(async () => {
  for (const set of await listDiskSnapshots(guest.domain)) await set.delete();
});

/** Takes a snapshot in a process of its own, which dies by SIGKILL when it comes to `phase`. */
async function killedAt(phase: Phase): Promise<void> {
  const child = spawn(process.execPath, ['-e', CHILD, daemon.uri, guest.name, phase], {
    cwd: join(__dirname, '..', '..'),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
}
const CHILD = `
  const { connect, snapshotDisks } = require('./dist');
  const [uri, name, phase] = process.argv.slice(1);
  (async () => {
    const conn = await connect(uri);
    const dom = await conn.domainLookupByName(name);
    await snapshotDisks(dom, {
      name: 'interrupted',
      quiesce: 'required',
      guard: false, // it would thaw before we can look
      onProgress: (p) => { if (p.phase === phase) process.kill(process.pid, 'SIGKILL'); },
    });
  })();
`;

const sources = async () =>
  readDomain(await guest.domain.getXMLDesc())
    .disks.map((disk) => disk.sourcePath)
    .sort();
const files = async () => (await readdir(guest.directory)).sort();
const frozen = async () =>
  (JSON.parse(await guest.domain.qemuAgentCommand('{"execute":"guest-fsfreeze-status"}', 10)) as { return: string })
    .return;

const before: [Phase, boolean][] = [
  ['record', false],
  ['prepare', false],
  ['quiesce', false],
  ['cut', true],
];
test('an intent that a daemon, killed between its two copies, has left in the definition alone goes', async () => {
  const id = randomUUID();
  const head = {
    version: 1,
    id,
    name: 'half',
    description: null,
    labels: {},
    createdAt: new Date().toISOString(),
  } as const;
  const set = { ...head, consistency: 'disk', frozenMs: 0, pausedMs: 0, evidence: [] } as const;
  const rest = { claim: randomUUID(), active: true, domainId: null, willFreeze: false, willPause: false, disks: [] };
  await writeIntent(guest.domain, { version: 1, id, ...rest, set: { ...set, evidence: [] } });
  const uri = `urn:libvirt-disksnapshot:1:intent:${id}`;
  const removeFrom = (copy: number) => guest.domain.setMetadata(DomainMetadataType.ELEMENT, null, 'ds', uri, copy);
  await removeFrom(DomainModificationImpact.LIVE);
  const defined = () => guest.domain.getXMLDesc(DomainXMLFlags.INACTIVE);
  expect(await defined()).toContain(uri);
  expect(await recoverDiskSnapshots(guest.domain)).toMatchObject({ finished: [], undone: [] });
  expect(await defined()).not.toContain(uri);
});

test('a pool made for the moment, whose process died when all was done but to end it, is ended', async () => {
  await temporaryPool(connection, guest.directory, {});
  expect(await connection.listAllStoragePools()).toHaveLength(1);
  await recoverDiskSnapshots(guest.domain);
  expect(await connection.listAllStoragePools()).toEqual([]);
});

test.each(before)('killed when it came to %s: undone', async (phase, isFrozen) => {
  const was = { sources: await sources(), files: await files() };
  const writer = await startWriter(guest, { directories: ['/mnt/a'] });
  await killedAt(phase);
  expect(await frozen()).toBe(isFrozen ? 'frozen' : 'thawed');
  const recovery = await recoverDiskSnapshots(guest.domain);
  expect(recovery).toEqual({
    finished: [],
    undone: phase === 'record' ? [] : ['interrupted'],
    thawed: isFrozen,
    resumed: false,
  });
  expect(await frozen()).toBe('thawed');
  expect({ sources: await sources(), files: await files() }).toEqual(was);
  expect(await readJournal(guest.domain)).toMatchObject({ sets: [], intents: [], claims: [], damaged: [] });
  const count = await writer.count();
  await guest.exec(['sleep', '0.2']);
  expect(await writer.count()).toBeGreaterThan(count);
  await writer.stop();
});

test.each([
  ['data of somebody else', 'precious', true],
  ['the empty file of an overlay that was being made', '', false],
])("undone, where the overlay's place holds %s", async (_what, content, isKept) => {
  await killedAt('prepare');
  const [intent] = (await readJournal(guest.domain)).intents;
  const places = intent?.disks.map((disk) => qemuStateOf(disk)?.overlay.path ?? '') ?? [];
  expect(places).toHaveLength(2);
  for (const place of places) await writeFile(place, content);
  expect(await recoverDiskSnapshots(guest.domain)).toMatchObject({ finished: [], undone: ['interrupted'] });
  for (const place of places) {
    expect(await readFile(place, 'utf8').catch(() => null)).toBe(isKept ? content : null);
    await rm(place, { force: true });
  }
});

const after: [Phase, boolean][] = [
  ['thaw', true],
  ['verify', false],
];
test.each(after)('killed when it came to %s, after the cut: finished', async (phase, isFrozen) => {
  const was = { sources: await sources(), files: await files() };
  await killedAt(phase);
  expect(await recoverDiskSnapshots(guest.domain)).toEqual({
    finished: ['interrupted'],
    undone: [],
    thawed: isFrozen,
    resumed: false,
  });
  expect(await frozen()).toBe('thawed');
  const [set] = await listDiskSnapshots(guest.domain);
  expect(set?.disks.map((d) => d.state)).toEqual(['present', 'present']);
  for (const file of was.sources) expect(await verifyConsistency(file ?? '')).toMatchObject({ sound: true });
  expect(await readJournal(guest.domain)).toMatchObject({ intents: [], claims: [] });
  await set?.delete();
  expect({ sources: await sources(), files: await files() }).toEqual(was);
});

/** Its cut fails, and so does its first undo. */
class Stubborn implements SnapshotMethod {
  readonly method = 'stubborn';
  readonly interfaceVersion = 1;
  readonly needs = 'any';
  undone = 0;
  parse = () => ({});
  plan = async () => ({ problems: [], creates: [], bytes: 0 });
  prepare = async () => ({ made: true });
  cut = async (): Promise<never> => {
    throw new Error('the array is busy');
  };
  undo = async () => {
    this.undone++;
    if (this.undone === 1) throw new Error('the array is busy');
  };
  exists = async () => false;
  delete = async () => undefined;
  revert = async () => undefined;
  backupSource = async () => ({ source: '<source/>', format: 'raw', modifiedDisk: null });
}

test('what could not be taken back stays written down, and recovery takes it back', async () => {
  const method = new Stubborn();
  using _registration = registerSnapshotMethod(method);
  const was = { sources: await sources(), files: await files() };
  const disks = { vda: 'qemu', vdb: 'stubborn' };
  await expect(snapshotDisks(guest.domain, { name: 'busy', quiesce: 'never', disks })).rejects.toMatchObject({
    outcome: 'unknown',
    message: expect.stringMatching(/Left behind: what method stubborn made for vdb.*recoverDiskSnapshots/),
  });
  expect((await readJournal(guest.domain)).intents.map(({ set }) => set.name)).toEqual(['busy']);

  expect(await recoverDiskSnapshots(guest.domain)).toMatchObject({ finished: [], undone: ['busy'] });
  expect(method.undone).toBe(2);
  expect({ sources: await sources(), files: await files() }).toEqual(was);
  expect((await readJournal(guest.domain)).intents).toEqual([]);
});

test('where nothing was interrupted, nothing is done', async () => {
  const xml = await guest.domain.getXMLDesc();
  expect(await recoverDiskSnapshots(guest.domain)).toEqual({ finished: [], undone: [], thawed: false, resumed: false });
  expect(await guest.domain.getXMLDesc()).toBe(xml);
});

test('what a living owner holds is left alone', async () => {
  let refused: unknown;
  await snapshotDisks(guest.domain, {
    onProgress: ({ phase }) => {
      if (phase === 'prepare') refused ??= recoverDiskSnapshots(guest.domain).catch((error: unknown) => error);
    },
  });
  expect(await refused).toMatchObject({ code: 'OPERATION_IN_PROGRESS', outcome: 'unchanged' });
});

test('the daemon dies after the cut: nothing is taken back, the caller is told, and recovery finishes', async () => {
  await using ownDaemon = await PrivateLibvirtd.start();
  const conn = await ownDaemon.connect();
  const own = await TestGuest.boot({ connection: conn, restorable: false });
  const base = own.image('vda');
  let killed: Promise<void> | undefined;
  const error: unknown = await snapshotDisks(own.domain, {
    name: 'orphaned',
    guard: false,
    onProgress: ({ phase }) => {
      if (phase === 'verify') killed = ownDaemon.kill();
    },
  }).catch((e: unknown) => e);
  expect(error).toMatchObject({ name: 'DiskSnapshotError', outcome: 'unknown' });
  await killed;
  await ownDaemon.restart();
  await using again = await ownDaemon.connect();
  const domain = await again.domainLookupByName(own.name);
  expect(await recoverDiskSnapshots(domain)).toMatchObject({ finished: ['orphaned'], undone: [] });
  const [set] = await listDiskSnapshots(domain);
  expect(set?.disks[0]?.backupSource).toContain(base);
  await set?.delete();
  expect(readDomain(await domain.getXMLDesc()).disks[0]?.sourcePath).toBe(base);
  await domain.destroy();
  await own.close().catch(() => undefined); // its handles went with the daemon
});
