// A method as the operations know it: what a plug-in is, and what only built-in methods do besides.
import type { MethodContext, SnapshotMethod } from '../types';

export type CutContext = MethodContext<unknown> & { state: unknown };

export type MethodPlan = Awaited<ReturnType<SnapshotMethod['plan']>> & {
  /** Where what is made takes its bytes, and how many are left there: several disks may share it. */
  space?: { where: string; free: number };
};

export type RevertContext = CutContext & {
  force: boolean;
  /** To be awaited before the first change of the disk. Until then the signal counts; afterwards the way back is gone to its end. */
  begin(): Promise<void>;
};

/** Where the immutable state is: its `<source>`, or the name of a snapshot inside the guest's own image. */
export interface Kept {
  source: string | null;
  internalSnapshot?: string;
  format: string;
  modifiedDisk: string | null;
  /** Bytes that the guest saw. Default: what libvirt says of the disk. */
  virtualSize?: number;
}

export interface Method extends Omit<SnapshotMethod, 'backupSource' | 'plan' | 'revert'> {
  plan(c: MethodContext<unknown>): Promise<MethodPlan>;
  /**
   * The state as it is before `prepare`, null where there is none: it is written down first, so that `undo` finds what a
   * process made that was killed within `prepare`.
   */
  expects?(c: MethodContext<unknown>): Promise<unknown>;
  backupSource(c: CutContext): Promise<Kept>;
  /** Brings what was cut onto stable storage: before it is recorded, and when the guest goes on already. */
  settle?(c: CutContext): Promise<void>;
  revert(c: RevertContext): Promise<void>;
  /** Whether `revert` calls `begin`. Else it is taken to change the disk from its first moment on. */
  readonly tellsBegin?: true;
  /** What speaks against going back, asked before the guest is stopped; nothing is touched. `revert` asks again. */
  checkRevert?(c: CutContext): Promise<void>;
  /** Cuts disks of all methods that share it at one instant. Default: each method cuts its disk by itself. */
  readonly cutTogether?: CutTogether;
}

/** Cuts all the disks, of one guest, or rejects; what it made until then is taken back by each method's `undo`. */
export type CutTogether = (cuts: readonly CutContext[]) => Promise<void>;
