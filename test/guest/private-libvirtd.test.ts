// The private daemon: guests survive its death, nobody else's libvirt is touched, nothing is left.
import { existsSync } from 'node:fs';
import { expect, jest, test } from '@jest/globals';
import { LibvirtError } from '../../lib/libvirt';
import { PrivateLibvirtd, TestGuest } from '../../lib/testing';

jest.setTimeout(180_000);

test('a guest survives the death of its daemon', async () => {
  await using daemon = await PrivateLibvirtd.start();
  await using connection = await daemon.connect();
  const guest = await TestGuest.boot({ connection });
  await daemon.kill();
  expect(daemon.pid).toBeUndefined();
  await expect(guest.domain.getState()).rejects.toThrow(LibvirtError);

  await daemon.restart();
  await using again = await daemon.connect();
  const found = await again.domainLookupByName(guest.name);
  expect(await found.qemuMonitorCommand('{"execute":"query-status"}')).toContain('"running"');
  await found.destroy();
  expect((await daemon.virsh('list', '--all', '--name')).stdout.trim()).toBe('');

  // The connection that it was booted on is gone: it says so, and still removes its files.
  await expect(guest.close()).rejects.toThrow(LibvirtError);
  expect(existsSync(guest.directory)).toBe(false);
});

test('a daemon that hangs answers when it is let go', async () => {
  await using daemon = await PrivateLibvirtd.start();
  await using connection = await daemon.connect();
  daemon.suspend();
  await expect(connection.getHostname({ timeoutMs: 200 })).rejects.toMatchObject({ name: 'TimeoutError' });
  daemon.resume();
  expect(await connection.getHostname()).not.toBe('');
});

test('two daemons do not see each other', async () => {
  await using one = await PrivateLibvirtd.start();
  await using two = await PrivateLibvirtd.start();
  await using connection = await one.connect();
  await using guest = await TestGuest.boot({ connection, start: false });
  expect((await one.virsh('list', '--all', '--name')).stdout.trim()).toBe(guest.name);
  expect((await two.virsh('list', '--all', '--name')).stdout.trim()).toBe('');
});

test('close ends daemon and guests and removes the folder', async () => {
  const daemon = await PrivateLibvirtd.start();
  const { directory } = daemon;
  const pid = daemon.pid ?? 0;
  await daemon.close();
  await daemon.close();
  expect(existsSync(directory)).toBe(false);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
});
