// Abandoned calls, also while JavaScript is stuck in a busy loop: deadlines pass all the same, since a native thread keeps them.
import { spawn } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connect, type Domain, DomainState } from '../../lib/libvirt';
import { PrivateLibvirtd } from '../../lib/testing';
import { rejection } from '../driver/test-driver';

let daemon: PrivateLibvirtd;
beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
});
afterAll(() => daemon?.close());

/** The test driver, in the daemon: every connection sees the same guest. */
const uri = () => `test+unix:///default?socket=${daemon.socket}`;

/** Stops the daemon now, and lets it go on in a second: by another process, since this one is about to be stuck. */
function stopForOneSecond(): void {
  daemon.suspend();
  spawn('sh', ['-c', 'sleep 1; kill -CONT "$1"', 'sh', String(daemon.pid)], { stdio: 'ignore' });
}

function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

const sockets = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false; // the folder's own, closed again
    }
  }).length;

const asManyAsThreads = (dom: Domain) => Array.from({ length: 4 }, () => dom.getXMLDesc());

test('a call that waits for its turn is abandoned by its deadline, and never begins', async () => {
  await using conn = await connect(uri(), { keepAlive: false });
  const dom = await conn.domainLookupByName('test');
  stopForOneSecond();
  const before = asManyAsThreads(dom);
  const suspended = rejection(dom.suspend({ timeoutMs: 100 }));
  busy(2000); // the daemon has answered these after one second
  expect(await suspended).toMatchObject({ name: 'TimeoutError' });
  await Promise.all(before);
  expect((await dom.getState()).state).toBe(DomainState.RUNNING);
});

test('a call that waits for its turn is abandoned by its signal, and never begins', async () => {
  await using conn = await connect(uri(), { keepAlive: false });
  const dom = await conn.domainLookupByName('test');
  daemon.suspend();
  const before = asManyAsThreads(dom);
  const abort = new AbortController();
  const suspended = rejection(dom.suspend({ signal: abort.signal }));
  abort.abort();
  expect(await suspended).toBe(abort.signal.reason);
  daemon.resume();
  await Promise.all(before);
  expect((await dom.getState()).state).toBe(DomainState.RUNNING);
});

test('what an abandoned call brings late is released: a connection is closed', async () => {
  const before = sockets();
  stopForOneSecond();
  const opening = rejection(connect(uri(), { timeoutMs: 100 }));
  busy(2000); // the daemon has accepted after one second
  expect(await opening).toMatchObject({ name: 'TimeoutError' });
  const limit = performance.now() + 10_000;
  while (sockets() > before && performance.now() < limit) await delay(20); // closed on a thread of its own
  expect(sockets()).toBeLessThanOrEqual(before); // what other tests left may have gone meanwhile
});
