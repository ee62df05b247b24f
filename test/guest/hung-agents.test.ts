// Agents hang in the middle of a freeze, six at once in this process: nobody else notices, and when they wake, which is when the
// freeze that was asked for long ago takes place, every guest is thawed and writes.
import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  type CallOptions,
  type Connection,
  type DiskSnapshotSet,
  type Domain,
  DomainSnapshotCreateFlags,
  ErrorNumber,
  LibvirtError,
  planSnapshot,
  quiesceStorage,
  snapshotDisks,
} from '../../lib';
import { installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { PrivateLibvirtd, startWriter, TestGuest, type TickWriter } from '../../lib/testing';
import { showFigures } from '../figures';
import { hangAgent } from '../hung-agent';
import { waitOfJavaScript, waitOfProcess } from '../processor-wait';

jest.setTimeout(400_000);

const HUNG = 6;
const ASLEEP_S = 8;
/** Of that, while timers and files are measured. */
const UNDISTURBED_MS = 3_500;
const SMALL = { memoryMiB: 128, restorable: false };

// Runs before the agent freezes, and puts it to sleep: its answer is late, and so is the freeze.
const SLEEPY_HOOK = `#!/bin/sh
[ "$1" = freeze ] || exit 0
rm "$0"
(sleep ${ASLEEP_S}; killall -CONT qemu-ga) </dev/null >/dev/null 2>&1 &
killall -STOP qemu-ga
`;

let daemon: PrivateLibvirtd;
let connection: Connection;
let healthy: TestGuest;
const guests: { guest: TestGuest; writer: TickWriter }[] = [];
beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
  connection = await daemon.connect();
  healthy = await TestGuest.boot({ connection, ...SMALL });
  // One after the other: emulated guests that boot at once take longer than that.
  for (let i = 0; i < HUNG; i++) {
    const guest = await TestGuest.boot({ connection, ...SMALL });
    await guest.exec(['sh', '-c', 'cat >/etc/qemu/fsfreeze-hook'], { input: SLEEPY_HOOK });
    guests.push({ guest, writer: await startWriter(guest, { periodMs: 50 }) });
  }
}, 400_000);
afterAll(async () => {
  for (const { guest } of guests) await guest.close();
  await healthy?.close();
  await connection?.close();
  await daemon?.close();
});

/**
 * The longest that each of these took, one after the other, again and again, until the signal aborts; less what `waited` counted
 * meanwhile.
 */
async function slowest(
  signal: AbortSignal,
  steps: readonly (() => Promise<unknown>)[],
  waited: () => number = () => 0,
): Promise<number[]> {
  const longest = steps.map(() => 0);
  while (!signal.aborted) {
    for (const [at, step] of steps.entries()) {
      const [start, from] = [performance.now(), waited()];
      await step();
      longest[at] = Math.max(longest[at] ?? 0, performance.now() - start - (waited() - from));
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return longest;
}

/** Resolves when the last of so many freezes has been sent to its agent. */
function freezesSent(count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    installFaultHook((point) => {
      if (point !== 'freeze.sent' || --left > 0) return;
      installFaultHook(null);
      resolve();
    });
  });
}

test('six hang; the seventh, timers and files do not; all six are thawed and write', async () => {
  const over = new AbortController();
  const counts = await Promise.all(guests.map(({ writer }) => writer.count()));
  await Promise.all(guests.map(({ writer }) => writer.mark()));
  const allSent = freezesSent(HUNG);
  const sent = performance.now();
  const freezes = guests.map(({ guest }) =>
    quiesceStorage(guest.domain, { maxFreezeMs: 3000 }).then(
      () => null,
      (error: unknown) => error,
    ),
  );
  await Promise.race([allSent, Promise.all(freezes)]); // what planning six at once costs is not what hung agents do
  // On a busy machine the thread of the event loop is ready to run, and waits for a processor: that is no delay of ours.
  let gap = 0;
  let [last, waited] = [performance.now(), waitOfJavaScript()];
  const ticks = setInterval(() => {
    const [now, waitedNow] = [performance.now(), waitOfJavaScript()];
    gap = Math.max(gap, now - last - (waitedNow - waited));
    [last, waited] = [now, waitedNow];
  }, 1);
  // Apart from snapshots: these start programs, and Node's loop stands until a new process has got a processor.
  const undisturbed = AbortSignal.timeout(UNDISTURBED_MS);
  const [[agent], [program], [info], [list], [files]] = await Promise.all([
    slowest(undisturbed, [() => healthy.domain.qemuAgentCommand('{"execute":"guest-ping"}', 30)]),
    slowest(undisturbed, [() => healthy.exec(['true'])]),
    slowest(undisturbed, [() => healthy.domain.getXMLDesc()]),
    slowest(undisturbed, [() => connection.listAllDomains()]),
    slowest(undisturbed, [() => stat('/')], waitOfProcess),
  ]);
  clearInterval(ticks);
  expect(performance.now() - sent).toBeLessThan(ASLEEP_S * 1000); // they hang on
  let set: DiskSnapshotSet;
  const snapshots = slowest(over.signal, [
    () => planSnapshot(healthy.domain, { quiesce: 'required' }),
    async () => {
      set = await snapshotDisks(healthy.domain, { quiesce: 'required' });
    },
    () => set.delete(),
  ]);
  const errors = await Promise.all(freezes);
  const settled = performance.now() - sent;
  over.abort();
  const [plan, snapshot, deletion] = await snapshots;

  for (const error of errors)
    expect(error).toMatchObject({ name: 'DiskSnapshotError', code: 'FREEZE_BUDGET_EXCEEDED' });
  const awake = await Promise.all(
    guests.map(async ({ guest, writer }, i) => {
      const status = await guest.domain.qemuAgentCommand('{"execute":"guest-fsfreeze-status"}', 20);
      expect(JSON.parse(status)).toEqual({ return: 'thawed' });
      await guest.exec(['sleep', '0.3']);
      expect(await writer.count()).toBeGreaterThan(counts[i] ?? 0);
      return writer.largestGapMs();
    }),
  );
  showFigures(`${HUNG} agents hang for ${ASLEEP_S} s in a freeze (ms)`, [
    { what: "the seventh's agent answers", ms: agent, goal: 2000 },
    { what: "the seventh's agent runs a program", ms: program, goal: 2000 },
    { what: "the seventh's XML", ms: info, goal: 2000 },
    { what: 'the list of guests', ms: list, goal: 2000 },
    { what: "a plan of the seventh's snapshot", ms: plan, goal: 2000 },
    { what: "the seventh's snapshot, quiesced", ms: snapshot, goal: 2000 },
    { what: 'its deletion', ms: deletion, goal: 2000 },
    { what: 'largest gap of the event loop, but for what it waited for a processor', ms: gap, goal: 100 },
    { what: 'fs.stat, likewise', ms: files, goal: 50 },
    { what: 'the calls that hung have settled, since they were sent', ms: settled, goal: (ASLEEP_S + 10) * 1000 },
    { what: 'the longest that a guest did not write, by its own clock', ms: Math.max(...awake), goal: 10_000 },
  ]);
  expect(settled).toBeGreaterThan(ASLEEP_S * 900); // they did hang
  for (const ms of [agent, program, info, list, plan, snapshot, deletion]) expect(ms).toBeLessThan(2000);
  expect(gap).toBeLessThan(100);
  expect(files).toBeLessThan(50);
  expect(settled).toBeLessThan((ASLEEP_S + 10) * 1000);
  expect(Math.max(...awake)).toBeLessThan(10_000);
});

const ping = (domain: Domain, options?: CallOptions) =>
  domain.qemuAgentCommand('{"execute":"guest-ping"}', -2, options);
const outcome = (call: Promise<unknown>) =>
  call.then(
    () => 'answered',
    (error: unknown) => error,
  );

// libvirt gives such a call up after 5 s, and the next has its turn.
describe('an agent that answers nobody', () => {
  let guest: TestGuest;
  beforeAll(async () => {
    [{ guest }] = guests as [(typeof guests)[number]];
    await hangAgent(guest);
  });
  const pings = (domain: Domain, length = 12) => Array.from({ length }, () => outcome(ping(domain)));

  const QUIESCED = [DomainSnapshotCreateFlags.DISK_ONLY, DomainSnapshotCreateFlags.QUIESCE] as const;
  const snapshots = (domain: Domain, length: number) =>
    Array.from({ length }, () => outcome(domain.snapshotCreateXML('<domainsnapshot/>', QUIESCED)));

  const GIVEN_UP = { timeoutMs: 20 };
  const givenUp = async (times: number, call: () => Promise<unknown>) => {
    for (let i = 0; i < times; i++) await expect(call()).rejects.toMatchObject({ name: 'TimeoutError' });
  };
  // Sent all at once, each would take one of libvirtd's twenty threads.
  test.each<[string, () => Promise<unknown>]>([
    ['thirty calls that were given up', () => givenUp(30, () => ping(guest.domain, GIVEN_UP))],
    ['thirty urgent ones', () => givenUp(30, () => guest.domain.fsThaw(null, GIVEN_UP))],
    ['thirty calls at once', async () => void pings(guest.domain, 30)],
    ['six snapshots that are to be quiesced', async () => void snapshots(guest.domain, 6)],
  ])('%s hold up no other call', async (what, burst) => {
    await burst();
    const start = performance.now();
    await Promise.all([
      healthy.exec(['true']),
      healthy.domain.blockStats('vda'),
      guest.domain.getXMLDesc(),
      connection.listAllDomains(),
    ]);
    const ms = performance.now() - start;
    showFigures(`${what}, to an agent that is stopped (ms)`, [
      { what: "another guest's agent and disk, this guest's XML, the list of guests", ms, goal: 2000 },
    ]);
    expect(ms).toBeLessThan(2000);
  });

  test('a call that waits for its turn is given up on time', async () => {
    const start = performance.now();
    const controller = new AbortController();
    const aborted = outcome(ping(guest.domain, { signal: controller.signal }));
    await expect(ping(guest.domain, { timeoutMs: 500 })).rejects.toMatchObject({ name: 'TimeoutError' });
    controller.abort();
    expect(await aborted).toMatchObject({ name: 'AbortError' });
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test('close() ends the one that hangs and those that wait', async () => {
    const own = await daemon.connect();
    const domain = await own.domainLookupByName(guest.name);
    const calls = pings(domain);
    await own.close();
    for (const end of await Promise.all(calls)) expect(end).toBeInstanceOf(LibvirtError);
    expect(await calls.at(-1)).toMatchObject({ code: ErrorNumber.INVALID_CONN });
  });

  test('a call waits for others no longer than libvirt would let it', async () => {
    const start = performance.now();
    const last = await pings(guest.domain).at(-1);
    expect(last).toMatchObject({ name: 'LibvirtError', code: ErrorNumber.OPERATION_TIMEOUT });
    expect(Math.round((performance.now() - start) / 1000)).toBe(30);
  });

  test('those that hang or wait end with their guest', async () => {
    const calls = pings(guest.domain);
    await guest.domain.destroy();
    for (const end of await Promise.all(calls)) expect(end).toBeInstanceOf(LibvirtError);
  });
});

describe('an agent that wakes', () => {
  let guest: TestGuest;
  beforeEach(async () => {
    [, { guest }] = guests as [unknown, (typeof guests)[number]];
    await hangAgent(guest, 3);
  });

  test('what must get through goes before what waits', async () => {
    const order: string[] = [];
    const note = (name: string) => () => order.push(name);
    const pings = Array.from({ length: 8 }, () => ping(guest.domain).then(note('ping')));
    // The hook that it would run has removed itself, which is no matter here.
    const thaw = guest.domain.fsThaw().then(note('thaw'), note('thaw'));
    await Promise.all([...pings, thaw]);
    expect(order.indexOf('thaw')).toBeLessThan(2);
  });

  test('a call that was given up while it waited is never sent', async () => {
    const first = ping(guest.domain);
    const touch = JSON.stringify({ execute: 'guest-exec', arguments: { path: 'touch', arg: ['/sent'] } });
    await expect(guest.domain.qemuAgentCommand(touch, -2, { timeoutMs: 100 })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    await first;
    expect(await guest.exec(['test', '-e', '/sent'])).toMatchObject({ exitCode: 1 });
  });
});
