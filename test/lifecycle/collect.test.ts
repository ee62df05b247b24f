// Months of use in seconds: handles collected while calls run, connections that nobody closes, no growth.
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
