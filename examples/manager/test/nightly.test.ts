// The schedule, by a clock that the tests turn: every night, once, one guest of a host at a time, and nothing is missed.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Board, guestKey } from '../src/board.ts';
import { Nightly } from '../src/nightly.ts';
import type { GuestView, OperationView } from '../src/views.ts';

const BEFORE_TWO = new Date(2026, 2, 4, 1, 59);
const AFTER_TWO = new Date(2026, 2, 4, 12);

let board: Board;
let nightly: Nightly | undefined;
let runs: { guest: string; end(outcome?: Partial<OperationView>): Promise<void> }[];

beforeEach(() => {
  jest.useFakeTimers();
  board = new Board();
  runs = [];
});
afterEach(() => {
  nightly?.[Symbol.dispose]();
  jest.useRealTimers();
});

function begin(now: Date): void {
  jest.setSystemTime(now);
  nightly = new Nightly(board, {
    schedule: '0 2 * * *',
    run: (guest) =>
      new Promise((resolve) => {
        const end = async (outcome: Partial<OperationView> = {}) => {
          const all = {
            host: guest.host,
            guest: guest.id,
            guestName: guest.name,
            kind: 'nightly',
            snapshot: null,
          } as const;
          resolve({
            ...all,
            id: '1',
            state: 'done',
            phase: null,
            done: 0,
            total: 0,
            message: null,
            code: null,
            ...outcome,
          });
          if (outcome.state === undefined) add(guest.host, guest.name, [new Date()]);
          await settle();
        };
        runs.push({ guest: `${guest.host}/${guest.name}`, end });
      }),
  });
}

/** Croner looks at the clock every thirty seconds: the hours between are left out. */
async function theNextNight(): Promise<void> {
  jest.setSystemTime(new Date(2026, 2, 5, 1, 59));
  expect(runs).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(120_000);
}

const settle = () => jest.advanceTimersByTimeAsync(0);
const hostIs = (name: string, state: 'up' | 'down') =>
  board.hosts.set(name, { name, state, problem: null, retryAt: null });

function add(host: string, name: string, made: Date[] = [], more: Partial<GuestView> = {}): void {
  const snapshots = made.map((time) => ({
    ...{ name: time.toISOString(), createdAt: time.toISOString(), nightly: true, description: null },
    ...{ consistency: 'filesystem', frozenMs: 40, disks: [] },
  }));
  const guest = { host, id: name, name, state: 'running', nightly: true, nightlyByConfiguration: false, problem: null };
  board.guests.set(guestKey(guest), { ...guest, snapshots, ...more });
}

const YESTERDAY = [new Date(2026, 2, 3, 2, 0, 5)];

test('at two each night, once', async () => {
  begin(BEFORE_TWO);
  hostIs('a', 'up');
  add('a', 'web', YESTERDAY);
  add('a', 'other', [], { nightly: false });
  expect(runs).toHaveLength(0);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(runs.map(({ guest }) => guest)).toEqual(['a/web']);
  await runs[0]?.end();
  await theNextNight();
  expect(runs).toHaveLength(2);
});

test('one guest of a host at a time, and hosts side by side', async () => {
  begin(AFTER_TWO);
  for (const host of ['a', 'b']) hostIs(host, 'up');
  for (const [host, guest] of [
    ['a', 'one'],
    ['a', 'two'],
    ['b', 'three'],
  ] as const)
    add(host, guest);
  await settle();
  expect(runs.map(({ guest }) => guest)).toEqual(['a/one', 'b/three']);
  await runs[0]?.end();
  expect(runs.map(({ guest }) => guest)).toEqual(['a/one', 'b/three', 'a/two']);
});

test('what was missed while the host was down is done when it is back', async () => {
  begin(AFTER_TWO);
  hostIs('a', 'down');
  add('a', 'web', YESTERDAY);
  await settle();
  expect(runs).toHaveLength(0);
  hostIs('a', 'up');
  await settle();
  expect(runs).toHaveLength(1);
});

test('a guest that begins to ask for it gets its first at once; one that stops in the queue is left out', async () => {
  begin(AFTER_TWO);
  hostIs('a', 'up');
  add('a', 'web', [], { nightly: false });
  add('a', 'slow');
  add('a', 'web');
  await settle();
  expect(runs.map(({ guest }) => guest)).toEqual(['a/slow']);
  add('a', 'web', [], { nightly: false });
  await runs[0]?.end();
  expect(runs).toHaveLength(1);
});

test('a failure waits for the next night', async () => {
  begin(AFTER_TWO);
  hostIs('a', 'up');
  add('a', 'web', YESTERDAY);
  await settle();
  await runs[0]?.end({ state: 'failed', message: 'no agent', code: 'QUIESCE_UNAVAILABLE' });
  add('a', 'web', YESTERDAY, { state: 'paused' }); // it changes, and is looked at again
  await settle();
  expect(runs).toHaveLength(1);
  await theNextNight();
  expect(runs).toHaveLength(2);
});

test('a host that is lost under it is no failure of the guest: done again when it is back', async () => {
  begin(AFTER_TWO);
  hostIs('a', 'up');
  add('a', 'web', YESTERDAY);
  await settle();
  hostIs('a', 'down');
  await runs[0]?.end({ state: 'failed', message: 'lost', code: 'CONNECTION_LOST' });
  expect(runs).toHaveLength(1);
  hostIs('a', 'up');
  await settle();
  expect(runs).toHaveLength(2);
});
