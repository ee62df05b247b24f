// How a process or a worker ends while the addon is busy: at once, with its own exit code, by no signal, in silence.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type SilentHost, silentHost } from '../driver/silent-host';
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

const OPEN = `const conn = await libvirt.connect('test:///default'); const dom = await conn.domainLookupByName('test');`;
const SUBSCRIBED = `${OPEN} const events = await conn.subscribe('lifecycle');`;
const BUSY = `${OPEN} for (let i = 0; i < 500; i++) dom.getXMLDesc().catch(() => {});`;

/** [what, script, exit code] */
const STEPS: [string, () => string, number][] = [
  ['only loaded', () => '', 0],
  ['an open connection does not hold the process', () => OPEN, 0],
  ['nor does a subscription that nobody waits for', () => SUBSCRIBED, 0],
  ['nor a listener that was let go', () => `${SUBSCRIBED} events.on(() => {}); events.unref();`, 0],
  ['closed connection', () => `${SUBSCRIBED} await conn.close();`, 0],
  ['calls in flight are waited for', () => `${BUSY} dom.getInfo().then(() => { process.exitCode = 7; });`, 7],
  ['process.exit() with calls in flight', () => `${BUSY} process.exit(5);`, 5],
  [
    'process.exit() with opens that hang',
    () =>
      `for (let i = 0; i < 4; i++) libvirt.connect(${JSON.stringify(host.uri)}).catch(() => {}); setTimeout(() => process.exit(6), 100);`,
    6,
  ],
  [
    'process.exit() in the middle of a flood of events',
    () =>
      `${SUBSCRIBED} events.on(() => {}); for (let i = 0; i < 200; i++) { dom.suspend().catch(() => {}); dom.resume().catch(() => {}); } setImmediate(() => process.exit(4));`,
    4,
  ],
  ['process.exit() while it closes', () => `${BUSY} conn.close(); process.exit(3);`, 3],
];

describe.each([
  ['main', false],
  ['worker', true],
])('%s', (_where, worker) => {
  test.each(STEPS)('%s', async (_what, script, code) => {
    const ended = await place.run(script(), { worker });
    expect(ended).toMatchObject({ code, signal: null, stderr: '' });
    expect(ended.ms).toBeLessThan(5000);
  });

  test('an uncaught exception with calls in flight', async () => {
    const ended = await place.run(`${BUSY} setImmediate(() => { throw new Error('on purpose'); });`, { worker });
    expect(ended).toMatchObject({ code: 1, signal: null });
    if (!worker) expect(ended.stderr).toContain('on purpose');
  });
});

test('many exits in a row with calls in flight, never by a signal', async () => {
  for (let i = 0; i < 15; i++) {
    const ended = await place.run(`${BUSY} setTimeout(() => process.exit(9), ${i});`);
    expect(ended).toMatchObject({ code: 9, signal: null, stderr: '' });
  }
});
