// A system that refuses new threads: what cannot begin says so and leaves nothing half done; what has to happen happens when there
// are threads again. In a process of its own, in which pthread_create fails while a file is there.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PrivateLibvirtd } from '../../lib/testing';
import { compileShim, type Stage, stage } from './child';

const SHIM = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *), void *data) {
  const char *limit = getenv("NO_THREADS");
  if (limit && access(limit, F_OK) == 0) return EAGAIN;
  int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = dlsym(RTLD_NEXT, "pthread_create");
  return real(thread, attributes, body, data);
}`;

let place: Stage;
let env: Record<string, string>;
beforeAll(() => {
  place = stage();
  env = { LD_PRELOAD: compileShim(place, SHIM), NO_THREADS: join(place.directory, 'no-threads') };
});
afterAll(() => place.close());

/** Runs a script in which new threads are refused between `limited()` and `free()`. What it gives to `say` comes back. */
async function run(script: string): Promise<unknown> {
  const ended = await place.run(
    `const fs = require('node:fs');
    const limited = () => fs.writeFileSync(process.env.NO_THREADS, '');
    const free = () => fs.rmSync(process.env.NO_THREADS, { force: true });
    const say = (what) => fs.writeSync(1, JSON.stringify(what));
    const failure = (promise) => promise.then(() => null, ({ name, code, message }) => ({ name, code, message }));
    try { ${script} } finally { free(); }`,
    { env },
  );
  expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  return JSON.parse(ended.stdout);
}

test('a call and an open that cannot begin are refused, and what is there goes on', async () => {
  expect(
    await run(`
      await libvirt.connect('test:///default'); // the event loop and the timer run
      limited();
      const opening = await failure(libvirt.connect('test:///default'));
      free();
      const conn = await libvirt.connect('test:///default');
      say({ opening, type: await conn.getType() });
      await conn.close();`),
  ).toEqual({
    opening: { name: 'LibvirtError', code: 2, message: 'the system refused to start a thread' },
    type: 'TEST',
  });
});

test('a close that cannot begin leaves the connection open: it is used, and closed later', async () => {
  expect(
    await run(`
      const conn = await libvirt.connect('test:///default');
      const dom = await conn.domainLookupByName('test');
      limited();
      const refused = await failure(conn.close());
      const again = await failure(conn.close());
      const name = (await conn.domainLookupByName('test')).getName(); // by a thread that is there
      free();
      await dom.suspend();
      const { state } = await dom.getState();
      await dom.resume();
      await conn.close();
      say({ refused, again, name, state, closed: await conn.closed, later: (await failure(dom.getState())).message });`),
  ).toEqual({
    refused: { name: 'LibvirtError', code: 2, message: 'the system refused to start a thread' },
    again: { name: 'LibvirtError', code: 2, message: 'the system refused to start a thread' },
    name: 'test',
    state: 3,
    closed: 'client',
    later: 'the connection is closed',
  });
});

test('a lease whose thread cannot start acts when one can', async () => {
  const daemon = await PrivateLibvirtd.start();
  try {
    const uri = `test+unix:///default?socket=${daemon.socket}`;
    expect(
      await run(`
        const conn = await libvirt.connect('${uri}');
        const dom = await conn.domainLookupByName('test');
        const events = await dom.subscribe('lifecycle');
        const resumed = (async () => { for await (const { event } of events) if (event === 4) return performance.now(); })();
        const keep = setInterval(() => dom.isActive(), 500); // its threads stay
        await dom.suspend();
        const { beginLease } = require(require('node:path').join(__dirname, 'lib/libvirt/lease'));
        limited();
        const start = performance.now();
        beginLease(dom, 'pause', 100);
        const early = await Promise.race([resumed, new Promise((resolve) => setTimeout(resolve, 2500, 'paused'))]);
        const freed = performance.now();
        free();
        const at = await resumed;
        clearInterval(keep);
        say({ early, after: at > freed, state: (await dom.getState()).state });
        await conn.close();`),
    ).toEqual({ early: 'paused', after: true, state: 1 });
  } finally {
    await daemon.close();
  }
});
