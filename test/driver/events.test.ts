// Events: registered when the promise resolves, bounded, counted, and harmless where the consumer is slow or throws.
import { describe, expect, test } from '@jest/globals';
import {
  connect,
  DomainEventType,
  LibvirtError,
  Network,
  NetworkEventLifecycleType,
  NodeDeviceEventLifecycleType,
  type Secret,
  StoragePoolEventLifecycleType,
  type Subscription,
} from '../../lib/libvirt';
import { rejection, testDriver } from './test-driver';

const driver = testDriver();

async function pauseAndResume(times = 1): Promise<void> {
  for (let i = 0; i < times; i++) {
    await driver.domain.suspend();
    await driver.domain.resume();
  }
}

test('nothing is lost between the registration and the first next()', async () => {
  const events = await driver.connection.subscribe('lifecycle');
  await pauseAndResume();
  const seen: number[] = [];
  for await (const { event, domain } of events) {
    expect(domain.getName()).toBe('test');
    expect(domain.connection).toBe(driver.connection);
    if (seen.push(event) === 2) break;
  }
  expect(seen).toEqual([DomainEventType.SUSPENDED, DomainEventType.RESUMED]);
});

test('a waiting next() gets the event; leaving the loop unsubscribes', async () => {
  const events = await driver.connection.subscribe('lifecycle');
  const iterator = events[Symbol.asyncIterator]();
  const next = iterator.next();
  await pauseAndResume();
  expect((await next).value).toMatchObject({ event: DomainEventType.SUSPENDED });
  await iterator.return?.();
  await pauseAndResume();
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test('listeners', async () => {
  await using events = await driver.connection.subscribe('lifecycle', { domain: driver.domain });
  const seen: number[] = [];
  const both = new Promise<void>((resolve) => {
    events.on(({ event }) => {
      if (seen.push(event) === 2) resolve();
    });
  });
  await pauseAndResume();
  await both;
  expect(seen).toEqual([DomainEventType.SUSPENDED, DomainEventType.RESUMED]);
});

test('of one object alone, by its own subscribe()', async () => {
  const { connection, domain } = driver;
  const other = await connection.domainCreateXML(
    "<domain type='test'><name>other</name><memory>8192</memory><os><type>hvm</type></os></domain>",
  );
  await using ofDomain = await domain.subscribe('lifecycle');
  const network = await connection.networkLookupByName('default');
  await using ofNetwork = await network.subscribe('network-lifecycle');
  await other.suspend();
  await pauseAndResume();
  await network.destroy();
  await network.create();
  const seen: unknown[] = [];
  await new Promise<void>((resolve) => {
    ofDomain.on(({ domain: told, event }) => {
      if (seen.push([told.getName(), event]) === 2) resolve();
    });
  });
  expect(seen).toEqual([
    ['test', DomainEventType.SUSPENDED],
    ['test', DomainEventType.RESUMED],
  ]);
  for await (const { network: told, event } of ofNetwork) {
    expect([told.getName(), event]).toEqual(['default', NetworkEventLifecycleType.STOPPED]);
    break;
  }
});

test('the events of another kind of object are refused by its own subscribe()', async () => {
  const error = await rejection(driver.domain.subscribe('network-lifecycle' as 'lifecycle'));
  expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
});

test('nothing is told after off() and after the end of a subscription', async () => {
  await using witness = await driver.connection.subscribe('lifecycle');
  const [off, ended] = [
    await driver.connection.subscribe('lifecycle'),
    await driver.connection.subscribe('lifecycle', { domain: driver.domain }),
  ];
  let told = 0;
  const listener = () => {
    told++;
  };
  off.on(listener).off(listener);
  ended.on(listener);
  await ended[Symbol.asyncDispose]();
  await pauseAndResume();
  let seen = 0;
  for await (const _ of witness) if (++seen === 2) break;
  expect(told).toBe(0);
  await off[Symbol.asyncDispose]();
});

test('a full queue drops and counts', async () => {
  await using events = await driver.connection.subscribe('lifecycle', { queueSize: 3 });
  await using witness = await driver.connection.subscribe('lifecycle');
  await pauseAndResume(10);
  let seen = 0;
  for await (const _ of witness) if (++seen === 20) break;
  const iterator = events[Symbol.asyncIterator]();
  expect([(await iterator.next()).value, (await iterator.next()).value, (await iterator.next()).value]).toMatchObject([
    { event: DomainEventType.SUSPENDED },
    { event: DomainEventType.RESUMED },
    { event: DomainEventType.SUSPENDED },
  ]);
  expect(events.dropped).toBe(17);
});

test('what waits in JavaScript counts to the queue: more does not come behind it, and a place that is free is used', async () => {
  await using events = await driver.connection.subscribe('lifecycle', { queueSize: 3 });
  await using witness = await driver.connection.subscribe('lifecycle');
  const iterator = events[Symbol.asyncIterator]();
  const take = async () => (await iterator.next()).value?.event;
  const witnessed = async (count: number) => {
    for await (const _ of witness) if (--count === 0) break;
  };
  const seen = witness[Symbol.asyncIterator]();
  await driver.domain.suspend();
  await driver.domain.resume();
  await driver.domain.suspend();
  for (let i = 0; i < 3; i++) await seen.next(); // three wait
  // Three more come while this thread has no time for them, and it is they who find no place. Calls in flight run in
  // no order, so these are three that are right in any.
  const xml = await driver.domain.getXMLDesc();
  const more = [xml, xml, xml].map((again) => driver.connection.domainDefineXML(again));
  const end = performance.now() + 200;
  while (performance.now() < end);
  const taken = [take(), take(), take()];
  await Promise.all(more);
  for (let i = 0; i < 3; i++) await seen.next();
  expect(await Promise.all(taken)).toEqual([
    DomainEventType.SUSPENDED,
    DomainEventType.RESUMED,
    DomainEventType.SUSPENDED,
  ]);
  expect(events.dropped).toBe(3);
  await driver.domain.resume();
  await driver.domain.suspend();
  await driver.domain.resume();
  await witnessed(3);
  const next = [await take(), await take(), await take()];
  expect(next).toEqual([DomainEventType.RESUMED, DomainEventType.SUSPENDED, DomainEventType.RESUMED]);
  expect(events.dropped).toBe(3);
});

test('an aborted signal ends it', async () => {
  const abort = new AbortController();
  const events = await driver.connection.subscribe('lifecycle', { signal: abort.signal });
  const next = events[Symbol.asyncIterator]().next();
  abort.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});

test('a signal that was aborted before rejects', async () => {
  const reason = new Error('enough');
  expect(await rejection(driver.connection.subscribe('lifecycle', { signal: AbortSignal.abort(reason) }))).toBe(reason);
});

test('the close of the connection ends it', async () => {
  const conn = await connect('test:///default');
  const events = await conn.subscribe('lifecycle');
  const next = events[Symbol.asyncIterator]().next();
  await conn.close();
  expect(await next).toEqual({ done: true, value: undefined });
  await events[Symbol.asyncDispose]();
});

test('a listener that comes after the end gets what had come before it', async () => {
  const conn = await connect('test:///default');
  const domain = await conn.domainLookupByName('test');
  const [late, early] = [await conn.subscribe('lifecycle'), await conn.subscribe('lifecycle')];
  await domain.suspend();
  for await (const { event } of early) {
    expect(event).toBe(DomainEventType.SUSPENDED);
    break;
  }
  await domain.resume();
  await conn.close();
  const heard: number[] = [];
  late.on(({ event }) => heard.push(event));
  expect(heard[0]).toBe(DomainEventType.SUSPENDED);
});

test('unknown names, bad queues, closed connections', async () => {
  expect(await rejection(driver.connection.subscribe('liefcycle' as never))).toMatchObject({
    code: 'ERR_INVALID_ARG_VALUE',
    message: expect.stringContaining('block-job-2'),
  });
  expect(await rejection(driver.connection.subscribe('lifecycle', { queueSize: 0 }))).toBeInstanceOf(RangeError);
  const conn = await connect('test:///default');
  await conn.close();
  expect(await rejection(conn.subscribe('lifecycle'))).toBeInstanceOf(LibvirtError);
});

describe('events of other objects', () => {
  const next = async <E>(events: Subscription<E>): Promise<E> => {
    for await (const event of events) return event;
    throw new Error('The subscription ended');
  };

  test('networks: of one, and not of others', async () => {
    const network = await driver.connection.networkLookupByName('default');
    const other = await driver.connection.networkCreateXML('<network><name>other</name></network>');
    const events = await driver.connection.subscribe('network-lifecycle', { network });
    await other.destroy();
    await network.destroy();
    const { network: stopped, event } = await next(events);
    expect(stopped).toBeInstanceOf(Network);
    expect(stopped.getName()).toBe('default');
    expect(event).toBe(NetworkEventLifecycleType.STOPPED);
    await network.create();
  });

  test('storage pools: life and refresh', async () => {
    const pool = await driver.connection.storagePoolLookupByName('default-pool');
    const refreshed = await driver.connection.subscribe('storage-pool-refresh');
    const lifecycle = await driver.connection.subscribe('storage-pool-lifecycle', { pool });
    await pool.refresh();
    expect((await next(refreshed)).pool.getName()).toBe('default-pool');
    await pool.destroy();
    expect((await next(lifecycle)).event).toBe(StoragePoolEventLifecycleType.STOPPED);
    await pool.create();
  });

  test('node devices: one is made, and goes', async () => {
    const life = await driver.connection.subscribe('node-device-lifecycle');
    const device = await driver.connection.nodeDeviceCreateXML(
      "<device><parent>scsi_host1</parent><capability type='scsi_host'><capability type='fc_host'><wwnn>2000000012341234</wwnn><wwpn>1000000012341234</wwpn></capability></capability></device>",
    );
    const name = device.getName();
    await device.destroy();
    const seen: [string, number][] = [];
    for await (const { device: told, event } of life) {
      if (seen.push([told.getName(), event]) === 2) break;
    }
    expect(seen).toEqual([
      [name, NodeDeviceEventLifecycleType.CREATED],
      [name, NodeDeviceEventLifecycleType.DELETED],
    ]);
  });

  test('an object of another kind than the event is about is refused', async () => {
    const network = await driver.connection.networkLookupByName('default');
    const error = await rejection(driver.connection.subscribe('secret-lifecycle', { network }));
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    const disguised = { secret: network as unknown as Secret };
    expect(await rejection(driver.connection.subscribe('secret-lifecycle', disguised))).toBeInstanceOf(TypeError);
  });
});
