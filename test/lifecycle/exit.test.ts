// What holds a process or a worker, and what does not; and many exits in a row.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compileShim, type Stage, stage } from './child';

let place: Stage;
beforeAll(() => {
  place = stage();
});
afterAll(() => place.close());

const OPEN = `const conn = await libvirt.connect('test:///default'); const dom = await conn.domainLookupByName('test');`;
const SUBSCRIBED = `${OPEN} const events = await conn.subscribe('lifecycle');`;
const BUSY = `${OPEN} for (let i = 0; i < 500; i++) dom.getXMLDesc().catch(() => {});`;

/** [what, script, exit code]; the table of the life cycle has the rest. */
const STEPS: [string, string, number][] = [
  ['an open connection does not hold the process', OPEN, 0],
  ['nor does a subscription that nobody waits for', SUBSCRIBED, 0],
  ['nor a listener that was let go', `${SUBSCRIBED} events.on(() => {}); events.unref();`, 0],
  ['closed connection', `${SUBSCRIBED} await conn.close();`, 0],
  ['calls in flight are waited for', `${BUSY} dom.getInfo().then(() => { process.exitCode = 7; });`, 7],
  ['process.exit() while it closes', `${BUSY} conn.close(); process.exit(3);`, 3],
];

describe.each([
  ['main', false],
  ['worker', true],
])('%s', (_where, worker) => {
  test.each(STEPS)('%s', async (_what, script, code) => {
    const ended = await place.run(script, { worker });
    expect(ended).toMatchObject({ code, signal: null, stderr: '' });
    expect(ended.ms).toBeLessThan(5000);
  });
});

test('many exits in a row with calls in flight, never by a signal', async () => {
  for (let i = 0; i < 15; i++) {
    const ended = await place.run(`${BUSY} setTimeout(() => process.exit(9), ${i});`);
    expect(ended).toMatchObject({ code: 9, signal: null, stderr: '' });
  }
});

test('exits while libvirt is being loaded: it uses the OpenSSL that exit() takes apart', async () => {
  const connect = `libvirt.connect('test:///default').catch(() => {});`;
  for (let i = 0; i < 30; i++) {
    const ended = await place.run(`${connect} setTimeout(() => process.exit(8), ${i});`);
    expect(ended).toMatchObject({ code: 8, signal: null, stderr: '' });
  }
});

/** Loads libvirt's QEMU part late, and stays for a while where exit() takes libraries apart: the end of p11-kit comes after GObject's. */
const LATE = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>
void *dlopen(const char *name, int flags) {
  void *(*real)(const char *, int) = dlsym(RTLD_NEXT, "dlopen");
  if (name && strstr(name, "libvirt-qemu")) usleep(500000);
  return real(name, flags);
}
void freelocale(locale_t locale) {
  static int isLate;
  if (!isLate++) usleep(2000000);
}`;

test('exits while its QEMU part is being loaded, which would set up what exit() has taken apart', async () => {
  const env = { LD_PRELOAD: compileShim(place, LATE) };
  const ask = `${OPEN} dom.qemuAgentCommand('{}', 5).catch(() => {}); setTimeout(() => process.exit(7), 50);`;
  expect(await place.run(ask, { env })).toMatchObject({ code: 7, signal: null, stderr: '' });
});
