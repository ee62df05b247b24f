// A process that reads a snapshot until it is killed: URI, domain, snapshot.
const { connect, findDiskSnapshot } = require('../../dist');

void (async () => {
  const [uri, guest, name] = process.argv.slice(2);
  const connection = await connect(uri);
  const set = await findDiskSnapshot(await connection.domainLookupByName(guest), name);
  set.read('vda').resume();
})();
