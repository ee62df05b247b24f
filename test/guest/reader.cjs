// A process that reads a snapshot until it is killed: URI, domain, snapshot; with `hold`, it stops at the first bytes, and says so.
// With `raw` or `qcow2`, and a path, it exports it, and stops and says so at the first sign of progress.
const { writeSync } = require('node:fs');
const { connect, findDiskSnapshot } = require('../../dist');

void (async () => {
  const [uri, guest, name, hold, path] = process.argv.slice(2);
  const connection = await connect(uri);
  const set = await findDiskSnapshot(await connection.domainLookupByName(guest), name);
  if (path !== undefined) {
    return set.disks[0].export(path, {
      format: hold,
      onProgress() {
        writeSync(1, 'exporting');
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      },
    });
  }
  const reading = set.read('vda');
  if (hold === undefined) return reading.resume();
  reading.once('readable', () => process.stdout.write('reading'));
  setInterval(() => undefined, 60_000);
})();
