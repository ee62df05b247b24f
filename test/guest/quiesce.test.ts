// Freezing and thawing a real guest, whose agent is slow, failing, hung, dead or in other hands. What shall happen while
// it is frozen is started in the guest before: a frozen agent runs nothing.

import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { AgentError, askAgent } from '../../lib/disk-snapshot/freeze/agent';
import { locateMounts } from '../../lib/disk-snapshot/freeze/filesystems';
import { prepareFreeze, quiesceStorage, unquiesceStorage } from '../../lib/disk-snapshot/freeze/quiesce';
import type { QuiescedStorage } from '../../lib/disk-snapshot/types';
import { ConnectDomainEventAgentLifecycleState } from '../../lib/libvirt';
import { startWriter, TestGuest, type TickWriter } from '../../lib/testing';
import { FREEZE_HOOK } from '../../lib/testing/guest-scripts';
import { readDomain } from '../../lib/xml/domain';
import { untilAborted } from '../until-aborted';

jest.setTimeout(120_000);

let guest: TestGuest;
beforeAll(async () => {
  guest = await TestGuest.boot({ disks: [{}, {}, {}, { ext4: false }] });
});
afterEach(async () => {
  const { thawed } = await unquiesceStorage(guest.domain);
  await guest.restore();
  expect(thawed).toBe(0); // whatever a test did, nobody is left frozen
});
afterAll(() => guest?.close());

/** What file systems have in these guests: /mnt/a is vda, and so on. */
const mounted = (...letters: string[]) =>
  letters.map((letter) => ({ mountpoint: `/mnt/${letter}`, fsType: 'ext4', disks: [`vd${letter}`] }));
const status = () => askAgent(guest.domain, 'guest-fsfreeze-status', { limitMs: 20_000 });
/** Until the agent answers again. */
async function awake(): Promise<void> {
  while ((await outcome(status())) instanceof AgentError);
}
/** Until it does not. */
async function asleep(): Promise<void> {
  const glance = () => outcome(askAgent(guest.domain, 'guest-fsfreeze-status', { limitMs: 1000 }));
  while (!((await glance()) instanceof AgentError));
}
const hold = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const outcome = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

async function sh(script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await guest.exec(['sh', '-c', script]);
  if (exitCode !== 0) throw new Error(`${script}: ${stderr}`);
  return stdout.trim();
}
/** Runs in the guest, whatever happens to its agent meanwhile. */
const inBackground = (script: string) => sh(`(${script}) </dev/null >/dev/null 2>&1 &`);

/** What the agent does before it freezes (its argument is `freeze`) and after it has thawed (`thaw`). */
async function hook(script: string): Promise<void> {
  const text = `#!/bin/sh\necho "$1" >>/run/hook.log\n${script}\n`;
  const { exitCode } = await guest.exec(['sh', '-c', `cat >${FREEZE_HOOK}`], { input: text });
  expect(exitCode).toBe(0);
}
const hookLog = async () => (await sh('cat /run/hook.log')).split('\n');
/** One freeze, and a thaw after it. Whoever keeps the deadline may thaw as well, before it or after. */
async function expectOneFreezeThawed(): Promise<void> {
  const log = await hookLog();
  expect(log.filter((entry) => entry === 'freeze')).toHaveLength(1);
  expect(log.at(-1)).toBe('thaw');
}

const AGENT = '$(cat /run/qemu-ga.pid)';

/** One writer per folder, each at work. */
const writers = (...folders: string[]): Promise<TickWriter[]> =>
  Promise.all(
    folders.map(async (folder) => {
      const writer = await startWriter(guest, { directories: [folder] });
      await sh(`until [ -s ${folder}/ticks ]; do sleep 0.02; done`);
      return writer;
    }),
  );

describe('what is frozen', () => {
  test('the disks of each file system are those that libvirt finds, also behind bind mounts and loop devices', async () => {
    await sh(`mkdir /mnt/bind /mnt/loop; mount --bind /mnt/a /mnt/bind
      dd if=/dev/zero of=/mnt/a/image bs=1M count=8; losetup /dev/loop0 /mnt/a/image
      mke2fs /dev/loop0; mount /dev/loop0 /mnt/loop`);
    const document = readDomain(await guest.domain.getXMLDesc());
    const ours = locateMounts(await askAgent(guest.domain, 'guest-get-fsinfo', { limitMs: 20_000 }), document);
    const theirs = await guest.domain.getFSInfo();
    expect(ours.map(({ device, mountpoint, fsType, disks }) => ({ device, mountpoint, fsType, disks }))).toEqual(
      theirs
        .map(({ name, mountpoint, fstype, devAlias }) => ({
          device: name,
          mountpoint,
          fsType: fstype,
          disks: devAlias,
        }))
        .reverse(),
    );
    expect(ours.filter(({ placed }) => !placed).map(({ mountpoint }) => mountpoint)).toEqual(['/mnt/loop']);
    await sh('umount /mnt/loop; losetup -d /dev/loop0');
  });

  test('only the wanted disks: on the others, the guest goes on writing', async () => {
    const [a, b] = (await writers('/mnt/a', '/mnt/b')) as [TickWriter, TickWriter];
    await Promise.all([a.mark(), b.mark()]);
    const frozen = await quiesceStorage(guest.domain, { disks: ['vda'] });
    expect(frozen.filesystems).toEqual(mounted('a'));
    await hold(1500);
    const { frozenMs, intact } = await frozen.unquiesce();
    expect(intact).toBe(true);
    const [gapA, gapB] = await Promise.all([a.largestGapMs(), b.largestGapMs()]);
    expect(gapA).toBeGreaterThan(1400);
    expect(gapA).toBeLessThan(frozenMs + 100);
    expect(gapB).toBeLessThan(gapA / 2);
  });

  test('all disks by default, and a bind mount counts once', async () => {
    await sh('mkdir /mnt/bind; mount --bind /mnt/a /mnt/bind');
    const frozen = await quiesceStorage(guest.domain);
    expect(frozen.filesystems).toEqual(mounted('a', 'b', 'c'));
    expect(await status()).toBe('frozen');
    expect(await frozen.unquiesce()).toMatchObject({ intact: true, filesystems: mounted('a', 'b', 'c') });
    expect(await status()).toBe('thawed');
  });

  test('a disk without a file system: nothing, and not everything', async () => {
    const frozen = await quiesceStorage(guest.domain, { disks: ['vdd'] });
    expect(frozen.filesystems).toEqual([]);
    expect(await status()).toBe('thawed');
    expect(await frozen.unquiesce()).toEqual({ filesystems: [], frozenMs: 0, intact: true });
  });

  test('a file system under another mount cannot be reached: said before anything is frozen', async () => {
    await sh('mount /dev/vdc /mnt/b');
    const error = await outcome(quiesceStorage(guest.domain, { disks: ['vdb'] }));
    expect(error).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'unchanged' });
    expect((error as Error).message).toContain('of vdb on /mnt/b is covered');
    await using frozen = await quiesceStorage(guest.domain, { disks: ['vdc'] });
    expect(frozen.filesystems).toEqual(mounted('c'));
  });

  test('one that a mount unknown to the agent covers is missed by the count, and nothing stays frozen', async () => {
    await sh('mount -t tmpfs none /mnt/b');
    const error = await outcome(quiesceStorage(guest.domain, { disks: ['vda', 'vdb'] }));
    expect(error).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'undone' });
    expect((error as Error).message).toContain('froze 1 of 2');
    expect(await status()).toBe('thawed');
  });
});

describe('letting go', () => {
  test('twice gives the same result; leaving the block is enough', async () => {
    let held: QuiescedStorage;
    {
      await using frozen = await quiesceStorage(guest.domain, { disks: ['vda'] });
      held = frozen;
      expect(await status()).toBe('frozen');
    }
    expect(await status()).toBe('thawed');
    const first = await held.unquiesce();
    expect(first.intact).toBe(true);
    expect(await held.unquiesce()).toEqual(first);
    expect(held.signal.aborted).toBe(false);
  });

  test('the lease: thawed at its end, and the holder is told', async () => {
    const [writer] = (await writers('/mnt/a')) as [TickWriter];
    await writer.mark();
    const frozen = await quiesceStorage(guest.domain, { disks: ['vda'], maxFreezeMs: 2000 });
    await untilAborted(frozen.signal);
    expect(frozen.signal.reason).toMatchObject({ code: 'FREEZE_BUDGET_EXCEEDED', guest: guest.name });
    const { frozenMs, intact } = await frozen.unquiesce();
    expect(intact).toBe(false);
    const gap = await writer.largestGapMs();
    expect(gap).toBeGreaterThan(500);
    expect(gap).toBeLessThan(frozenMs + 100);
  });

  test('somebody else thaws it: the holder is told', async () => {
    const frozen = await quiesceStorage(guest.domain);
    expect(await guest.domain.fsThaw()).toBe(3);
    await untilAborted(frozen.signal);
    expect((frozen.signal.reason as Error).message).toContain('somebody else has thawed it');
    expect(await frozen.unquiesce()).toMatchObject({ intact: false });
  });

  test('the guest is destroyed', async () => {
    const frozen = await quiesceStorage(guest.domain);
    await guest.domain.destroy();
    await untilAborted(frozen.signal);
    expect(await frozen.unquiesce()).toMatchObject({ intact: false });
    await guest.restore();
  });

  test('a guest that was paused meanwhile is thawed when it runs again', async () => {
    const frozen = await quiesceStorage(guest.domain, { maxFreezeMs: 60_000 });
    await guest.domain.suspend();
    const released = frozen.unquiesce();
    await asleep();
    await guest.domain.resume();
    expect(await released).toMatchObject({ intact: true });
    expect(await status()).toBe('thawed');
  });

  test('who waits for a paused guest waits no longer than asked; it is thawed when it runs again', async () => {
    const frozen = await quiesceStorage(guest.domain, { maxFreezeMs: 60_000 });
    await guest.domain.suspend();
    expect(await outcome(unquiesceStorage(guest.domain, { timeoutMs: 500 }))).toMatchObject({ name: 'TimeoutError' });
    await guest.domain.resume();
    await frozen.unquiesce();
    expect(await status()).toBe('thawed');
  });
});

describe('when freezing goes wrong, the guest is thawed', () => {
  test('the hook fails', async () => {
    await hook('exit 3');
    const error = await outcome(quiesceStorage(guest.domain));
    expect(error).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'undone' });
    expect((error as Error).message).toContain('fsfreeze hook has failed with status 3');
    expect(await status()).toBe('thawed');
  });

  test('the hook fails on thawing as well: the agent reports an error of the thaw, and yet it is one', async () => {
    await hook('[ "$1" = freeze ]');
    const frozen = await quiesceStorage(guest.domain);
    expect(await frozen.unquiesce()).toMatchObject({ intact: false });
    expect(await status()).toBe('thawed');
  });

  test('the agent hangs in it, and wakes when the caller has given up: what then freezes is thawed', async () => {
    const [writer] = (await writers('/mnt/a')) as [TickWriter];
    await hook(`if [ "$1" = freeze ]; then (sleep 4; kill -CONT ${AGENT}) & kill -STOP ${AGENT}; fi`);
    const started = performance.now();
    const error = await outcome(quiesceStorage(guest.domain, { maxFreezeMs: 1000 }));
    expect(error).toMatchObject({ code: 'FREEZE_BUDGET_EXCEEDED', outcome: 'undone' });
    expect(performance.now() - started).toBeGreaterThan(3500);
    expect(await status()).toBe('thawed');
    await expectOneFreezeThawed();
    const before = await writer.count();
    await sh('sleep 0.2');
    expect(await writer.count()).toBeGreaterThan(before);
  });

  test('the agent sleeps longer than a caller would wait: he is told, and the guest is thawed when it wakes', async () => {
    await hook(`if [ "$1" = freeze ]; then (sleep 26; kill -CONT ${AGENT}) & kill -STOP ${AGENT}; fi`);
    const error = await outcome(quiesceStorage(guest.domain, { maxFreezeMs: 1000 }));
    expect(error).toMatchObject({ code: 'THAW_FAILED', outcome: 'unknown' });
    // Behind the caller's back. Nobody else's calls get an answer before the agent wakes.
    await awake();
    while ((await status()) !== 'thawed');
    await expectOneFreezeThawed();
  });

  test('it waits behind a call of somebody else, longer than its lease: it has its turn, and is thawed', async () => {
    await hook('');
    const prepared = await prepareFreeze(guest.domain, readDomain(await guest.domain.getXMLDesc()), ['vda']);
    await inBackground(`sleep 0.5; kill -STOP ${AGENT}; sleep 5; kill -CONT ${AGENT}`);
    await asleep();
    const theirs = outcome(guest.domain.qemuAgentCommand('{"execute":"guest-ping"}', 30));
    const error = await outcome(prepared.freeze({ maxFreezeMs: 500 }));
    expect(error).toMatchObject({ code: 'FREEZE_BUDGET_EXCEEDED', outcome: 'undone' });
    await theirs;
    expect(await status()).toBe('thawed');
    await expectOneFreezeThawed();
  });

  test('the caller gives up in the middle: his reason, once the guest is thawed', async () => {
    await hook('[ "$1" = thaw ] || sleep 1');
    const abort = new AbortController();
    const document = readDomain(await guest.domain.getXMLDesc());
    const prepared = await prepareFreeze(guest.domain, document, ['vda']);
    installFaultHook((point) => {
      if (point === 'freeze.sent') abort.abort(new Error('changed my mind'));
    });
    const error = await outcome(prepared.freeze({ maxFreezeMs: 10_000, signal: abort.signal, guard: false }));
    installFaultHook(null);
    expect(error).toBe(abort.signal.reason);
    expect(await status()).toBe('thawed');
    expect(await hookLog()).toEqual(['freeze', 'thaw']);
  });

  test('a deadline is a TimeoutError', async () => {
    await hook('[ "$1" = thaw ] || sleep 2');
    const error = await outcome(quiesceStorage(guest.domain, { timeoutMs: 1000 }));
    expect(error).toMatchObject({ name: 'TimeoutError' });
    expect(await status()).toBe('thawed');
  });
});

describe('the agent dies', () => {
  test('while frozen: the holder is told, and it is thawed as soon as there is an agent again', async () => {
    const [writer] = (await writers('/mnt/a')) as [TickWriter];
    await inBackground(`sleep 1.5; kill -KILL ${AGENT}; sleep 2; start-agent`);
    const frozen = await quiesceStorage(guest.domain, { maxFreezeMs: 60_000 });
    await untilAborted(frozen.signal);
    expect((frozen.signal.reason as Error).message).toContain('its agent was lost');
    expect(await frozen.unquiesce()).toMatchObject({ intact: false });
    expect(await status()).toBe('thawed');
    const before = await writer.count();
    await sh('sleep 0.2');
    expect(await writer.count()).toBeGreaterThan(before);
  });

  test('in its freeze hook', async () => {
    await hook(`if [ "$1" = freeze ]; then (sleep 1; start-agent) & kill -KILL ${AGENT}; fi`);
    const error = await outcome(quiesceStorage(guest.domain));
    expect(error).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'undone' });
    expect(await status()).toBe('thawed');
  });

  test('before: nobody to freeze', async () => {
    const events = await guest.connection.subscribe('agent-lifecycle', { domain: guest.domain });
    await inBackground(`sleep 0.5; kill -KILL ${AGENT}; sleep 3; start-agent`);
    for await (const { state } of events) if (state === ConnectDomainEventAgentLifecycleState.DISCONNECTED) break;
    const error = await outcome(quiesceStorage(guest.domain));
    expect(error).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'unchanged' });
    expect((error as Error).message).toContain('no agent is connected');
  });

  test('it hangs: said in seconds, nothing sent that could freeze later', async () => {
    await hook('');
    await inBackground(`sleep 0.5; kill -STOP ${AGENT}; sleep 12; kill -CONT ${AGENT}`);
    await asleep();
    const error = await outcome(quiesceStorage(guest.domain));
    expect(error).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'unchanged' });
    expect((error as Error).message).toContain('it hangs');
    await awake();
    expect(await sh('cat /run/hook.log 2>/dev/null || echo none')).toBe('none');
  });
});

describe('a freeze that is not ours', () => {
  test('is recognised, and left alone', async () => {
    await guest.domain.fsFreeze();
    const error = await outcome(quiesceStorage(guest.domain, { disks: ['vda'] }));
    expect(error).toMatchObject({ code: 'ALREADY_FROZEN', outcome: 'unchanged' });
    expect(await status()).toBe('frozen');
    expect(await guest.domain.fsThaw()).toBe(3);
  });

  test('is thawed by who asks for it', async () => {
    await guest.domain.fsFreeze(['/mnt/a', '/mnt/b']);
    expect(await unquiesceStorage(guest.domain)).toEqual({ thawed: 2 });
    expect(await unquiesceStorage(guest.domain)).toEqual({ thawed: 0 });
  });

  test('of a program in the guest: seen in the count, and thawed by who asks for it', async () => {
    await sh('fsfreeze --freeze /mnt/b');
    expect(await outcome(quiesceStorage(guest.domain, { disks: ['vda', 'vdb'] }))).toMatchObject({
      code: 'QUIESCE_UNAVAILABLE',
      outcome: 'undone',
    });
    await sh('fsfreeze --freeze /mnt/c');
    expect(await unquiesceStorage(guest.domain)).toEqual({ thawed: 1 });
  });
});

describe('what cannot be frozen at all', () => {
  test('a paused guest', async () => {
    await guest.domain.suspend();
    const error = await outcome(quiesceStorage(guest.domain));
    expect(error).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'unchanged' });
    expect((error as Error).message).toContain('it is paused');
    await guest.domain.resume();
  });

  test('a guest without a channel for an agent, and one that is off', async () => {
    await using silent = await TestGuest.boot({ agent: false, persistent: true });
    const channel = await outcome(quiesceStorage(silent.domain));
    expect(channel).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'unchanged' });
    expect((channel as Error).message).toContain('org.qemu.guest_agent.0');
    expect(await outcome(unquiesceStorage(silent.domain))).toMatchObject({ code: 'QUIESCE_UNAVAILABLE' });

    await silent.domain.destroy();
    const off = await outcome(quiesceStorage(silent.domain));
    expect(off).toMatchObject({ code: 'QUIESCE_UNAVAILABLE', outcome: 'unchanged' });
    expect((off as Error).message).toContain('it is off');
    expect(await unquiesceStorage(silent.domain)).toEqual({ thawed: 0 });
  });

  test('disks that the guest does not have, none, and one twice', async () => {
    const ask = (disks: string[]) => outcome(quiesceStorage(guest.domain, { disks }));
    expect(await ask(['vda', 'vdz'])).toMatchObject({ code: 'DISK_NOT_FOUND', disk: 'vdz' });
    expect(await ask([])).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await ask(['vda', 'vda'])).toMatchObject({ code: 'INVALID_ARGUMENT', disk: 'vda' });
    expect(await status()).toBe('thawed');
  });
});
