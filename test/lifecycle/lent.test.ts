// The embedded driver's connection, lent to many: each hears the events that it subscribed to, also the same ones.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { qemuConf } from '../../lib/testing/qemu-conf';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { guestXml } from './bare-host';
import { type Stage, stage } from './child';

let place: Stage;
let root: string;
beforeAll(async () => {
  place = stage();
  root = await temporaryDirectory('lent');
  await mkdir(join(root, 'etc'));
  await writeFile(join(root, 'etc', 'qemu.conf'), qemuConf());
});
afterAll(async () => {
  place.close();
  await rm(root, { recursive: true, force: true });
});

test('two that are lent the same connection subscribe the same event; one ends, the other hears on', async () => {
  const ended = await place.run(`
    const uri = 'qemu:///embed?root=${encodeURIComponent(root)}';
    // libvirt's table takes about twenty drivers: what is opened beyond them is lent the first one.
    const conns = [];
    for (let i = 0; i < 30; i++) conns.push(await libvirt.connect(uri));
    const [one, two] = conns.slice(-2);
    const heard = { one: [], two: [] };
    const changed = { one: null, two: null };
    const listen = async (name, conn) => {
      const events = await conn.subscribe('lifecycle');
      events.on(({ event, domain }) => { heard[name].push(event); if (domain.connection !== conn) heard[name].push('of another'); changed[name]?.(); });
      return events;
    };
    const until = (name, count) => new Promise((resolve) => {
      changed[name] = () => { if (heard[name].length >= count) resolve(); };
      changed[name]();
    });
    const first = await listen('one', one);
    const second = await listen('two', two);
    const dom = await one.domainCreateXML(${JSON.stringify(guestXml('lent'))}, 1);
    await Promise.all([until('one', 2), until('two', 2)]);
    const before = { one: [...heard.one], two: [...heard.two] };
    await first[Symbol.asyncDispose]();
    await dom.resume();
    await until('two', 3);
    // Closing one takes nothing from the other.
    await one.close();
    const same = await two.domainLookupByName('lent');
    await same.destroy();
    await until('two', 4);
    process.stdout.write(JSON.stringify({ before, after: heard }));
    for (const conn of conns) await conn.close();
  `);
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  const { before, after } = JSON.parse(ended.stdout);
  expect(before.one).toEqual(before.two);
  expect(after.one).toEqual(before.one);
  expect(after.two.length).toBeGreaterThan(before.two.length);
});
