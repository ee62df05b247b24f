// The test guest keeps its promises: up by one call, back by another, and gone without a trace.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { DomainSnapshotCreateFlags } from '../../lib/libvirt';
import { startWriter, TestGuest, withSnapshot } from '../../lib/testing';
import { run } from '../../lib/testing/command';
import { inFolder } from '../in-folder';

jest.setTimeout(180_000);

const sh = (guest: TestGuest, script: string) => guest.exec(['sh', '-c', script]);

/** Command lines of all QEMU processes that name a folder. */
function qemusIn(folder: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const command = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';
      return command.includes('qemu-system') && command.includes(`${folder}/`) ? [command] : [];
    } catch {
      return []; // it has just ended
    }
  });
}

describe('a running guest', () => {
  let guest: TestGuest;
  beforeAll(async () => {
    guest = await TestGuest.boot({ disks: 2 });
  });
  afterAll(() => guest.close());

  test('has its disks mounted in order', async () => {
    const { stdout } = await sh(guest, 'mount | grep ext4 | cut -d" " -f1-5');
    expect(stdout).toBe('/dev/vda on /mnt/a type ext4\n/dev/vdb on /mnt/b type ext4\n');
  });

  test('runs a program without a shell in between', async () => {
    const result = await guest.exec(['printf', '%s|', '$HOME', 'a b', "'"]);
    expect(result).toEqual({ exitCode: 0, stdout: "$HOME|a b|'|", stderr: '' });
  });

  test('gives exit code, both outputs and the input', async () => {
    const result = await guest.exec(['sh', '-c', 'tr a-z A-Z; echo oops >&2; exit 7'], { input: 'größe' });
    expect(result).toEqual({ exitCode: 7, stdout: 'GRößE', stderr: 'oops\n' });
  });

  test('ends a program that takes too long', async () => {
    await expect(guest.exec(['sleep', '1000'], { timeoutMs: 300 })).rejects.toMatchObject({ name: 'TimeoutError' });
    expect((await sh(guest, 'pidof sleep')).stdout).toBe('');
  });

  test('refuses an empty command', async () => {
    await expect(guest.exec([])).rejects.toThrow(RangeError);
  });

  test('takes as much input as gets through, and refuses more', async () => {
    const input = 'x'.repeat(96 * 1024);
    expect((await guest.exec(['wc', '-c'], { input })).stdout.trim()).toBe(String(input.length));
    await expect(guest.exec(['wc', '-c'], { input: `${input}x` })).rejects.toThrow('use writeFile');
  });

  test('takes files and gives them, whatever their bytes', async () => {
    const bytes = Buffer.from(Array.from({ length: 300 * 1024 }, (_, at) => (at * 7) % 251));
    await guest.writeFile('/mnt/a/new folder/x', bytes, { mode: 0o600 });
    expect((await guest.readFile('/mnt/a/new folder/x')).equals(bytes)).toBe(true);
    expect((await sh(guest, 'stat -c %a "/mnt/a/new folder/x"')).stdout).toBe('600\n');
    await expect(guest.readFile('/none')).rejects.toThrow('/none');
  });

  test('measures a freeze by its own clock', async () => {
    const writer = await startWriter(guest, { directories: ['/mnt/a', '/mnt/b'] });
    await writer.mark();
    await guest.domain.fsFreeze();
    const frozen = performance.now();
    await guest.exec(['true']).catch(() => {}); // refused while frozen: one more round trip within the freeze
    const atLeast = performance.now() - frozen;
    await guest.domain.fsThaw();
    expect(await writer.largestGapMs()).toBeGreaterThan(atLeast);
    await writer.stop();
  });

  test('withSnapshot brings memory and disks back, and passes the result on', async () => {
    const result = await withSnapshot(guest.domain, async (domain) => {
      await sh(guest, 'echo dirty > /mnt/b/disk; echo dirty > /run/memory; sync');
      return domain.getName();
    });
    expect(result).toBe(guest.name);
    expect((await sh(guest, 'ls /mnt/b/disk /run/memory')).stdout).toBe('');
  });

  test('withSnapshot brings them back also where the test fails', async () => {
    const failing = withSnapshot(guest.domain, async () => {
      await sh(guest, 'echo dirty > /mnt/b/disk');
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    expect((await sh(guest, 'ls /mnt/b/disk')).stdout).toBe('');
  });

  test('restore brings memory and disks back in place', async () => {
    const before = guest.domain.getID();
    await sh(guest, 'echo dirty > /mnt/a/disk; echo dirty > /run/memory; sync');
    await guest.restore();
    expect((await sh(guest, 'ls /mnt/a/disk /run/memory')).stdout).toBe('');
    expect(guest.domain.getID()).toBe(before);
  });

  test('restore lets a frozen guest and a paused guest go on', async () => {
    await guest.domain.fsFreeze();
    await guest.restore();
    expect((await sh(guest, 'echo thawed > /mnt/a/disk && cat /mnt/a/disk')).stdout).toBe('thawed\n');
    await guest.domain.suspend();
    await guest.restore();
    expect((await sh(guest, 'echo running')).stdout).toBe('running\n');
  });

  test('restore goes back to its own files where a disk was switched to another', async () => {
    const overlay = join(guest.directory, 'overlay.qcow2');
    await guest.domain.snapshotCreateXML(
      `<domainsnapshot><disks><disk name='vda' snapshot='external'><source file='${overlay}'/></disk><disk name='vdb' snapshot='no'/></disks></domainsnapshot>`,
      [DomainSnapshotCreateFlags.DISK_ONLY, DomainSnapshotCreateFlags.NO_METADATA],
    );
    await sh(guest, 'echo dirty > /mnt/a/disk; sync');
    await guest.restore();
    expect(existsSync(overlay)).toBe(false);
    expect((await sh(guest, 'ls /mnt/a/disk')).stdout).toBe('');
    expect(await guest.domain.getXMLDesc()).toContain(guest.image('vda'));
  });

  test('restore brings a guest back that was switched off', async () => {
    await guest.domain.destroy();
    await guest.restore();
    expect((await sh(guest, 'echo running')).stdout).toBe('running\n');
  });
});

test('several guests boot at once, each with its own hardware', async () => {
  const guests = await Promise.all([1, 2, 3].map((disks) => TestGuest.boot({ disks })));
  try {
    const mounts = await Promise.all(guests.map((guest) => sh(guest, 'ls /mnt')));
    expect(mounts.map(({ stdout }) => stdout)).toEqual(['a\n', 'a\nb\n', 'a\nb\nc\n']);
  } finally {
    await Promise.all(guests.map((guest) => guest.close()));
  }
});

test('raw, block and CD drives are attached as asked', async () => {
  await using guest = await TestGuest.boot({
    disks: [{ format: 'raw' }, { type: 'block', ext4: false }, { type: 'cdrom' }],
  });
  const xml = await guest.domain.getXMLDesc();
  expect(xml).toMatch(/<disk type='block' device='disk'>\s*<driver name='qemu' type='qcow2' cache='unsafe'\/>/);
  expect(xml).toMatch(/<disk type='file' device='cdrom'>/);
  expect((await sh(guest, 'ls /mnt')).stdout).toBe('a\nb\n');
  await sh(guest, 'echo dirty > /mnt/a/disk; sync');
  await guest.restore(); // raw disks keep no state
  expect((await sh(guest, 'ls /mnt/a/disk')).stdout).toBe('');
});

test('withSnapshot brings back the disks where they keep no memory, and the guest runs if it ran', async () => {
  await using guest = await TestGuest.boot({ disks: [{ format: 'raw' }], persistent: true });
  const { domain } = guest;
  await withSnapshot(domain, () => sh(guest, 'echo dirty >/mnt/a/disk; sync'));
  expect((await sh(guest, 'ls /mnt/a/disk')).stdout).toBe('');
  await domain.destroy();
  await withSnapshot(domain, (off) => off.create());
  expect(await domain.isActive()).toBe(false);
});

test('a guest without an agent boots too', async () => {
  await using guest = await TestGuest.boot({ agent: false });
  expect(await guest.domain.isActive()).toBe(true);
  expect(await guest.domain.getXMLDesc()).not.toContain('guest_agent');
});

test('a persistent guest may be off', async () => {
  await using guest = await TestGuest.boot({ start: false });
  expect(await guest.domain.isActive()).toBe(false);
  expect(await guest.domain.isPersistent()).toBe(true);
});

test('close leaves nothing, and may be called twice', async () => {
  const guest = await TestGuest.boot({ persistent: true, disks: [{ type: 'block' }] });
  const { connection, directory, name } = guest;
  const device = /source dev='(\/dev\/loop\d+)'/.exec(await guest.domain.getXMLDesc())?.[1];
  await using other = await TestGuest.boot({ start: false }); // keeps the connection open
  await Promise.all([guest.close(), guest.close()]);
  await guest.close();
  expect(existsSync(directory)).toBe(false);
  expect(qemusIn(directory)).toEqual([]);
  expect((await connection.listAllDomains()).map((domain) => domain.getName())).toEqual([other.name]);
  expect(existsSync(`/sys/block/${device?.replace('/dev/', '')}/loop/backing_file`)).toBe(false);
  expect(() => guest.domain).toThrow(`the guest ${name} is closed`);
});

test('an abort ends a boot, and leaves nothing', async () => {
  await using other = await TestGuest.boot({ start: false });
  const folders = () => readdirSync(dirname(other.directory));
  const before = folders();
  const reason = new Error('enough');
  const abort = new AbortController();
  const boot = TestGuest.boot({ signal: abort.signal });
  const lifecycle = await other.connection.subscribe('lifecycle');
  lifecycle.on(() => abort.abort(reason)); // the first sign of the new guest
  await expect(boot).rejects.toBe(reason);
  await lifecycle[Symbol.asyncDispose]();
  expect(folders()).toEqual(before);
  expect(await other.connection.listAllDomains()).toHaveLength(1);
});

test('a guest that cannot boot ends, and says so', async () => {
  await expect(TestGuest.boot({ memoryMiB: 40 })).rejects.toThrow('did not come up; its console ends with: ');
});

test('a guest that takes too long is ended', async () => {
  await using other = await TestGuest.boot({ start: false });
  await expect(TestGuest.boot({ bootTimeoutMs: 300 })).rejects.toThrow('did not answer within 300 ms');
  expect((await other.connection.listAllDomains()).map((domain) => domain.getName())).toEqual([other.name]);
});

test('guest, files and loop devices go with a process that is killed', async () => {
  const program = `require(${JSON.stringify(join(__dirname, '../../dist/testing'))}).TestGuest.boot({ disks: [{ type: 'block' }] }).then((guest) => {
    console.log(guest.directory);
    process.kill(process.pid, 'SIGKILL');
  });`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const folder = dirname(said.toString().trim());
  await inFolder(tmpdir(), () => !existsSync(folder));
  expect(child.signalCode).toBe('SIGKILL');
  expect(qemusIn(folder)).toEqual([]);
  const loops = async () => (await run('losetup', ['--list', '--output', 'BACK-FILE'])).stdout;
  const limit = AbortSignal.timeout(10_000); // the kernel lets go of a device when QEMU's last file is closed
  while ((await loops()).includes(folder) && !limit.aborted) await delay(20);
  expect(await loops()).not.toContain(folder);
});
