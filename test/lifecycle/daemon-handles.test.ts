// Handles and the socket behind them: a daemon that hangs blocks no collection, and close() leaves no socket to kept handles.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PrivateLibvirtd } from '../../lib/testing';
import { type Stage, stage } from './child';

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
