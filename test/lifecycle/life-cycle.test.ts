// The life-cycle table: whatever the addon is busy with, and however a process or a worker ends, it ends at once, with its
// own exit code, by no signal, and in silence.
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PrivateLibvirtd, TestGuest } from '../../lib/testing';
import { type SilentHost, silentHost } from '../driver/silent-host';
import { showFigures } from '../figures';
import { hangAgent } from '../hung-agent';
import { type Stage, stage } from './child';

let place: Stage;
let host: SilentHost;
let daemon: PrivateLibvirtd;
let hung: TestGuest;
let copies: string[];
beforeAll(async () => {
  place = stage();
  copies = ['one', 'two'].map(copyOfPackage);
  host = await silentHost();
  daemon = await PrivateLibvirtd.start({ configuration: ['max_workers = 60'] }); // each call to a hung agent keeps one
  hung = await TestGuest.boot({ connection: await daemon.connect(), restorable: false });
  await hangAgent(hung);
}, 180_000);
afterAll(async () => {
  showFigures('Life cycle: exit code, and milliseconds from the last statement to the end of the process', table());
  await hung?.close();
  await hung?.connection.close();
  await daemon?.close();
  await host?.[Symbol.asyncDispose]();
  place?.close();
});

const OPEN = `const conn = await libvirt.connect('test:///default'); const dom = await conn.domainLookupByName('test');`;
const ofHungGuest = (call: string) => `
  const conn = await libvirt.connect(${JSON.stringify(daemon.uri)});
  const dom = await conn.domainLookupByName(${JSON.stringify(hung.name)});
  ${call}.catch(() => {});
  await conn.listAllDomains();`;

/** The package as a program has it that depends on two versions of it: a folder, and a binary, of its own. */
function copyOfPackage(program: string): string {
  const root = join(__dirname, '..', '..');
  const modules = join(place.directory, program, 'node_modules');
  const folder = join(modules, 'libvirt-disksnapshot');
  mkdirSync(folder, { recursive: true });
  const binary = join('build', 'Release', 'disksnapshot_native.node');
  for (const part of ['package.json', 'dist', binary])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** What the addon is busy with. `limit`: an option that ends what would hang. */
const STATES: Record<string, (limit: string) => string> = {
  'only loaded': () => '',
  'a connection open': () => OPEN,
  '500 calls in flight': () => `${OPEN} for (let i = 0; i < 500; i++) dom.getXMLDesc().catch(() => {});`,
  'events coming': () => `${OPEN}
    const events = await conn.subscribe('lifecycle');
    events.on(() => {}); events.unref();
    for (let i = 0; i < 200; i++) { dom.suspend().catch(() => {}); dom.resume().catch(() => {}); }`,
  'four opens hang': (limit) => `
    for (let i = 0; i < 4; i++) libvirt.connect(${JSON.stringify(host.uri)}, ${limit}).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));`,
  'an embedded connection open': () => `
    const root = require('node:fs').mkdtempSync(${JSON.stringify(`${place.directory}/embed-`)});
    const conn = await libvirt.connect('qemu:///embed?root=' + root);
    (await conn.subscribe('lifecycle')).on(() => {}).unref();
    await conn.listAllDomains();`,
  'loaded twice': () => `
    const copies = ${JSON.stringify(copies)}.map(require);
    if (copies[0].connect === copies[1].connect) throw new Error('one copy');
    for (const copy of copies) {
      await copy.connect(${JSON.stringify(daemon.uri)});
      const conn = await copy.connect('test:///default');
      const name = 'of-copy-' + copies.indexOf(copy); // the driver's guests are the process's
      const dom = await conn.domainCreateXML("<domain type='test'><name>" + name + "</name><memory>1024</memory><os><type>hvm</type></os></domain>");
      const events = await conn.subscribe('lifecycle', { domain: dom });
      const iterator = events[Symbol.asyncIterator]();
      await dom.suspend();
      while ((await iterator.next()).value.event !== copy.DomainEventType.SUSPENDED);
      for (let i = 0; i < 200; i++) dom.resume().then(() => dom.suspend()).catch(() => {});
    }`,
  'an agent call pending': (limit) => ofHungGuest(`dom.qemuAgentCommand('{"execute":"guest-ping"}', -2, ${limit})`),
  'a freeze pending': (limit) => ofHungGuest(`dom.fsFreeze(null, ${limit})`),
};

/** How it ends: its last statement, and the exit code. */
const ENDINGS: Record<string, { last: string; code: number; says?: string }> = {
  'natural exit': { last: '', code: 0 },
  'process.exit(7)': { last: 'process.exit(7);', code: 7 },
  'uncaught exception': {
    last: `process.nextTick(() => { throw new Error('on purpose'); });`,
    code: 1,
    says: 'on purpose',
  },
  'unhandled rejection': { last: `Promise.reject(new Error('on purpose'));`, code: 1, says: 'on purpose' },
  'terminate()': {
    last: `require('node:worker_threads').parentPort.postMessage('terminate'); setInterval(() => {}, 1000);`,
    code: 1,
  },
};

const cells = new Map<string, string>();
const table = () =>
  Object.keys(STATES).flatMap((state) =>
    ['main', 'worker'].map((where) => ({
      state,
      where,
      ...Object.fromEntries(Object.keys(ENDINGS).map((ending) => [ending, cells.get(`${state} ${where} ${ending}`)])),
    })),
  );

describe.each(Object.keys(STATES))('%s', (state) => {
  describe.each(['main', 'worker'])('%s', (where) => {
    const endings = Object.keys(ENDINGS).filter((ending) => where === 'worker' || ending !== 'terminate()');
    test.each(endings)('%s', async (ending) => {
      const { last, code, says } = ENDINGS[ending] as (typeof ENDINGS)[string];
      const limit = ending === 'natural exit' ? '{ timeoutMs: 300 }' : '{}';
      const begin = STATES[state]?.(limit);
      const ended = await place.run(`${begin}\nrequire('node:fs').writeSync(1, 'ending');\n${last}`, {
        worker: where === 'worker',
      });
      cells.set(`${state} ${where} ${ending}`, `${ended.signal ?? ended.code}, ${Math.round(ended.endedMs)} ms`);
      expect(ended).toMatchObject({ code, signal: null, stdout: 'ending' });
      if (says === undefined || where === 'worker') expect(ended.stderr).toBe('');
      else expect(ended.stderr).toContain(says);
      expect(ended.endedMs).toBeLessThan(5000);
    });
  });
});
