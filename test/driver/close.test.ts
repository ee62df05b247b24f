// close(): refuses what is new, lets what runs end, releases what there is.
import { expect, test } from '@jest/globals';
import { type Connection, connect, type Domain, LibvirtError } from '../../lib/libvirt';
import { rejection } from './test-driver';

test('calls in flight end; later ones are refused with an ordinary error', async () => {
  const conn = await connect('test:///default');
  const dom = await conn.domainLookupByName('test');
  const inFlight = Array.from({ length: 50 }, () => dom.getInfo());
  const closing = conn.close();
  const late = await rejection(dom.getInfo());
  expect(late).toBeInstanceOf(LibvirtError);
  expect(late).toMatchObject({ codeName: 'INVALID_CONN', message: 'the connection is closed' });
  expect(await Promise.all(inFlight)).toHaveLength(50);
  await closing;
  expect(await rejection(conn.listAllDomains())).toMatchObject({ codeName: 'INVALID_CONN' });
  expect(() => dom.getName()).toThrow(LibvirtError);
});

test('twice is the same as once; closed resolves', async () => {
  const conn = await connect('test:///default');
  await Promise.all([conn.close(), conn.close()]);
  await conn.close();
  expect(await conn.closed).toBe('client');
});

test('await using closes', async () => {
  let ended: Promise<string>;
  {
    await using conn = await connect('test:///default');
    ended = conn.closed;
  }
  expect(await ended).toBe('client');
});

test('two thousand connections, each with a guest, opened and closed', async () => {
  for (let i = 0; i < 40; i++) {
    const conns = await Promise.all(Array.from({ length: 50 }, () => connect('test:///default')));
    await Promise.all(
      conns.map(async (conn) => {
        await (await conn.domainLookupByName('test')).getInfo();
        await conn.close();
      }),
    );
  }
});

// The test driver keeps its guests for as long as any connection to it stands: one that is left behind shows in the next.
test.each<[string, (conn: Connection, dom: Domain) => Promise<unknown>]>([
  ['nothing else', async () => undefined],
  ['a snapshot', (_conn, dom) => dom.snapshotCreateXML('<domainsnapshot/>')],
  ['lookups', (conn) => Promise.all([conn.networkLookupByName('default'), conn.nodeDeviceLookupByName('computer')])],
  ['a stream', (conn) => conn.streamNew()],
  ['events', async (conn, dom) => (await conn.subscribe('lifecycle')) && dom.suspend()],
])('the connection has ended when close() resolves: with %s', async (_what, work) => {
  const xml = "<domain type='test'><name>only</name><memory>1024</memory><os><type>hvm</type></os></domain>";
  for (let round = 0; round < 100; round++) {
    const conn = await connect('test:///default');
    const dom = await conn.domainCreateXML(xml);
    await work(conn, dom);
    await conn.close();
  }
});
