// What tests subtract from a delay is the wait for a processor alone: a thread that sleeps in a call, as one that waits for a
// daemon does, has no excuse, and neither has one that works.
import { expect, test } from '@jest/globals';
import { waitOfJavaScript, waitOfProcess } from '../processor-wait';

const sleep = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const work = () => {
  for (const end = process.cpuUsage().user + 100_000; process.cpuUsage().user < end; );
};

test.each([
  ['sleeps', () => sleep(150), 140],
  ['works', work, 50],
] as const)('JavaScript that %s', (_, block, least) => {
  const [start, from] = [performance.now(), waitOfJavaScript()];
  block();
  expect(performance.now() - start - (waitOfJavaScript() - from)).toBeGreaterThan(least);
});

test('that of all threads holds that of the first', () => {
  const own = waitOfJavaScript();
  expect(waitOfProcess()).toBeGreaterThanOrEqual(own);
});
