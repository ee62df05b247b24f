// Agents hang in the middle of a freeze, six at once in this process: nobody else notices, and when they wake, which is when the
// freeze that was asked for long ago takes place, every guest is thawed and writes.
import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type CallOptions, type Connection, type Domain, ErrorNumber, LibvirtError, quiesceStorage } from '../../lib';
import { PrivateLibvirtd, startWriter, TestGuest, type TickWriter } from '../../lib/testing';
import { showFigures } from '../figures';
import { hangAgent } from '../hung-agent';

jest.setTimeout(400_000);

const HUNG = 6;
const ASLEEP_S = 8;
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

/** The longest that something took, again and again, until the signal aborts. */
async function slowest(signal: AbortSignal, something: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  while (!signal.aborted) {
    const start = performance.now();
    await something();
    longest = Math.max(longest, performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return longest;
}

test('six hang; the seventh, timers and files do not; all six are thawed and write', async () => {
  // What the first freezes of a process compile and start is not what hung agents cost.
  for (let i = 0; i < 10; i++) await (await quiesceStorage(healthy.domain)).unquiesce();
  const over = new AbortController();
  const counts = await Promise.all(guests.map(({ writer }) => writer.count()));
  await Promise.all(guests.map(({ writer }) => writer.mark()));
  const sent = performance.now();
  const freezes = guests.map(({ guest }) =>
    quiesceStorage(guest.domain, { maxFreezeMs: 3000 }).then(
      () => null,
      (error: unknown) => error,
    ),
  );
  let gap = 0;
  let last = performance.now();
  const ticks = setInterval(() => {
    gap = Math.max(gap, performance.now() - last);
    last = performance.now();
  }, 1);
  const measured = Promise.all([
    slowest(over.signal, () => healthy.domain.qemuAgentCommand('{"execute":"guest-ping"}', 30)),
    slowest(over.signal, () => healthy.exec(['true'])),
    slowest(over.signal, () => healthy.domain.getXMLDesc()),
    slowest(over.signal, () => connection.listAllDomains()),
    slowest(over.signal, () => stat('/')),
  ]);
  const errors = await Promise.all(freezes);
  const settled = performance.now() - sent;
  over.abort();
  clearInterval(ticks);
  const [agent, program, info, list, files] = await measured;

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
    { what: 'largest gap of the event loop', ms: gap, goal: 100 },
    { what: 'fs.stat', ms: files, goal: 50 },
    { what: 'the calls that hung have settled, since they were sent', ms: settled, goal: (ASLEEP_S + 10) * 1000 },
    { what: 'the longest that a guest did not write, by its own clock', ms: Math.max(...awake), goal: 10_000 },
  ]);
  expect(settled).toBeGreaterThan(ASLEEP_S * 900); // they did hang
  for (const ms of [agent, program, info, list]) expect(ms).toBeLessThan(2000);
  // More than the goals: a machine that is busy with other things.
  expect(gap).toBeLessThan(250);
  expect(files).toBeLessThan(250);
  expect(settled).toBeLessThan((ASLEEP_S + 10) * 1000);
  expect(Math.max(...awake)).toBeLessThan(10_000);
});

const ping = (domain: Domain, options?: CallOptions) =>
  domain.qemuAgentCommand('{"execute":"guest-ping"}', -2, options);
const settled = (call: Promise<unknown>) =>
  call.then(
    () => 'answered',
    (error: unknown) => error,
  );

describe('an agent that answers nobody', () => {
  let guest: TestGuest;
  let hanging: Promise<unknown>;
  beforeAll(async () => {
    [{ guest }] = guests as [(typeof guests)[number]];
    await hangAgent(guest);
    hanging = settled(ping(guest.domain));
  });

  // libvirtd has twenty threads for all that wait.
  test('thirty calls to it hold up no other call', async () => {
    const over = new AbortController();
    const waiting = Array.from({ length: 30 }, () => settled(ping(guest.domain, { signal: over.signal })));
    const start = performance.now();
    await Promise.all([healthy.exec(['true']), guest.domain.getXMLDesc(), connection.listAllDomains()]);
    const ms = performance.now() - start;
    showFigures('30 calls to an agent that is stopped are in flight (ms)', [
      { what: "another guest's agent, this guest's XML, the list of guests", ms, goal: 2000 },
    ]);
    expect(ms).toBeLessThan(2000);
    over.abort();
    for (const outcome of await Promise.all(waiting)) expect(outcome).toHaveProperty('name', 'AbortError');
  });

  test('a call that waits for its turn is given up on time', async () => {
    const start = performance.now();
    await expect(ping(guest.domain, { timeoutMs: 500 })).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test('close() ends the one that hangs and those that wait', async () => {
    const own = await daemon.connect();
    const domain = await own.domainLookupByName(guest.name);
    const calls = Array.from({ length: 3 }, () => settled(ping(domain)));
    await own.close();
    for (const outcome of await Promise.all(calls)) expect(outcome).toBeInstanceOf(LibvirtError);
    expect(await calls[2]).toMatchObject({ code: ErrorNumber.INVALID_CONN });
  });

  test('it ends with its guest', async () => {
    const waiting = settled(ping(guest.domain));
    await guest.domain.destroy();
    expect(await hanging).toBeInstanceOf(LibvirtError);
    expect(await waiting).toBeInstanceOf(LibvirtError);
  });
});

test('what must get through goes before what waits', async () => {
  const [, { guest }] = guests as [unknown, (typeof guests)[number]];
  await hangAgent(guest, 3);
  const order: string[] = [];
  const note = (name: string) => () => order.push(name);
  const pings = Array.from({ length: 8 }, () => ping(guest.domain).then(note('ping')));
  const thaw = guest.domain.fsThaw().then(note('thaw'), note('thaw')); // its hook has removed itself, which is no matter here
  await Promise.all([...pings, thaw]);
  expect(order.indexOf('thaw')).toBeLessThan(2);
});
