// A host that never answers: calls to it end by their limit, and nothing else notices.

import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Connection, connect, DomainState, LibvirtError } from '../../lib/libvirt';
import { type SilentHost, silentHost } from './silent-host';
import { rejection } from './test-driver';

let host: SilentHost;
beforeAll(async () => {
  host = await silentHost();
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
});

test('a passed timeoutMs rejects on time, with the error of AbortSignal.timeout', async () => {
  const start = performance.now();
  const error = await rejection(connect(host.uri, { timeoutMs: 300 }));
  expect(performance.now() - start).toBeLessThan(600);
  expect(error).toBeInstanceOf(DOMException);
  expect(error).toMatchObject({ name: 'TimeoutError', code: DOMException.TIMEOUT_ERR });
});

test('an aborted signal rejects at once with its reason', async () => {
  const abort = new AbortController();
  const reason = { any: 'thing' };
  const opening = connect(host.uri, { signal: abort.signal });
  abort.abort(reason);
  await expect(opening).rejects.toBe(reason);
});

test('two registries of modules, as of two test files, abandon each its own calls', async () => {
  let other = connect;
  jest.isolateModules(() => {
    other = require('../../lib/libvirt').connect;
  });
  expect(other).not.toBe(connect);
  const [mine, theirs] = [new AbortController(), new AbortController()];
  const opened = rejection(connect(host.uri, { signal: mine.signal })).then(() => 'mine');
  const others = rejection(other(host.uri, { signal: theirs.signal })).then(() => 'theirs');
  theirs.abort();
  await others;
  expect(await Promise.race([opened, delay(200, 'still waiting')])).toBe('still waiting');
  mine.abort();
  expect(await opened).toBe('mine');
});

test('four opens that hang keep neither files nor other connections waiting', async () => {
  const abort = new AbortController();
  const hung = Array.from({ length: 4 }, () => rejection(connect(host.uri, { signal: abort.signal })));
  const start = performance.now();
  await stat('/');
  const conn = await connect('test:///default');
  await (await conn.domainLookupByName('test')).getInfo();
  await conn.close();
  expect(performance.now() - start).toBeLessThan(500);
  abort.abort();
  await Promise.all(hung);
});

test('a deadline passes also while JavaScript is stuck', async () => {
  const start = performance.now();
  const opening = rejection(connect(host.uri, { timeoutMs: 100 }));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
  await opening;
  expect(performance.now() - start).toBeLessThan(600);
});

test('deadlines that pass at once: every call settles, and close() waits for none', async () => {
  for (let round = 0; round < 20; round++) {
    const conn = await connect('test:///default');
    await Promise.allSettled(Array.from({ length: 100 }, () => conn.getCapabilities({ timeoutMs: 0.001 })));
    const start = performance.now();
    await conn.close();
    expect(performance.now() - start).toBeLessThan(5000); // it waits 10 s for calls that run
  }
});

/** Each thread of the connection's queue waits for the other end of a pipe, until the returned function gives them one. */
function fillQueue(conn: Connection): () => Promise<void> {
  const pipe = join(mkdtempSync(join(tmpdir(), 'pipe-')), 'image');
  execFileSync('mkfifo', [pipe]);
  const hung = Array.from({ length: 4 }, () => rejection(conn.domainRestore(pipe)));
  return async () => {
    const other = openSync(pipe, 'r+');
    writeSync(other, 'no image'.repeat(100));
    await Promise.all(hung);
    closeSync(other);
    rmSync(dirname(pipe), { recursive: true });
  };
}

test('a call that was abandoned before it began never begins', async () => {
  const conn = await connect('test:///default');
  const dom = await conn.domainLookupByName('test');
  const abort = new AbortController();
  const letGo = fillQueue(conn);
  const suspended = rejection(dom.suspend({ signal: abort.signal }));
  abort.abort();
  await suspended;
  await letGo();
  expect((await dom.getState()).state).toBe(DomainState.RUNNING);
  await conn.close();
});

test('what must get through passes the calls that hang', async () => {
  const conn = await connect('test:///default');
  const dom = await conn.domainLookupByName('test');
  const letGo = fillQueue(conn);
  try {
    expect(await rejection(dom.suspend({ timeoutMs: 200 }))).toMatchObject({ name: 'TimeoutError' });
    await dom.destroy({ timeoutMs: 10_000 });
  } finally {
    await letGo();
  }
  expect((await dom.getState()).state).toBe(DomainState.SHUTOFF);
  await conn.close();
});

test('nobody listens there', async () => {
  const error = await rejection(connect('test+tcp://127.0.0.1:1/default'));
  expect(error).toBeInstanceOf(LibvirtError);
});

/** Names of this process's threads; one that ends while we look has none. */
function threadNames(): string[] {
  return readdirSync('/proc/self/task').flatMap((task) => {
    try {
      return [readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim()];
    } catch {
      return []; // ended meanwhile
    }
  });
}

test('one timer and one event loop serve the whole process', () => {
  const names = threadNames();
  expect(names.filter((name) => name === 'virt-timer')).toHaveLength(1);
  expect(names.filter((name) => name === 'virt-events')).toHaveLength(1);
});
