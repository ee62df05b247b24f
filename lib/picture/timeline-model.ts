// One snapshot as rows of bars, a row for each step and each disk that is cut, and the windows in which the guest stands still.
import type { Phase, SnapshotPlan } from '../disk-snapshot/types';
import type { SnapshotTimeline } from './timeline-record';
import { milliseconds, printable } from './words';

export type BarKind = 'work' | 'freeze' | 'pause' | 'cut';

export interface Bar {
  label: string;
  kind: BarKind;
  /** Of the whole, 0 to 1. */
  from: number;
  to: number;
  /** How long it took, or what a plan will do. */
  words: string;
}

export interface Window {
  kind: 'frozen' | 'paused';
  words: string;
  from: number;
  to: number;
}

export interface TimelinePicture {
  title: string;
  subtitle: string;
  /** Null for a plan: only the order is known. */
  wholeMs: number | null;
  bars: readonly Bar[];
  windows: readonly Window[];
}

const STEPS: Readonly<Record<Phase, { label: string; kind: BarKind }>> = {
  plan: { label: 'look', kind: 'work' },
  record: { label: 'record', kind: 'work' },
  prepare: { label: 'prepare', kind: 'work' },
  quiesce: { label: 'freeze', kind: 'freeze' },
  pause: { label: 'pause', kind: 'pause' },
  cut: { label: 'cut', kind: 'cut' },
  resume: { label: 'resume', kind: 'pause' },
  thaw: { label: 'thaw', kind: 'freeze' },
  verify: { label: 'read back', kind: 'work' },
  commit: { label: 'merge', kind: 'work' },
  copy: { label: 'copy', kind: 'work' },
  clean: { label: 'clean', kind: 'work' },
};

interface Step {
  phase: Phase;
  disk?: string;
  from: number;
  to: number;
  words: string;
}
type CutDisk = { disk: string; method: string };

export function pictureOfTimeline(report: SnapshotPlan | SnapshotTimeline): TimelinePicture {
  return 'problems' in report ? planned(report) : measured(report);
}

function measured({ guest, name, consistency, frozenMs, pausedMs, disks, steps }: SnapshotTimeline): TimelinePicture {
  const whole = Math.max(steps.at(-1)?.endMs ?? 0, Number.MIN_VALUE);
  const scaled = steps.map(({ startMs, endMs, ...step }) => ({
    ...step,
    from: startMs / whole,
    to: endMs / whole,
    words: milliseconds(endMs - startMs),
  }));
  // What the guest itself stood still, which is less than the steps around it took.
  const windows = windowsOf(scaled, {
    frozen: `frozen ${milliseconds(frozenMs)}`,
    paused: `paused ${milliseconds(pausedMs)}`,
  });
  const cut = scaled.find(({ phase }) => phase === 'cut')?.from ?? 1;
  const long = { frozen: frozenMs / whole, paused: pausedMs / whole };
  return {
    title: `${printable(guest)} · ${printable(name)}`,
    subtitle: `measured · ${milliseconds(whole)} in all · consistency ${consistency}`,
    wholeMs: whole,
    bars: barsOf(scaled, disks),
    windows: windows.map((one) => placed(one, long[one.kind], cut)),
  };
}

/** Only the length was measured. It ended in its last step, which goes on after it, and began before the first cut. */
function placed(window: Window, long: number, cut: number): Window {
  const from = Math.max(window.from, Math.min(window.to - long, cut));
  return { ...window, from, to: Math.min(window.to, from + long) };
}

function planned({ ok, problems, consistency, disks, steps }: SnapshotPlan): TimelinePicture {
  const count = steps.reduce((sum, step, at) => sum + (isOneInstant(step, steps[at - 1]) ? 0 : 1), 0);
  let slot = -1;
  const scaled = steps.map((step, at): Step => {
    if (!isOneInstant(step, steps[at - 1])) slot += 1;
    const { what, ...rest } = step;
    return { ...rest, from: slot / count, to: (slot + 1) / count, words: printable(what) };
  });
  const refused = problems.map(({ message }) => printable(message)).join('; ');
  return {
    title: 'Plan of a snapshot',
    subtitle: ok ? `in order, not to scale · consistency ${consistency}` : `refused: ${refused}`,
    wholeMs: null,
    bars: barsOf(scaled, disks),
    windows: windowsOf(scaled, { frozen: 'frozen', paused: 'paused' }),
  };
}

type Placed = { phase: Phase };
const isOneInstant = (step: Placed, before: Placed | undefined): boolean =>
  step.phase === 'cut' && before?.phase === 'cut';

/** A cut that names no disk is that of all which have none of their own. */
function barsOf(steps: readonly Step[], disks: readonly CutDisk[]): Bar[] {
  const own = new Set(steps.filter(({ phase }) => phase === 'cut').map(({ disk }) => disk));
  return steps.flatMap((step): Bar[] => {
    const { label, kind } = STEPS[step.phase];
    const { disk, from, to, words } = step;
    const bar = (suffix: string): Bar => ({ label: `${label}${suffix}`, kind, from, to, words });
    const named = (one: CutDisk) => bar(` ${printable(one.disk)} · ${printable(one.method)}`);
    if (step.phase !== 'cut') return [bar(disk === undefined ? '' : ` ${printable(disk)}`)];
    return disks.filter((one) => (disk === undefined ? !own.has(one.disk) : one.disk === disk)).map(named);
  });
}

function windowsOf(steps: readonly Step[], words: Readonly<Record<Window['kind'], string>>): Window[] {
  const between = (kind: Window['kind'], first: Phase, last: Phase): Window[] => {
    const begin = steps.find(({ phase }) => phase === first);
    const end = steps.find(({ phase }) => phase === last);
    return begin && end ? [{ kind, words: words[kind], from: begin.from, to: end.to }] : [];
  };
  return [...between('frozen', 'quiesce', 'thaw'), ...between('paused', 'pause', 'resume')];
}
