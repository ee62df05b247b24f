// What snapshotDisks tells of its progress, as the times of its steps.
import type { Consistency, DiskSnapshotSet, Phase, Progress } from '../disk-snapshot/types';

/** The steps of one snapshot as they were measured; plain data, which survives JSON. Times count from the first step. */
export interface SnapshotTimeline {
  guest: string;
  name: string;
  consistency: Consistency;
  frozenMs: number;
  pausedMs: number;
  disks: readonly { disk: string; method: string }[];
  steps: readonly { phase: Phase; disk?: string; startMs: number; endMs: number }[];
}

export interface TimelineRecorder {
  /** For the option `onProgress` of snapshotDisks or diskSnapshotCreate. */
  readonly onProgress: (progress: Progress) => void;
  /** To be called once the snapshot is there: its last step ends now. */
  finish(set: DiskSnapshotSet): SnapshotTimeline;
}

/**
 * Measures the steps of one snapshot, each from when it was told to when the next one was.
 *
 * @param now a clock in milliseconds; default performance.now
 */
export function recordTimeline(now: () => number = () => performance.now()): TimelineRecorder {
  const begun: { phase: Phase; disk?: string; at: number }[] = [];
  return {
    onProgress({ phase, disk }) {
      const last = begun.at(-1);
      if (last?.phase === phase && last.disk === disk) return;
      begun.push({ phase, ...(disk === undefined ? {} : { disk }), at: now() });
    },
    finish({ guest, name, consistency, frozenMs, pausedMs, disks }) {
      const end = now();
      const start = begun[0]?.at ?? end;
      const steps = begun.map(({ at, ...step }, index) => ({
        ...step,
        startMs: at - start,
        endMs: (begun[index + 1]?.at ?? end) - start,
      }));
      const methods = disks.map(({ disk, method }) => ({ disk, method }));
      return { guest, name, consistency, frozenMs, pausedMs, disks: methods, steps };
    },
  };
}
