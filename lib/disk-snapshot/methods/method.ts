// A method as the operations know it: what a plug-in is, and what only built-in methods do besides.
import type { MethodContext, SnapshotMethod } from '../types';

export type CutContext = MethodContext<unknown> & { state: unknown };

/** Where the immutable state is: its `<source>`, or the name of a snapshot inside the guest's own image. */
export interface Kept {
  source: string | null;
  internalSnapshot?: string;
  format: string;
  modifiedDisk: string | null;
  /** Bytes that the guest saw. Default: what libvirt says of the disk. */
  virtualSize?: number;
}

export interface Method extends Omit<SnapshotMethod, 'backupSource'> {
  /**
   * The state as it is before `prepare`, null where there is none: it is written down first, so that `undo` finds what a
   * process made that was killed within `prepare`.
   */
  expects?(c: MethodContext<unknown>): Promise<unknown>;
  backupSource(c: CutContext): Promise<Kept>;
  /** What speaks against going back, asked before the guest is stopped; nothing is touched. `revert` asks again. */
  checkRevert?(c: CutContext): Promise<void>;
  /** Cuts disks of all methods that share it at one instant. Default: each method cuts its disk by itself. */
  readonly cutTogether?: CutTogether;
}

/** Cuts all the disks, of one guest, or rejects; what it made until then is taken back by each method's `undo`. */
export type CutTogether = (cuts: readonly CutContext[]) => Promise<void>;
