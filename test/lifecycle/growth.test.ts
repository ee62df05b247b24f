// Months of use, counted: memory, sockets and threads stay where they were, and no call fails. `npm run test:load` runs the whole
// of it, the usual test run a slice.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PrivateLibvirtd } from '../../lib/testing';
import { showFigures } from '../figures';
import { type Stage, stage } from './child';

const isWhole = process.env.LIBVIRT_DISKSNAPSHOT_LOAD === 'whole';
const part = (count: number): number => (isWhole ? count : count / 50);

let place: Stage;
let daemon: PrivateLibvirtd;
const figures: object[] = [];
beforeAll(async () => {
  place = stage();
  daemon = await PrivateLibvirtd.start();
});
afterAll(async () => {
  showFigures(`Growth (${isWhole ? 'the whole' : 'a slice; the whole by npm run test:load'})`, figures);
  await daemon?.close();
  place?.close();
});

const atDaemon = () => `test+unix:///default?socket=${daemon.socket}`;

/** Does something `count` times, a fifth of it more before that to warm up; says what has grown. */
async function grow(
  what: string,
  count: number,
  { open, round, each }: { open?: string; round: string; each: number },
) {
  const script = `
    const { readdirSync, readFileSync, readlinkSync } = require('node:fs');
    const link = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } };
    const look = () => ({
      rss: Number(/VmRSS:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024,
      sockets: readdirSync('/proc/self/fd').filter((fd) => link(fd).startsWith('socket:')).length,
      threads: readdirSync('/proc/self/task').length,
    });
    const settle = async () => { for (let i = 0; i < 20; i++) { gc(); await new Promise((r) => setImmediate(r)); } };
    /** Lanes without work end after 5 s; late releases take a moment. */
    const rest = async (most) => {
      const limit = performance.now() + 20000;
      for (;;) {
        await settle();
        const now = look();
        const isDone = most && now.sockets <= most.sockets && now.threads <= most.threads;
        if (isDone || performance.now() > limit) return now;
        await new Promise((r) => setTimeout(r, 100));
        if (!most) return now;
      }
    };
    ${open ?? ''}
    const round = async () => { ${round} };
    const rounds = Math.ceil(${count} / ${each});
    for (let i = 0; i < rounds / 5; i++) await round();
    const before = await rest();
    const start = performance.now();
    for (let i = 0; i < rounds; i++) await round();
    const seconds = (performance.now() - start) / 1000;
    const after = await rest(before);
    console.log(JSON.stringify({ before, after, seconds }));
    process.exit(0);`;
  const ended = await place.run(script, { nodeArgs: ['--expose-gc'], timeoutMs: 600_000 });
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  const { before, after, seconds } = JSON.parse(ended.stdout);
  const row = {
    count,
    seconds,
    'MiB before': before.rss,
    'MiB after': after.rss,
    sockets: after.sockets - before.sockets,
    threads: after.threads - before.threads,
  };
  figures.push({ what, ...row });
  expect(row.sockets).toBeLessThanOrEqual(0);
  expect(row.threads).toBeLessThanOrEqual(0);
  expect(after.rss - before.rss).toBeLessThan(24);
}

const OPEN = (uri: string) =>
  `const conn = await libvirt.connect('${uri}'); const dom = await conn.domainLookupByName('test');`;
const CALLS = `await Promise.all(Array.from({ length: 50 }, () => Promise.all([dom.getInfo(), dom.getXMLDesc({ timeoutMs: 60000 })])));`;
const CONNECTIONS = (uri: string) => `
  await Promise.all(Array.from({ length: 10 }, async () => {
    const conn = await libvirt.connect('${uri}');
    await (await conn.domainLookupByName('test')).getInfo();
    await conn.close();
  }));`;
const HANDLES = `
  const found = await Promise.all(Array.from({ length: 500 }, () => conn.domainLookupByName('test')));
  const calls = found.map((each) => each.getInfo());
  found.length = 0;
  gc();
  await Promise.all(calls);`;
const LONG = 900_000;

test('calls', () => grow('calls', part(500_000), { open: OPEN('test:///default'), round: CALLS, each: 100 }), LONG);
test(
  'calls to a daemon',
  () => grow('calls to a daemon', part(100_000), { open: OPEN(atDaemon()), round: CALLS, each: 100 }),
  LONG,
);
test(
  'handles collected while their calls run',
  () => grow('handles collected', part(100_000), { open: OPEN('test:///default'), round: HANDLES, each: 500 }),
  LONG,
);
test('connections', () => grow('connections', part(10_000), { round: CONNECTIONS('test:///default'), each: 10 }), LONG);
test(
  'connections to a daemon that answers',
  () => grow('connections to a daemon', part(10_000), { round: CONNECTIONS(atDaemon()), each: 10 }),
  LONG,
);
