// Calls shown on Node's diagnostics_channel: which, on what, when, and how they ended; never what was in them.
import { type TracingChannelSubscribers, tracingChannel } from 'node:diagnostics_channel';
import { expect, test } from '@jest/globals';
import { type CallTrace, connect, LibvirtError } from '../../lib';
import { rejection, testDriver } from './test-driver';

const driver = testDriver();
const channel = tracingChannel<unknown, CallTrace>('libvirt-disksnapshot.call');

/** What is told while `work` runs. */
async function told(work: () => Promise<unknown>): Promise<{ moment: string; trace: CallTrace }[]> {
  const seen: { moment: string; trace: CallTrace }[] = [];
  const note = (moment: string) => (trace: object) => {
    seen.push({ moment, trace: trace as CallTrace });
  };
  const moments = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
  const listeners = Object.fromEntries(
    moments.map((moment) => [moment, note(moment)]),
  ) as unknown as TracingChannelSubscribers<CallTrace>;
  channel.subscribe(listeners);
  try {
    await work();
  } finally {
    channel.unsubscribe(listeners);
  }
  return seen;
}

test('a call: the C function, its receiver, begin and end', async () => {
  const seen = await told(() => driver.domain.getInfo());
  expect(seen.map(({ moment }) => moment)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd']);
  expect(new Set(seen.map(({ trace }) => trace)).size).toBe(1);
  expect(seen[0]?.trace.function).toBe('virDomainGetInfo');
  expect(seen[0]?.trace.receiver).toBe(driver.domain);
});

test('a failure: the error that the caller gets', async () => {
  let error: unknown;
  const seen = await told(async () => {
    error = await rejection(driver.connection.domainLookupByName('none'));
  });
  expect(seen.map(({ moment }) => moment)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd']);
  expect(error).toBeInstanceOf(LibvirtError);
  expect(seen.at(-1)?.trace.error).toBe(error);
});

test('connections and subscriptions by the names of their functions', async () => {
  const seen = await told(async () => {
    const conn = await connect('test:///default');
    await (await conn.subscribe('lifecycle'))[Symbol.asyncDispose]();
    await conn.close();
  });
  const begun = seen.filter(({ moment }) => moment === 'start').map(({ trace }) => trace.function);
  expect(begun).toEqual(['connect', 'subscribe', 'unsubscribe', 'close']);
});

test('neither arguments nor results nor credentials', async () => {
  const seen = await told(async () => {
    const auth = { username: 'someone', password: 'a-secret' };
    const conn = await connect('test:///default', { auth });
    const xml = await (await conn.domainLookupByName('test')).getXMLDesc();
    expect(xml).toContain('<domain');
    await conn.close();
  });
  for (const { trace } of seen) expect(Object.keys(trace).sort()).toEqual(['function', 'receiver', 'result']);
  const everything = JSON.stringify(seen);
  for (const secret of ['a-secret', 'someone', '<domain', '"test"', 'test:///'])
    expect(everything).not.toContain(secret);
});

test('the stack of an error shows who called, also while somebody listens', async () => {
  async function theCaller() {
    await driver.connection.domainLookupByName('none');
  }
  await told(async () => {
    expect(((await rejection(theCaller())) as Error).stack).toContain('theCaller');
  });
});
