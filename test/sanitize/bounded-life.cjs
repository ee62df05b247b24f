// A bounded life of the addon: everything that takes memory is done some times and given back. A leak detector runs it, and
// what is then lost was lost by us.
const { join } = require('node:path');
const { Worker, isMainThread } = require('node:worker_threads');
const { connect } = require(join(__dirname, '..', '..', 'dist', 'libvirt'));

const GUEST = "<domain type='test'><name>guest</name><memory>1024</memory><os><type>hvm</type></os></domain>";
const ignore = () => undefined;

async function life() {
  const conn = await connect('test:///default');
  const dom = await conn.domainCreateXML(GUEST);
  const events = await conn.subscribe('lifecycle');
  const iterator = events[Symbol.asyncIterator]();

  await Promise.all(Array.from({ length: 10 }, () => [dom.getXMLDesc(), dom.getInfo(), dom.getState()]).flat());
  await conn.getAllDomainStats();
  await conn.domainListGetStats([dom, dom]);
  await conn.listAllDomains();
  await dom.getFSInfo().catch(ignore);
  await dom.getDiskErrors().catch(ignore);
  await dom.setMetadata(2, '<a/>', 'p', 'urn:p', { flags: 1 }).catch(ignore);
  dom.getName();
  dom.getUUID();

  // Refused before libvirt, refused by libvirt, given up, too late.
  await dom.getXMLDesc('x').catch(ignore);
  await conn.domainLookupByName('none').catch(ignore);
  await dom.getXMLDesc({ signal: AbortSignal.abort() }).catch(ignore);
  const abort = new AbortController();
  const given = Array.from({ length: 10 }, () => conn.listAllDomains({ signal: abort.signal }).catch(ignore));
  abort.abort();
  await Promise.all(given);
  await dom.getXMLDesc({ timeoutMs: 0.001 }).catch(ignore);
  await connect('test:///nowhere').catch(ignore);

  const snapshot = await dom.snapshotCreateXML('<domainsnapshot/>');
  await snapshot.getXMLDesc();
  await snapshot.delete();
  const pool = await conn.storagePoolLookupByName('default-pool');
  await (await pool.storageVolCreateXML('<volume><name>v</name><capacity>1024</capacity></volume>')).delete();

  await dom.suspend();
  await dom.resume();
  await iterator.next();
  await iterator.return();
  const late = dom.getXMLDesc().catch(ignore);
  await conn.close();
  await late;
  await dom.getXMLDesc().catch(ignore);
}

async function main() {
  for (let round = 0; round < 5; round++) await life();
  if (!isMainThread) return;
  const worker = new Worker(__filename);
  await new Promise((resolve) => worker.once('exit', resolve));
  // Handles that nobody holds go back on the threads of their connections.
  for (let i = 0; i < 10; i++) {
    globalThis.gc?.();
    await new Promise(setImmediate);
  }
  console.log('lived');
}

void main();
