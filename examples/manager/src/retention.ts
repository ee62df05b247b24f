// When a nightly snapshot is due, and which of them have had their time.
import { Cron } from 'croner';
import type { SnapshotView } from './views.ts';

/** When the schedule last called, whether anybody heard it or not. */
export function lastCall(schedule: string, now: Date): Date | null {
  // Croner looks before the moment that it is given; a timer may ring at the very millisecond of the call.
  const [last] = new Cron(schedule, { paused: true }).previousRuns(1, new Date(now.getTime() + 1));
  return last ?? null;
}

/** No nightly snapshot since the schedule called: a run that was missed is due as well. */
export function isDue(snapshots: readonly SnapshotView[], call: Date): boolean {
  return !snapshots.some(({ nightly, createdAt }) => nightly && new Date(createdAt) >= call);
}

/** All nightly ones but the newest `keep`, oldest first. What people made is theirs. */
export function expired<Snapshot extends Pick<SnapshotView, 'nightly' | 'createdAt'>>(
  snapshots: readonly Snapshot[],
  keep: number,
): Snapshot[] {
  const nightly = snapshots.filter((snapshot) => snapshot.nightly);
  nightly.sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  return nightly.slice(0, Math.max(0, nightly.length - keep));
}
