// One small suite for every runner: the package works in the runner's own realm. `test` is the runner's.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Connection, connect, DiskSnapshotError, Domain, LibvirtError, snapshotDisks } from 'libvirt-disksnapshot';

const rejection = (promise) =>
  promise.then(
    () => assert.fail('it was expected to reject'),
    (error) => error,
  );

export function suite(name) {
  test(`${name}: errors and handles answer instanceof`, async () => {
    const opening = connect('test:///default');
    assert.ok(opening instanceof Promise);
    const conn = await opening;
    assert.ok(conn instanceof Connection);
    const domains = await conn.listAllDomains();
    assert.ok(Object.getPrototypeOf(domains) === Array.prototype && domains[0] instanceof Domain);
    const unknown = await rejection(conn.domainLookupByName('none'));
    assert.ok(unknown instanceof LibvirtError && unknown instanceof Error);
    assert.equal(unknown.codeName, 'NO_DOMAIN');
    assert.ok((await rejection(conn.domainLookupByName(7))) instanceof TypeError);
    assert.ok((await rejection(conn.domainLookupByID(2 ** 40))) instanceof RangeError);
    assert.ok((await rejection(snapshotDisks(domains[0], { disks: ['none'] }))) instanceof DiskSnapshotError);
    await conn.close();
  });

  test(`${name}: deadlines and signals`, async () => {
    const conn = await connect('test:///default');
    const reason = new Error('enough');
    assert.equal(await rejection(conn.listAllDomains({ signal: AbortSignal.abort(reason) })), reason);
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const accepted = once(silent, 'connection');
    const uri = `test+tcp://127.0.0.1:${silent.address().port}/default`;
    const opening = rejection(connect(uri, { timeoutMs: 1000 })); // on a busy machine it begins late
    const [socket] = await accepted;
    const late = await opening;
    assert.ok(late instanceof DOMException && late.name === 'TimeoutError');
    socket.destroy();
    silent.close();
    await conn.close();
  });

  test(`${name}: events`, async () => {
    const conn = await connect('test:///default');
    const own = `<domain type="test"><name>${name}-${process.pid}-${performance.now()}</name><memory>1024</memory><os><type>hvm</type></os></domain>`;
    const events = await conn.subscribe('lifecycle');
    const heard = [];
    const both = new Promise((resolve) => {
      events.on(({ domain }) => heard.push(domain) === 2 && resolve());
    });
    const defined = await conn.domainDefineXML(own);
    await defined.undefine();
    await both;
    assert.ok(heard.every((domain) => domain instanceof Domain));
    await conn.close();
    assert.equal(await conn.closed, 'client');
  });
}
