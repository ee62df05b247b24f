// Holds many handles, and says by how much that made the process larger.
import { createRequire } from 'node:module';

const LISTS = 10;

const { connect } = createRequire(import.meta.url)('../../dist');
const connection = await connect(process.argv[2]);

/** After everything that is only garbage has gone, natively too. */
async function used() {
  for (let i = 0; i < 5; i++) {
    gc();
    await connection.listAllDomains(); // queues behind what the collector gave back
  }
  gc();
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, heapUsed };
}

const before = await used();
const held = [];
for (let i = 0; i < LISTS; i++) held.push(...(await connection.listAllDomains()));
const after = await used();
console.log(
  JSON.stringify({
    handles: held.length,
    bytes: after.rss - before.rss,
    heapBytes: after.heapUsed - before.heapUsed,
  }),
);
await connection.close();
