// Months of use in seconds: handles collected while calls run, connections that nobody closes, no growth.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Stage, stage } from './child';

let place: Stage;
beforeAll(() => {
  place = stage();
});
afterAll(() => place.close());

const RESOURCES = `
  const { readdirSync } = require('node:fs');
  const resources = () => ({ rss: process.memoryUsage().rss, sockets: readdirSync('/proc/self/fd').length });
  const settle = async () => { for (let i = 0; i < 20; i++) { gc(); await new Promise((r) => setImmediate(r)); } };`;

test('handles are collected while their calls run', async () => {
  const ended = await place.run(
    `${RESOURCES}
    const conn = await libvirt.connect('test:///default');
    const round = async () => {
      const calls = [];
      for (let i = 0; i < 1000; i++) calls.push(conn.domainLookupByName('test').then((dom) => dom.getInfo()));
      gc();
      for (const { nrVirtCpu } of await Promise.all(calls)) if (nrVirtCpu !== 2) throw new Error('wrong');
    };
    for (let i = 0; i < 30; i++) await round();
    await settle();
    const before = resources();
    for (let i = 0; i < 40; i++) await round();
    await settle();
    const after = resources();
    console.log(JSON.stringify({ grownMiB: (after.rss - before.rss) / 2 ** 20, sockets: after.sockets - before.sockets }));
    await conn.close();`,
    { nodeArgs: ['--expose-gc'] },
  );
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  const { grownMiB, sockets } = JSON.parse(ended.stdout);
  expect(grownMiB).toBeLessThan(20);
  expect(sockets).toBe(0);
});

test('a handle that is collected while its call waits for its turn is good until the call has ended', async () => {
  const pipe = join(place.directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const ended = await place.run(
    `${RESOURCES}
    const fs = require('node:fs');
    const { native } = require(${JSON.stringify(join(place.directory, 'lib', 'native'))});
    const line = (name) => native.functions.find((one) => one.name === name);
    const handle = Symbol.for('libvirt-disksnapshot.native handle');
    // The addon's own functions, since those around them keep the handles of their calls; and the queue of what must get
    // through, since the other one gives the references back.
    const begun = () => {
      let settle;
      const ended = new Promise((resolve) => { settle = (value, failure) => resolve(failure ? failure.message : value.nrVirtCpu); });
      return { settle, ended };
    };
    const call = (name, object, ...args) => {
      const { settle, ended } = begun();
      line(name).invoke(settle, 0, true, 0, object[handle], ...args);
      return ended;
    };
    const conn = await libvirt.connect('test:///default');
    const refs = [];
    const lookUp = async () => {
      const dom = await conn.domainLookupByName('test');
      refs.push(new WeakRef(dom));
      return dom;
    };
    const hung = call('virDomainRestore', conn, ${JSON.stringify(pipe)});
    const calls = [];
    for (let i = 0; i < 100; i++) calls.push(call('virDomainGetInfo', await lookUp()));
    await settle();
    await conn.listAllDomains(); // behind the releases
    const kept = refs.filter((ref) => ref.deref() !== undefined).length;
    const other = fs.openSync(${JSON.stringify(pipe)}, 'r+');
    fs.writeSync(other, 'no image'.repeat(100));
    await hung;
    console.log(kept < 5, new Set(await Promise.all(calls)));
    await conn.close();`,
    { nodeArgs: ['--expose-gc'] },
  );
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: 'true Set(1) { 2 }\n' });
});

test('calls of every kind, again and again: no growth', async () => {
  const ended = await place.run(
    `${RESOURCES}
    const conn = await libvirt.connect('test:///default');
    const dom = await conn.domainLookupByName('test');
    const round = () => Promise.all(Array.from({ length: 200 }, () => Promise.all([
      dom.getXMLDesc(), dom.getInfo({ timeoutMs: 60000 }), dom.getFSInfo(), conn.getAllDomainStats(), conn.listAllDomains(),
      dom.getTime({ signal: new AbortController().signal }), dom.getDiskErrors(), conn.domainLookupByName('none').catch(() => {}),
      dom.blockResize('vda', -1).catch(() => {}), dom.getBlockJobInfo('vda').catch(() => {}),
    ])));
    for (let i = 0; i < 10; i++) await round();
    await settle();
    const before = resources();
    for (let i = 0; i < 30; i++) await round();
    await settle();
    console.log((resources().rss - before.rss) / 2 ** 20);
    await conn.close();`,
    { nodeArgs: ['--expose-gc'] },
  );
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  expect(Number(ended.stdout)).toBeLessThan(20);
});

test('a connection that nobody closes is closed when it is collected', async () => {
  const ended = await place.run(
    `${RESOURCES}
    const { readFileSync, readlinkSync } = require('node:fs');
    const refs = [];
    await (async () => {
      for (let i = 0; i < 20; i++) {
        const conn = await libvirt.connect('test:///default');
        refs.push(new WeakRef(conn));
        await conn.domainLookupByName('test');
      }
    })();
    await new Promise((r) => setTimeout(r, 50));
    await settle();
    console.log(refs.filter((ref) => ref.deref() !== undefined).length <= 1);`,
    { nodeArgs: ['--expose-gc'] },
  );
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: 'true\n' });
});

test('listeners survive collection: the subscription is held by its registration', async () => {
  const ended = await place.run(
    `${RESOURCES}
    const conn = await libvirt.connect('test:///default');
    const dom = await conn.domainLookupByName('test');
    let seen = 0;
    await (async () => { (await conn.subscribe('lifecycle')).on(() => { seen++; }); })();
    await settle();
    await dom.suspend();
    await dom.resume();
    while (seen < 2) await new Promise((r) => setImmediate(r));
    console.log(seen);
    await conn.close();`,
    { nodeArgs: ['--expose-gc'] },
  );
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: '2\n' });
});
