// Connections that cannot be opened cost nothing that lasts, and those that rest no thread.
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { connect } from '../../lib';
import { laneThreads } from '../lane-threads';

test('fifty that fail leave no thread once their lanes have been idle', async () => {
  const threads = () => readdirSync('/proc/self/task').length;
  await connect('qemu:///system?socket=/nowhere/at/all').catch(() => undefined);
  const before = threads();
  for (let i = 0; i < 50; i++) {
    await expect(connect('qemu:///system?socket=/nowhere/at/all')).rejects.toMatchObject({ name: 'LibvirtError' });
  }
  const limit = performance.now() + 20_000;
  while (threads() > before && performance.now() < limit) await delay(100);
  expect(threads()).toBeLessThanOrEqual(before);
}, 30_000);

test('an open connection has threads while it has work, and none when it has rested', async () => {
  const limit = performance.now() + 20_000;
  while (laneThreads() > 0 && performance.now() < limit) await delay(100);
  await using conn = await connect('test:///default');
  await Promise.all(Array.from({ length: 50 }, () => conn.listAllDomains()));
  expect(laneThreads()).toBeGreaterThan(0);
  while (laneThreads() > 0 && performance.now() < limit) await delay(100);
  expect(laneThreads()).toBe(0);
  expect(await conn.listAllDomains()).toHaveLength(1);
}, 30_000);
