// Which snapshots have had their time, and when the next one is due.
import { expect, test } from '@jest/globals';
import { expired, isDue, lastCall } from '../src/retention.ts';
import type { SnapshotView } from '../src/views.ts';

const snapshot = (name: string, createdAt: string, nightly = true): SnapshotView => ({
  ...{ name, createdAt, nightly, description: null, consistency: 'filesystem', frozenMs: 40, disks: [] },
});
const NIGHTS = ['01', '02', '03', '04'].map((day) => snapshot(`n${day}`, `2026-03-${day}T02:00:00.000Z`));

test('all but the newest go, oldest first, in whatever order they come', () => {
  expect(expired([...NIGHTS].reverse(), 2).map(({ name }) => name)).toEqual(['n01', 'n02']);
  expect(expired(NIGHTS, 4)).toEqual([]);
  expect(expired([], 1)).toEqual([]);
});

test('what people made stays, and takes no place of a nightly one', () => {
  const made = snapshot('before-upgrade', '2026-01-01T00:00:00.000Z', false);
  expect(expired([made, ...NIGHTS], 3).map(({ name }) => name)).toEqual(['n01']);
});

test('due until there is a nightly one since the schedule called', () => {
  const call = new Date('2026-03-04T02:00:00.000Z');
  expect(isDue(NIGHTS, call)).toBe(false);
  expect(isDue(NIGHTS.slice(0, 3), call)).toBe(true);
  expect(isDue([snapshot('by-hand', '2026-03-05T00:00:00.000Z', false)], call)).toBe(true);
});

test('the last call lies in the past, whoever heard it', () => {
  const now = new Date(2026, 2, 4, 12);
  expect(lastCall('0 2 * * *', now)).toEqual(new Date(2026, 2, 4, 2));
  expect(lastCall('0 13 * * *', now)).toEqual(new Date(2026, 2, 3, 13));
  const call = new Date(2026, 2, 4, 2);
  expect(lastCall('0 2 * * *', call)).toEqual(call);
});
