// Handles and the socket behind them: a daemon that hangs blocks no collection, close() leaves no socket to kept handles, and
// calls that hang hold up neither others nor what is freed.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PrivateLibvirtd } from '../../lib/testing';
import { type Stage, stage } from './child';
import { proxyTo } from './proxy';

let place: Stage;
let daemon: PrivateLibvirtd;
beforeAll(async () => {
  place = stage();
  daemon = await PrivateLibvirtd.start();
});
afterAll(async () => {
  await daemon?.close();
  place?.close();
});

const SOCKETS = `
  const { readdirSync, readlinkSync } = require('node:fs');
  const link = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } };
  const sockets = () => readdirSync('/proc/self/fd').filter((fd) => link(fd).startsWith('socket:')).length;
  const uri = 'test+unix:///default?socket=';`;

test('the last handle of a connection is collected while its daemon hangs: JavaScript goes on', async () => {
  const ended = await place.run(
    `${SOCKETS}
    const before = sockets();
    await (async () => {
      const conn = await libvirt.connect(uri + ${JSON.stringify(daemon.socket)}, { keepAlive: false });
      for (let i = 0; i < 20; i++) await (await conn.domainLookupByName('test')).getInfo();
    })();
    process.kill(${daemon.pid}, 'SIGSTOP');
    let gap = 0;
    let last = performance.now();
    const ticks = setInterval(() => { gap = Math.max(gap, performance.now() - last); last = performance.now(); }, 1);
    for (let i = 0; i < 20; i++) { gc(); await new Promise((r) => setTimeout(r, 20)); }
    clearInterval(ticks);
    const limit = performance.now() + 20000;
    while (sockets() > before && performance.now() < limit) await new Promise((r) => setTimeout(r, 20));
    console.log(JSON.stringify({ gap, left: sockets() - before }));`,
    { nodeArgs: ['--expose-gc'] },
  );
  daemon.resume();
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  const { gap, left } = JSON.parse(ended.stdout);
  expect(left).toBe(0); // so it was collected, and the daemon was not waited for
  expect(gap).toBeLessThan(1500); // less than the 2 s after which the daemon is cut off
});

test('close() leaves no socket, although handles are kept', async () => {
  const ended = await place.run(
    `${SOCKETS}
    const before = sockets();
    const conn = await libvirt.connect(uri + ${JSON.stringify(daemon.socket)});
    const kept = await Promise.all(Array.from({ length: 50 }, () => conn.domainLookupByName('test')));
    const events = await conn.subscribe('lifecycle');
    const open = sockets() - before;
    const start = performance.now();
    await conn.close();
    const wasFreed = performance.now() - start < 1500; // one that is held is cut off, after 2 s
    console.log(open, sockets() - before, kept.length, events.dropped, wasFreed);`,
  );
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: '1 0 50 0 true\n' });
});

/** virConnectGetCapabilities, in libvirt's remote_protocol.x. */
const CAPABILITIES = 7;

test('beside calls that hang for ever others are answered at once, and what is collected is freed', async () => {
  await using proxy = await proxyTo(daemon.socket);
  proxy.withhold(CAPABILITIES);
  const ended = await place.run(
    `${SOCKETS}
    const conn = await libvirt.connect(uri + ${JSON.stringify(proxy.socket)}, { keepAlive: false });
    const hung = Array.from({ length: 12 }, () => conn.getCapabilities().then(() => 'answered', () => 'cut off'));
    let longest = 0;
    const round = async () => {
      const start = performance.now();
      await Promise.all(Array.from({ length: 100 }, () => conn.domainLookupByName('test')));
      longest = Math.max(longest, performance.now() - start);
      gc();
      await new Promise((r) => setImmediate(r));
    };
    for (let i = 0; i < 20; i++) await round();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 200; i++) await round();
    const grownMiB = (process.memoryUsage().rss - before) / 2 ** 20;
    await conn.close();
    console.log(JSON.stringify({ longest, grownMiB, hung: [...new Set(await Promise.all(hung))] }));`,
    { nodeArgs: ['--expose-gc'] },
  );
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  const { longest, grownMiB, hung } = JSON.parse(ended.stdout);
  expect(hung).toEqual(['cut off']);
  // Where libvirt forgets that a call is to be sent, and nobody reminds it, a keepalive does after five seconds.
  expect(longest).toBeLessThan(2000);
  // Twenty thousand that nobody frees are more than 10 MiB.
  expect(grownMiB).toBeLessThan(4);
});
