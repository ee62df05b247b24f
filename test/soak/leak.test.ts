// The soak's judgement of memory can fail: a megabyte a minute that is lost on purpose is seen, and work that lets go is not.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { buildAllocator } from './allocator';
import { isLeak, type Sample } from './leak';
import { Worker } from './worker';

let worker: Worker;
beforeAll(async () => {
  worker = new Worker('nowhere:///', 'nobody', 'leak', await buildAllocator(), new Set());
});
afterAll(() => worker?.kill());

/** As if each took a minute. */
async function samplesOf(each: () => Promise<unknown>): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let minutes = 0; minutes < 10; minutes++) {
    await each();
    const { held } = await worker.must<{ held: number }>({ do: 'measure' });
    samples.push({ minutes, bytes: held });
  }
  return samples;
}

test('work that lets go of what it took is no leak', async () => {
  expect(isLeak(await samplesOf(() => worker.must({ do: 'warm' })))).toBe(false);
});

test.each(['C', 'JavaScript'] as const)('what %s loses is one', async (of) => {
  expect(isLeak(await samplesOf(() => worker.must({ do: 'leak', of })))).toBe(true);
});

test('too few samples to tell are no proof', () => {
  expect(isLeak([])).toBe(true);
  expect(isLeak([{ minutes: 0, bytes: 1 }])).toBe(true);
});
