// A process that reads a snapshot until it is killed: URI, domain, snapshot; with `hold`, it stops at the first bytes, and says so.
const { connect, findDiskSnapshot } = require('../../dist');

void (async () => {
  const [uri, guest, name, hold] = process.argv.slice(2);
  const connection = await connect(uri);
  const set = await findDiskSnapshot(await connection.domainLookupByName(guest), name);
  const reading = set.read('vda');
  if (hold === undefined) return reading.resume();
  reading.once('readable', () => process.stdout.write('reading'));
  setInterval(() => undefined, 60_000);
})();
