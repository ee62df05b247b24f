// Random operations and random deaths on several guests at once: nothing is lost, nobody stays frozen, nothing is left.
// `npm run test:soak -- --minutes 30 --seed 7`: the same seed gives the same operations and faults on each guest.
import { randomInt } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { PrivateLibvirtd, readFileFromImage, TestGuest, verifyConsistency } from '../../lib/testing';
import { run } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { Mounted } from '../storage/mounted';
import { buildAllocator } from './allocator';
import { FOLDERS, SoakGuest } from './guest';
import { linksIn, safeLinks, startJournal, stopJournal } from './journal';
import { isLeak, limitOf, type Sample, slope } from './leak';
import { filesBelow, processesLeft } from './leftovers';
import { DISKS, daemonDeaths, lastOrder, stepsOf } from './plan';
import { temporaryIn } from './worker';

const MINUTES = Number(process.env.LIBVIRT_DISKSNAPSHOT_SOAK_MINUTES ?? 2);
const SEED = Number(process.env.LIBVIRT_DISKSNAPSHOT_SOAK_SEED ?? randomInt(2 ** 31));
const GUESTS = 3;
const MOST_STEPS = 20_000;
/** At the end, those included that had to wait for others: five snapshots, at random, take some tens. */
const MOST_DELETIONS = 300;
const MEASURES = 40;
const LOG_LINES = 60;
/** The worker of the last guest lives from the first to the last step: what it does not let go of shows. */
const LIVES = GUESTS - 1;
jest.setTimeout((MINUTES + 12) * 60_000);

const started = performance.now();
const say = (line: string) =>
  process.stdout.write(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${line}\n`);

let scratch: string;
let allocator: string;
const mounts: Mounted[] = [];
let daemon: PrivateLibvirtd;
const booted: TestGuest[] = [];
const guests: SoakGuest[] = [];

beforeAll(async () => {
  scratch = await temporaryDirectory('soak');
  await mkdir(temporaryIn(scratch));
  allocator = await buildAllocator();
  for (const type of ['btrfs', 'xfs'] as const) mounts.push(await Mounted.make(type, scratch));
  const [btrfs = '', xfs = ''] = mounts.map(({ directory }) => directory);
  // After the mounts: the daemon's namespace takes no later ones.
  daemon = await PrivateLibvirtd.start();
  const connection = await daemon.connect();
  for (let at = 0; at < GUESTS; at++) {
    const disks = [{}, { format: 'raw', directory: btrfs }, { format: 'raw', directory: xfs }] as const;
    const guest = await TestGuest.boot({
      connection,
      disks,
      name: `g${at}-${process.pid}`,
      persistent: true,
      restorable: false,
    });
    booted.push(guest);
    await startJournal(guest.domain, FOLDERS);
    guests.push(new SoakGuest(guest.name, daemon, scratch, allocator, say));
  }
  await connection.close();
});

afterAll(async () => {
  for (const guest of guests) await guest.close();
  await daemon?.close();
  for (const guest of booted) await guest.close().catch(() => undefined); // the guests ended with their daemon
  for (const mount of mounts) await mount.close();
});

test(`${MINUTES} minutes, seed ${SEED}`, async () => {
  say(`seed ${SEED}, ${MINUTES} minutes, ${GUESTS} guests`);
  const places = [...booted.map(({ directory }) => directory), ...mounts.map(({ directory }) => directory)];
  const filesBefore = await filesBelow(places);
  const scratchBefore = await readdir(scratch);
  const warm = await worker().warmUp();
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), MINUTES * 60_000);
  const samples: Sample[] = [];
  let next = performance.now();
  const measure = async () => {
    if (performance.now() < next) return;
    next += (MINUTES * 60_000) / MEASURES;
    const now = await worker().measure();
    samples.push({ minutes: performance.now() / 60_000, bytes: now.held });
    say(`a process that lives through it: ${JSON.stringify(now)}`);
  };
  try {
    const runs = guests.map(async (guest, at) => {
      for (const step of stepsOf(SEED, at, at !== LIVES, MOST_STEPS)) {
        if (stop.signal.aborted) return;
        await guest.take(step);
        if (at === LIVES) await measure();
      }
    });
    // Where one fails, the others end with their step: what is left to be seen is left as it is.
    for (const each of runs) each.catch(() => stop.abort());
    const ended = await Promise.allSettled([...runs, killDaemon(stop.signal)]);
    const failed = ended.find((one) => one.status === 'rejected');
    if (failed) {
      await tellLogs();
      throw failed.reason;
    }
  } finally {
    clearTimeout(timer);
  }

  say('the end: recovery, all snapshots examined and deleted');
  for (const [at, guest] of guests.entries()) await guest.conclude(lastOrder(SEED, at, MOST_DELETIONS));
  await worker().disconnect();
  const closed = await worker().measure();
  say(`when it has let go of all: ${JSON.stringify(warm)} before, ${JSON.stringify(closed)} after`);
  for (const kind of ['sockets', 'files', 'threads'] as const) {
    expect(closed[kind]).toBeLessThanOrEqual(warm[kind]);
  }

  // Before the guests end: their agents' sockets go with them.
  expect(await filesBelow(places)).toEqual(filesBefore);
  expect(await readdir(temporaryIn(scratch))).toEqual([]);
  for (const [at, guest] of guests.entries()) await verifyDisks(guest, booted[at]);
  const connection = await daemon.connect();
  expect((await connection.listAllDomains()).map((domain) => domain.getName()).sort()).toEqual(
    guests.map(({ name }) => name),
  );
  expect(await connection.listAllStoragePools()).toEqual([]);
  for (const domain of await connection.listAllDomains()) {
    expect(await domain.getXMLDesc()).not.toContain('urn:libvirt-disksnapshot');
  }
  await connection.close();
  for (const guest of guests) await guest.close();
  expect(await readdir(scratch)).toEqual(scratchBefore);
  expect(await processesLeft(scratch)).toEqual([]);
  say(`it grew by ${Math.round(slope(samples))} bytes a minute, of ${Math.round(limitOf(samples))} that it may`);
  expect(isLeak(samples)).toBe(false);
});

function worker(): SoakGuest {
  const guest = guests[LIVES];
  if (guest === undefined) throw new Error('no guest was booted');
  return guest;
}

async function killDaemon(signal: AbortSignal): Promise<void> {
  for (const { afterMs, downMs } of daemonDeaths(SEED, MOST_STEPS)) {
    await delay(afterMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    say(`the daemon is killed, and back ${downMs} ms later`);
    await daemon.kill();
    await delay(downMs);
    await forgetUnborn();
    await daemon.restart();
  }
}

/**
 * libvirt 9.0 keeps a guest for ever whose QEMU it was just about to make when it died. A person removes what it has noted of that, as
 * docs/recovery.md says.
 */
async function forgetUnborn(): Promise<void> {
  const folder = join(daemon.directory, 'run', 'qemu');
  for (const name of (await readdir(folder)).filter((file) => file.endsWith('.xml'))) {
    if (!/^<domstatus [^>]*\bpid='0'/m.test(await readFile(join(folder, name), 'utf8'))) continue;
    say(`the daemon died as it was about to make the QEMU of ${name}: its status is removed`);
    await rm(join(folder, name));
  }
}

/** What libvirtd and each QEMU have written last: they go with the daemon's folder. */
async function tellLogs(): Promise<void> {
  const folder = join(daemon.directory, 'log');
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const file of names.filter((entry) => entry.isFile())) {
    const path = join(file.parentPath, file.name);
    say(`the end of ${path}`);
    process.stdout.write(`${(await readFile(path, 'utf8')).split('\n').slice(-LOG_LINES).join('\n')}\n`);
  }
}

/** From outside, with the guest off: every link that the guest was told is safe lies on every disk. */
async function verifyDisks(guest: SoakGuest, booted: TestGuest | undefined): Promise<void> {
  const safe = await guest.observer.sees('its agent does not answer', async (domain) => {
    await stopJournal(domain);
    const links = await safeLinks(domain);
    await domain.destroy();
    return links;
  });
  for (const disk of DISKS) {
    const image = booted?.image(disk) ?? '';
    if (disk === 'vda') await run('qemu-img', ['check', image]);
    expect((await verifyConsistency(image)).sound).toBe(true);
    const links = linksIn(await readFileFromImage(image, '/journal'));
    say(`${guest.name} ${disk}: ${links} links, ${safe} were told to be safe`);
    expect(links).toBeGreaterThanOrEqual(safe);
    expect(links).toBeLessThanOrEqual(safe + 1);
  }
}
