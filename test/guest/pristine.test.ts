// Whatever a test does to its guest, the next one finds it pristine: files, processes, memory, mounts, settings and devices.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { ConnectDomainEventAgentLifecycleState, DomainEventType, DomainModificationImpact } from '../../lib/libvirt';
import { GuestRestoredError, TestGuest, withSnapshot } from '../../lib/testing';
import { agentCommand } from '../../lib/testing/agent';
import { run } from '../../lib/testing/command';

jest.setTimeout(120_000);

// A file system in memory with a counter, a process, and files on both disks.
const PREPARE = `mkdir /run/memory && mount -t tmpfs none /run/memory && echo 1 >/run/memory/counter
for disk in a b; do echo kept >/mnt/$disk/kept; done
sleep 100000 </dev/null >/dev/null 2>&1 &`;

// The probe's own processes are busybox' shell and its children; the agent's log and state grow with each program.
const PROBE = `cat /run/memory/counter /proc/mounts
for process in /proc/[0-9]*; do [ -e $process/exe ] && tr '\\0' ' ' <$process/cmdline && echo; done | grep -E 'sleep|qemu-ga|init' | grep -v grep
find / /run/memory /mnt/a /mnt/b -xdev -type f ! -name qemu-ga.log ! -name 'qga.state*' -exec stat -c '%n %s %Y %Z %a' {} + | sort
find /etc /run/memory /mnt -type f -exec md5sum {} + | sort
hostname; date +%Y; ip address; cut -d' ' -f1,3 /proc/modules; cat /proc/sys/vm/swappiness; ls /sys/block`;

async function sh(guest: TestGuest, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await guest.exec(['sh', '-ec', script], { timeoutMs: 60_000 });
  expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout;
}

/** Whether it has died is for an event to say: what ends the guest or its agent may end the answer too. */
async function start(guest: TestGuest, ...[path, ...arg]: readonly string[]) {
  await agentCommand(guest.domain, 'guest-exec', { path, arg }).catch(() => {});
}

/** Resolves when the guest is off. */
async function off(guest: TestGuest, work: () => unknown) {
  await using changes = await guest.connection.subscribe('lifecycle', { domain: guest.domain });
  await work();
  for await (const { event } of changes) if (event === DomainEventType.STOPPED) return;
}

async function killAgent(guest: TestGuest) {
  await using changes = await guest.connection.subscribe('agent-lifecycle', { domain: guest.domain });
  await start(guest, 'killall', '-KILL', 'qemu-ga');
  for await (const { state } of changes) if (state === ConnectDomainEventAgentLifecycleState.DISCONNECTED) return;
}

async function stopAgent(guest: TestGuest) {
  await start(guest, 'killall', '-STOP', 'qemu-ga');
  const answers = () =>
    agentCommand(guest.domain, 'guest-ping', undefined, 1).then(
      () => true,
      () => false,
    );
  while (await answers());
}

function qemuPid(guest: TestGuest): number {
  return Number(readFileSync(join(guest.directory, '..', 'embed', 'run', 'qemu', `${guest.name}.pid`), 'utf8'));
}

async function plugIn(guest: TestGuest) {
  const file = join(guest.directory, 'another.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', file, '1M']);
  await guest.domain.attachDeviceFlags(diskXml(file, 'vdc'), DomainModificationImpact.LIVE);
}

const diskXml = (file: string, target: string) =>
  `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${file}'/><target dev='${target}' bus='virtio'/></disk>`;

// A device without a state of its own: QEMU would load the old state beside it.
const RANDOM = `<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>`;

/** What a careless or an evil test does. */
const DIRT: Readonly<Record<string, (guest: TestGuest) => Promise<unknown>>> = {
  'writes files': (guest) => sh(guest, 'echo 2 >/run/memory/counter; echo x >/mnt/a/x; echo x >/mnt/b/kept; sync'),
  'deletes /etc': (guest) => sh(guest, 'rm -rf /etc /mnt/a/kept'),
  'kills processes': (guest) => sh(guest, 'killall sleep'),
  'starts processes': (guest) => sh(guest, 'sleep 200000 </dev/null >/dev/null 2>&1 &'),
  'fills the memory': (guest) => sh(guest, 'yes dirt | dd of=/run/memory/full bs=64k count=320'),
  'fills a disk': (guest) => sh(guest, '! dd if=/dev/zero of=/mnt/a/full bs=1M; rm /mnt/a/kept'),
  'takes mounts away': (guest) => sh(guest, 'umount /mnt/b /run/memory; mount -t tmpfs none /mnt/a'),
  'writes over a disk': (guest) => sh(guest, 'umount /mnt/b; dd if=/dev/zero of=/dev/vdb bs=1M count=8; sync'),
  'sets the clock': (guest) => sh(guest, 'date -s 2001-01-01'),
  'configures the network': (guest) => sh(guest, 'ip link set lo up; ip address add 192.0.2.1/24 dev lo; hostname x'),
  'changes the kernel': (guest) => sh(guest, 'rmmod loop; echo 7 >/proc/sys/vm/swappiness'),
  'freezes the file systems': (guest) => guest.domain.fsFreeze(),
  'pauses it': (guest) => guest.domain.suspend(),
  'kills the agent': killAgent,
  'stops the agent': stopAgent,
  'powers it off': (guest) => off(guest, () => start(guest, 'poweroff', '-f')),
  'crashes its kernel': (guest) => off(guest, () => start(guest, 'sh', '-c', 'echo c >/proc/sysrq-trigger')),
  'destroys it': (guest) => guest.domain.destroy(),
  'kills QEMU': (guest) => off(guest, () => process.kill(qemuPid(guest), 'SIGKILL')),
  'removes a disk': (guest) =>
    guest.domain.detachDeviceFlags(diskXml(guest.image('vdb'), 'vdb'), DomainModificationImpact.LIVE),
  'plugs in a disk': plugIn,
  'plugs in a source of randomness': (guest) => guest.domain.attachDeviceFlags(RANDOM, DomainModificationImpact.LIVE),
  'changes its metadata': (guest) => guest.domain.setMetadata(0, 'dirty', null, null, DomainModificationImpact.LIVE),
};

let guest: TestGuest;
let pristine: string;
beforeAll(async () => {
  guest = await TestGuest.boot({ disks: 2, prepare: (fresh) => sh(fresh, PREPARE) });
  pristine = await sh(guest, PROBE);
});
afterAll(() => guest.close());

test('the probe sees what there is, and what has changed', async () => {
  expect(pristine).toMatch(/^1\n.*none \/run\/memory tmpfs .*sleep 100000 .*\/mnt\/b\/kept\n.*vdb\n$/s);
  await sh(guest, 'echo 2 >/run/memory/counter');
  expect(await sh(guest, PROBE)).not.toBe(pristine);
});

test.each(Object.keys(DIRT))('restore, after a test that %s', async (name) => {
  await DIRT[name]?.(guest);
  await guest.restore();
  expect(await sh(guest, PROBE)).toBe(pristine);
  expect(await guest.domain.getXMLDesc()).not.toMatch(/<rng|vdc/);
  expect(await guest.domain.getMetadata(0, null).catch((error) => error.codeName)).toBe('NO_DOMAIN_METADATA');
});

test('restore leaves the agent to libvirt, at once: it never takes the agent for lost', async () => {
  await using changes = await guest.connection.subscribe('agent-lifecycle', { domain: guest.domain });
  for (let count = 0; count < 3; count += 1) {
    await guest.restore();
    expect(await guest.domain.fsFreeze()).toBe(2);
  }
  const { CONNECTED } = ConnectDomainEventAgentLifecycleState;
  const states = changes[Symbol.asyncIterator]();
  for (let count = 0; count < 3; count += 1) expect((await states.next()).value).toMatchObject({ state: CONNECTED });
  await guest.restore();
});

test('withSnapshot does the same for a state in between', async () => {
  await sh(guest, 'echo 7 >/run/memory/counter');
  const between = await sh(guest, PROBE);
  for (const name of ['deletes /etc', 'powers it off', 'removes a disk']) {
    await withSnapshot(guest.domain, async () => DIRT[name]?.(guest));
    expect(await sh(guest, PROBE)).toBe(between);
  }
});

test('withSnapshot brings the guest back where fn never ends', async () => {
  await sh(guest, 'echo 7 >/run/memory/counter');
  const forever = withSnapshot(
    guest.domain,
    async () => {
      await sh(guest, 'echo 2 >/run/memory/counter');
      await new Promise(() => {});
    },
    { timeoutMs: 1000 },
  );
  await expect(forever).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(await sh(guest, 'cat /run/memory/counter')).toBe('7\n');
});

test('a program that is waited for ends, and so does a withSnapshot that is under way', async () => {
  let started = () => {};
  const running = new Promise<void>((resolve) => {
    started = resolve;
  });
  const inner = withSnapshot(guest.domain, async () => {
    const program = guest.exec(['sleep', '1000'], { timeoutMs: 100_000 });
    started();
    await program;
  });
  inner.catch(() => {}); // awaited below
  await running;
  await guest.restore();
  await expect(inner).rejects.toBeInstanceOf(GuestRestoredError);
  expect(await sh(guest, PROBE)).toBe(pristine);
});

test('one withSnapshot within another leaves that one alone', async () => {
  const counter = await withSnapshot(guest.domain, async () => {
    await sh(guest, 'echo 2 >/run/memory/counter');
    await withSnapshot(guest.domain, () => sh(guest, 'echo 3 >/run/memory/counter'));
    return sh(guest, 'cat /run/memory/counter');
  });
  expect(counter).toBe('2\n');
  expect(await sh(guest, PROBE)).toBe(pristine);
});
