// The daemon at the other end stops or dies under load: every promise settles by its limit, and the reason is told.
import { expect, jest, test } from '@jest/globals';
import { type Connection, type Domain, LibvirtError } from '../../lib/libvirt';
import { PrivateLibvirtd } from '../../lib/testing/private-libvirtd';
import { rejection } from '../driver/test-driver';

jest.setTimeout(60_000);

const GUEST = `<domain type='qemu'><name>guest</name><memory unit='MiB'>16</memory><os><type arch='x86_64'>hvm</type></os></domain>`;

async function load(conn: Connection): Promise<{ domain: Domain; calls: Promise<unknown>[] }> {
  const domain = await conn.domainDefineXML(GUEST);
  return { domain, calls: Array.from({ length: 100 }, () => domain.getXMLDesc().catch((error: unknown) => error)) };
}

test('killed: calls fail, subscriptions say so, closed tells the reason, and a new connection works', async () => {
  await using daemon = await PrivateLibvirtd.start();
  await using conn = await daemon.connect();
  const { domain, calls } = await load(conn);
  const events = await conn.subscribe('reboot');
  const next = rejection(events[Symbol.asyncIterator]().next());
  await daemon.kill();
  for (const result of await Promise.all(calls))
    expect(typeof result === 'string' || result instanceof LibvirtError).toBe(true);
  expect(['eof', 'error']).toContain(await conn.closed);
  expect(await next).toMatchObject({ codeName: 'INVALID_CONN', message: expect.stringContaining('lost') });
  expect(await rejection(domain.getInfo())).toBeInstanceOf(LibvirtError);
  await events[Symbol.asyncDispose]();
});

test('stopped: keepalive finds it dead', async () => {
  await using daemon = await PrivateLibvirtd.start();
  await using conn = await daemon.connect({ keepAlive: { interval: 1, count: 2 } });
  const { domain } = await load(conn);
  const start = performance.now();
  daemon.suspend();
  try {
    expect(await rejection(domain.getXMLDesc())).toBeInstanceOf(LibvirtError);
    expect(await conn.closed).toBe('keepalive');
    expect(performance.now() - start).toBeLessThan(10_000);
  } finally {
    daemon.resume();
  }
});

test('stopped: limits hold, and close() ends', async () => {
  await using daemon = await PrivateLibvirtd.start();
  const conn = await daemon.connect({ keepAlive: { interval: 2, count: 2 } });
  const domain = await conn.domainDefineXML(GUEST);
  daemon.suspend();
  try {
    const start = performance.now();
    const errors = await Promise.all(
      Array.from({ length: 20 }, () => rejection(domain.getXMLDesc({ timeoutMs: 500 }))),
    );
    expect(performance.now() - start).toBeLessThan(1500);
    for (const error of errors) expect(error).toMatchObject({ name: 'TimeoutError' });
    await conn.close();
    expect(performance.now() - start).toBeLessThan(10_000);
  } finally {
    daemon.resume();
  }
});
