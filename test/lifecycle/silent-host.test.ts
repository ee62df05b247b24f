// Four opens to a host that accepts and never answers: files, timers, other calls and the end of the process do not notice. And
// calls of one connection that hang.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type SilentHost, silentHost } from '../driver/silent-host';
import { showFigures } from '../figures';
import { type Stage, stage } from './child';

let place: Stage;
let host: SilentHost;
beforeAll(async () => {
  place = stage();
  host = await silentHost();
});
afterAll(async () => {
  place?.close();
  await host?.[Symbol.asyncDispose]();
});

test('fs.stat, the event loop, a deadline, process.exit()', async () => {
  const ended = await place.run(`
    const { stat } = require('node:fs/promises');
    const uri = ${JSON.stringify(host.uri)};
    let settled = 0;
    for (let i = 0; i < 4; i++) libvirt.connect(uri).finally(() => { settled++; }).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 100));
    let gap = 0;
    let last = performance.now();
    const ticks = setInterval(() => { gap = Math.max(gap, performance.now() - last); last = performance.now(); }, 1);
    let slowest = 0;
    for (let i = 0; i < 500; i++) {
      const start = performance.now();
      await stat('/');
      slowest = Math.max(slowest, performance.now() - start);
    }
    const start = performance.now();
    const error = await libvirt.connect(uri, { timeoutMs: 500 }).catch((e) => e);
    const rejected = performance.now() - start;
    clearInterval(ticks);
    require('node:fs').writeSync(1, JSON.stringify({ settled, error: error.name, slowest, gap, rejected }));
    process.exit(0);`);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  const { settled, error, slowest, gap, rejected } = JSON.parse(ended.stdout);
  expect({ settled, error }).toEqual({ settled: 0, error: 'TimeoutError' });
  showFigures('Four opens to a silent host are pending (ms)', [
    { what: 'slowest of 500 fs.stat', ms: slowest, goal: 20 },
    { what: 'largest gap of the event loop', ms: gap, goal: 50 },
    { what: 'a call with timeoutMs: 500 rejects', ms: rejected, goal: 600 },
    { what: 'process.exit() until the process has ended', ms: ended.endedMs, goal: 'at once' },
  ]);
  expect(slowest).toBeLessThan(2000);
  expect(gap).toBeLessThan(2000);
  expect(rejected).toBeGreaterThan(490);
  expect(rejected).toBeLessThan(3000);
  expect(ended.endedMs).toBeLessThan(3000);
});

test('three calls of a connection are in flight, however many hang: of five, libvirtd would close it', async () => {
  const pipe = join(place.directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const ended = await place.run(`
    const { openSync, readdirSync, readlinkSync, writeSync } = require('node:fs');
    const pipe = ${JSON.stringify(pipe)};
    const isPipe = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd) === pipe; } catch { return false; } };
    const readers = () => readdirSync('/proc/self/fd').filter(isPipe).length - 1;
    const other = openSync(pipe, 'r+');
    const conn = await libvirt.connect('test:///default');
    const dom = await conn.domainLookupByName('test');
    const hung = Array.from({ length: 12 }, () => conn.domainRestore(pipe).catch(() => {}));
    while (readers() < 3) await new Promise((resolve) => setImmediate(resolve));
    const error = await dom.suspend({ timeoutMs: 200 }).catch((e) => e);
    console.log(readers(), error.name);
    writeSync(other, 'no image'.repeat(100));
    await Promise.all(hung);
    await conn.close();`);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: '3 TimeoutError\n' });
});
