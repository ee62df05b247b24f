// A guest that QEMU has stopped, for want of space, is nobody's to resume but the person's who makes room: neither those that
// watch over a pause nor a recovery take it for a pause of ours. Nor do they end one that somebody else begins later.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { DomainEventType, DomainPausedReason, DomainState, recoverDiskSnapshots } from '../../lib';
import { watchOver } from '../../lib/disk-snapshot/guard/watch';
import { writeIntent } from '../../lib/disk-snapshot/records/journal';
import { PrivateLibvirtd, TestGuest } from '../../lib/testing';
import { agentCommand } from '../../lib/testing/agent';
import { readDomain } from '../../lib/xml/domain';
import { SmallSpace } from '../faults/small-space';
import { ended, guardsOf, holder, kill } from './holder';

jest.setTimeout(120_000);

let space: SmallSpace;
let daemon: PrivateLibvirtd;
let guest: TestGuest;
beforeAll(async () => {
  space = await SmallSpace.mount(); // before the daemon, or it would not see it
  daemon = await PrivateLibvirtd.start();
  const disks = [{ directory: space.directory, sizeMiB: 512 }];
  guest = await TestGuest.boot({ connection: await daemon.connect(), disks, restorable: false });
  await guest.exec(['mkfifo', '/tmp/written']);
});
afterAll(async () => {
  await guest?.close();
  await guest?.connection.close();
  await daemon?.close();
  await space?.close();
});

const stopped = { state: DomainState.PAUSED, reason: DomainPausedReason.IOERROR };

let isWriting = false;
/** The guest writes where there is no space left. */
async function runOutOfSpace(): Promise<void> {
  await space.fill();
  await using lifecycle = await guest.connection.subscribe('lifecycle', { domain: guest.domain });
  const write = 'dd if=/dev/urandom of=$(mktemp -p /mnt/a) bs=1M count=8 conv=fsync; echo >/tmp/written';
  await agentCommand(guest.domain, 'guest-exec', { path: 'sh', arg: ['-c', write] });
  isWriting = true;
  for await (const { event } of lifecycle) if (event === DomainEventType.SUSPENDED) break;
  expect(await guest.domain.getState()).toEqual(stopped);
}
afterEach(async () => {
  await space.empty();
  if ((await guest.domain.getState()).state === DomainState.PAUSED) await guest.domain.resume();
  if (isWriting) await guest.exec(['cat', '/tmp/written']);
  isWriting = false;
});

test('the guard leaves it', async () => {
  const child = await holder(daemon.uri, guest.name, 'nothing');
  const [guard = ''] = await guardsOf(child.pid);
  await runOutOfSpace();
  await kill(child);
  await ended(guard);
  expect(await guest.domain.getState()).toEqual(stopped);
});

test('the thread in our process leaves it', async () => {
  const watch = await watchOver(guest.domain, 'pause', 600_000, { guard: false });
  await runOutOfSpace();
  watch.handOver();
  await delay(1_000); // nothing tells that it has looked
  expect(await guest.domain.getState()).toEqual(stopped);
  watch.end();
});

test('a pause that begins when ours has ended is left, past the deadline of ours', async () => {
  const watch = await watchOver(guest.domain, 'pause', 200, { guard: true });
  watch.end();
  await guest.domain.suspend();
  await delay(2_500); // the guard acts a second after the deadline
  expect((await guest.domain.getState()).state).toBe(DomainState.PAUSED);
});

test('who watches waits for as long as we are at it ourselves', async () => {
  const watch = await watchOver(guest.domain, 'pause', 60_000, { guard: true });
  await guest.domain.suspend();
  watch.takeOver();
  await delay(7_000); // longer than one word of ours lasts
  expect((await guest.domain.getState()).state).toBe(DomainState.PAUSED);
  watch.end();
});

/** As a process leaves it that died before it could end its pause. */
async function leaveIntent(): Promise<void> {
  const set = { version: 1, id: 'i1', name: 'begun', description: null, labels: {}, consistency: 'crash' } as const;
  await writeIntent(guest.domain, {
    version: 1,
    id: 'i1',
    claim: 'c1',
    active: true,
    domainId: readDomain(await guest.domain.getXMLDesc()).id,
    willFreeze: false,
    willPause: true,
    set: { ...set, createdAt: new Date().toISOString(), frozenMs: 0, pausedMs: 0, evidence: [] },
    disks: [],
  });
}

test.each([
  ['leaves it', runOutOfSpace, stopped, false],
  [
    'ends the pause of a process that has died',
    () => guest.domain.suspend(),
    { state: DomainState.RUNNING, reason: expect.any(Number) },
    true,
  ],
])('recovery %s', async (_what, stop, after, resumed) => {
  await leaveIntent();
  await stop();
  expect(await recoverDiskSnapshots(guest.domain)).toMatchObject({ undone: ['begun'], resumed });
  expect(await guest.domain.getState()).toEqual(after);
});

test('recovery is overtaken by the guard, which lets the guest go on: that is as good', async () => {
  await leaveIntent();
  await guest.domain.suspend();
  const { domain } = guest;
  const resume = domain.resume.bind(domain);
  const late = jest.spyOn(domain, 'resume').mockImplementationOnce(async (options) => {
    await resume();
    await resume(options);
  });
  try {
    expect(await recoverDiskSnapshots(domain)).toMatchObject({ undone: ['begun'], resumed: false });
    await expect(late.mock.results[0]?.value).rejects.toThrow('domain is already running');
  } finally {
    late.mockRestore();
  }
  expect((await domain.getState()).state).toBe(DomainState.RUNNING);
});
