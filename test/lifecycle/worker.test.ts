// Workers: each environment has its own connections, calls and events, and may be terminated at any moment.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type SilentHost, silentHost } from '../driver/silent-host';
import { laneThreads } from '../lane-threads';
import { type Stage, stage } from './child';

let place: Stage;
let host: SilentHost;
beforeAll(async () => {
  place = stage();
  host = await silentHost();
});
afterAll(async () => {
  place.close();
  await host[Symbol.asyncDispose]();
});

/** A worker's program, as an expression. */
const worker = (body: string) =>
  `new (require('node:worker_threads').Worker)(${JSON.stringify(
    `const libvirt = require('node:worker_threads').workerData && require(require('node:worker_threads').workerData); const { parentPort } = require('node:worker_threads'); (async () => { ${body} })();`,
  )}, { eval: true, workerData: require.resolve(${JSON.stringify(`${place.directory}/lib/libvirt`)}) })`;

const BUSY = `const conn = await libvirt.connect('test:///default'); const dom = await conn.domainLookupByName('test');
  const events = await conn.subscribe('lifecycle'); events.on(() => {});
  for (let i = 0; i < 300; i++) { dom.getXMLDesc().catch(() => {}); dom.suspend().catch(() => {}); dom.resume().catch(() => {}); }
  parentPort.postMessage('busy');`;

test('twenty at once, each with its own connection and events', async () => {
  const ended = await place.run(`
    const seen = await Promise.all(Array.from({ length: 20 }, () => new Promise((resolve, reject) => {
      const w = ${worker(`
        const conn = await libvirt.connect('test:///default');
        const dom = await conn.domainLookupByName('test');
        const infos = await Promise.all(Array.from({ length: 100 }, () => dom.getInfo()));
        const own = await conn.domainDefineXML('<domain type="test"><name>own-' + require('node:worker_threads').threadId
          + '</name><memory>1024</memory><os><type>hvm</type></os></domain>');
        const events = await conn.subscribe('lifecycle', { domain: own });
        await own.create();
        for await (const { domain } of events) {
          if (domain.getName() !== own.getName() || domain.connection !== conn) throw new Error('of another worker');
          break;
        }
        await own.destroy();
        await own.undefine();
        await conn.close();
        parentPort.postMessage(infos.length);`)};
      w.on('message', resolve); w.on('error', reject);
    })));
    console.log(seen.length, new Set(seen).size);`);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: '20 1\n' });
});

test('terminate() with calls in flight and events coming; the main thread goes on', async () => {
  const ended = await place.run(`
    for (let round = 0; round < 10; round++) {
      const w = ${worker(BUSY)};
      await new Promise((resolve) => w.once('message', resolve));
      await w.terminate();
    }
    const conn = await libvirt.connect('test:///default');
    console.log((await conn.listAllDomains()).length);
    await conn.close();`);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: '1\n' });
});

test('terminate() with opens that hang leaves no socket and no thread in the process', async () => {
  const ended = await place.run(`
    const own = ${laneThreads};
    const w = ${worker(
      `for (let i = 0; i < 4; i++) libvirt.connect(${JSON.stringify(host.uri)}).catch(() => {}); setTimeout(() => parentPort.postMessage('hung'), 100);`,
    )};
    await new Promise((resolve) => w.once('message', resolve));
    const before = own();
    await w.terminate();
    while (own() > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    console.log(before, own());`);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: '4 0\n' });
});

test('terminate() with opens that hang returns at once', async () => {
  const ended = await place.run(`
    const w = ${worker(
      `for (let i = 0; i < 4; i++) libvirt.connect(${JSON.stringify(host.uri)}).catch(() => {}); setTimeout(() => parentPort.postMessage('hung'), 100);`,
    )};
    await new Promise((resolve) => w.once('message', resolve));
    const start = performance.now();
    await w.terminate();
    console.log(performance.now() - start < 500);`);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: 'true\n' });
});
