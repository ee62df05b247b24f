// The states of a snapshot of several disks, as types: each holds all that the states before it held, so that a step which is
// taken out of order does not compile (snapshot-set.ts).
import type { CallOptions } from '../libvirt/options';
import type { Freeze } from './freeze/freeze';
import type { MethodCut } from './methods/cut';
import type { QemuLayer } from './methods/qemu-external';
import type { Pause, Standstill } from './pause';
import type { Plan, SnapshotRequest } from './plan';
import type { Claim } from './records/claim';
import type { IntentRecord } from './records/record';
import type { Phase, ThawResult } from './types';
import type { UndoLog } from './undo';

export interface SnapshotOptions extends SnapshotRequest {
  description: string | null;
  labels: Record<string, string>;
  maxFreezeMs: number;
  guard: boolean;
  deadman: boolean;
  report(phase: Phase, disk?: string): void;
}

/** What all steps share: who is worked on, for whom, and what to take back. */
export interface Work {
  plan: Plan;
  options: SnapshotOptions;
  /** The caller's signal. Nothing after the cut listens to it. */
  call: CallOptions;
  claim: Claim;
  undo: UndoLog;
}
export interface Recorded extends Work {
  intent: IntentRecord;
}
export interface Prepared extends Recorded {
  layers: readonly QemuLayer[];
  methods: readonly MethodCut[];
}
export interface Quiesced extends Prepared {
  /** Ours, ended by us. */
  freeze: Freeze | null;
  /** Why there is none. */
  unfrozen: string | null;
  /** Watched over, and not begun. */
  pause: Pause | null;
}
export interface Cut extends Quiesced {
  cutAt: Date;
  /** Whether the freeze, ours or held, still stood when the last cut had ended. */
  frozenThroughout: boolean;
  standstill: Standstill | null;
  /** libvirt's error for a cut that took place all the same. */
  said: unknown;
}
export interface Released extends Cut {
  thaw: ThawResult | null;
}

/** Of an error about it. */
export const where = ({ guest, name }: Plan) => ({ guest: guest.name, snapshot: name });
