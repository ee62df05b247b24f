// The public types of the facade: what callers pass, and what they get.
import type { Readable } from 'node:stream';
import type { CallOptions } from '../libvirt/options';
import type { DiskSnapshotErrorCode } from './errors';

export type { MethodContext, MethodDisk, MethodElement, SnapshotMethod } from './plugin';

// ---- while an operation runs ------------------------------------------------------------------------------------

/** The steps of an operation, in the order in which a snapshot takes them; then those of the long ones. */
export type Phase =
  | 'plan'
  | 'record'
  | 'prepare'
  | 'quiesce'
  | 'pause'
  | 'cut'
  | 'resume'
  | 'thaw'
  | 'verify'
  | 'commit'
  | 'copy'
  | 'clean';

export interface Progress {
  phase: Phase;
  disk?: string;
  /** Bytes. */
  done: number;
  /** Bytes; 0: not known yet. */
  total: number;
}

export interface OperationOptions extends CallOptions {
  onProgress?: (progress: Progress) => void;
}

// ---- what to snapshot, and how ----------------------------------------------------------------------------------

/**
 * Whether the guest's file systems are frozen for the cut.
 *
 * - `'required'`: fail unless an agent answers and every file system on those disks froze.
 * - `'preferred'` (default): freeze if an agent answers, else go on and say so in `consistency`.
 * - `'never'`: do not ask the agent.
 */
export type Quiesce = 'required' | 'preferred' | 'never';

/**
 * What was proven about the cut.
 *
 * - `'filesystem'`: every file system on those disks was frozen from before the first to after the last cut.
 * - `'crash'`: all disks at one instant, as after a power failure.
 * - `'disk'`: each disk by itself.
 */
export type Consistency = 'filesystem' | 'crash' | 'disk';

/**
 * `<diskSnapshot>` as an object. Paths are absolute; `source` is the new file: an overlay, or a clone. A plug-in's own data
 * are further members.
 */
export type Method =
  | { method: 'qemu'; mode?: 'external'; source?: string; format?: 'qcow2' }
  | { method: 'qemu'; mode: 'internal' }
  | { method: 'lvm'; device?: string; bytes?: number }
  | { method: 'btrfs' | 'reflink'; source?: string }
  | { method: 'rbd' }
  | { method: string; [data: string]: unknown };

/** Which disks: all that can be snapshot, a list of targets, or targets with a method (name, XML or object) each. */
export type Disks = 'all' | readonly string[] | Readonly<Record<string, string | Method>>;

/**
 * As {@link Disks}. In an object, `null` leaves the method of a disk to be inferred, `false` leaves the disk out, and the key
 * `'*'` stands for every disk that `'all'` would mean and no other key names.
 */
export type DiskSelection = Disks | Readonly<Record<string, string | Method | null | false>>;

export interface CreateOptions extends OperationOptions {
  /** Unique per domain, and part of file names. Default: a sortable UTC stamp. */
  name?: string;
  description?: string;
  labels?: Record<string, string>;
  /** The longest time from freeze to thaw that the guest may see, in milliseconds. Default 10 000. */
  maxFreezeMs?: number;
  /** `'auto'` (default): pause the guest only where one instant needs it. `false`: never. */
  pause?: 'auto' | false;
  /** Refuse a disk for which no method was given. Default false: a method is inferred, and the plan says why. */
  strict?: boolean;
  /** Watch the freeze from a separate process. Default true. */
  guard?: boolean;
  /** Leave a sleeping thaw in the guest for the case that the whole host is lost. Needs `guest-exec`. Default false. */
  deadman?: boolean;
}

/** A held quiesce counts as required, and as met; `flags` is the proposal's way to say the same. */
export type WithQuiesce = { quiesce?: Quiesce | QuiescedStorage; flags?: never } | { quiesce?: never; flags: number };

export type DiskSnapshotCreateOptions = CreateOptions & WithQuiesce & { method?: string | Method };
export type SnapshotDisksOptions = CreateOptions & WithQuiesce & { disks?: DiskSelection };
export type PlanOptions = CallOptions & {
  disks?: DiskSelection;
  name?: string;
  quiesce?: Quiesce;
  pause?: 'auto' | false;
  strict?: boolean;
};

/** One reason against a snapshot. */
export interface Problem {
  code: DiskSnapshotErrorCode;
  disk?: string;
  message: string;
}

export interface PlannedDisk {
  disk: string;
  method: string;
  /** Why this method, in words. */
  because: string;
  /** What will come into being: paths, or names in the storage. */
  creates: readonly string[];
  /** Bytes that are needed at once; an overlay grows later. */
  bytes: number;
}

/** The dry run of a snapshot: every reason against it at once, and what would happen. Nothing is touched. */
export interface SnapshotPlan {
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  readonly consistency: Consistency;
  readonly willFreeze: boolean;
  readonly willPause: boolean;
  readonly disks: readonly PlannedDisk[];
  readonly steps: readonly { phase: Phase; disk?: string; what: string }[];
}

// ---- quiesce ----------------------------------------------------------------------------------------------------

export interface FrozenFilesystem {
  mountpoint: string;
  fsType: string;
  /** Targets of the disks below it; empty where the guest does not know (a loop device). */
  disks: string[];
}

export interface ThawResult {
  filesystems: FrozenFilesystem[];
  /** From just before the freeze was asked for until the thaw was answered: an upper bound of what the guest saw. */
  frozenMs: number;
  /** Every file system stayed frozen from freeze to thaw: as many thawed as were frozen. */
  intact: boolean;
}

export interface QuiesceOptions extends CallOptions {
  /** Targets whose file systems are frozen. Default `'all'`. */
  disks?: 'all' | readonly string[];
  /** The lease: thawed when it ends. Milliseconds, default 10 000. */
  maxFreezeMs?: number;
  guard?: boolean;
}

/** File systems that we hold frozen. Disposing thaws. */
export interface QuiescedStorage extends AsyncDisposable {
  readonly filesystems: readonly FrozenFilesystem[];
  /** Aborts when the guest is no longer frozen by us: lease over, thawed by another, connection or guest lost. */
  readonly signal: AbortSignal;
  unquiesce(options?: CallOptions): Promise<ThawResult>;
}

// ---- the result -------------------------------------------------------------------------------------------------

export interface DeleteOptions extends OperationOptions {
  /** Of the merge, in MiB/s as virsh. Default 0: unlimited. */
  bandwidth?: number;
}

export interface RevertOptions extends OperationOptions {
  /** Stop a running guest first and start it again. */
  force?: boolean;
  /** Let a managed-save image go. */
  discardManagedSave?: boolean;
}

export interface ReadOptions {
  signal?: AbortSignal;
  /** `'raw'` (default): what the guest saw, through the whole chain. `'file'`: the bytes of `backupSource` alone. */
  as?: 'raw' | 'file';
}

export interface ExportOptions extends OperationOptions {
  /** Default `'qcow2'`. */
  format?: 'raw' | 'qcow2';
}

/** One disk at one point in time. Not a DomainSnapshot: `virsh snapshot-list` does not show it. */
export interface DiskSnapshot {
  readonly set: DiskSnapshotSet;
  readonly name: string;
  /** The target. */
  readonly disk: string;
  readonly method: string;
  readonly state: 'present' | 'missing';
  /** `<disk>` XML of what the guest writes to now; null if it still uses the original. */
  readonly modifiedDisk: string | null;
  /** `<source>` XML of the immutable state; null for an internal snapshot, which `internalSnapshot` names. */
  readonly backupSource: string | null;
  readonly internalSnapshot: string | null;
  /** Of `backupSource`. */
  readonly format: string;
  /** Bytes that the guest sees. */
  readonly virtualSize: number;
  /** What lies below `backupSource`, nearest first. */
  readonly backingChain: readonly { source: string; format: string }[];
  readonly consistency: Consistency;
  readonly createdAt: Date;
  delete(options?: DeleteOptions): Promise<void>;
  revert(options?: RevertOptions): Promise<void>;
  read(options?: ReadOptions): Readable;
  export(path: string, options?: ExportOptions): Promise<void>;
  toJSON(): object;
}

/** Disks that were cut together. */
export interface DiskSnapshotSet {
  readonly name: string;
  /** The domain's name. */
  readonly guest: string;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly disks: readonly DiskSnapshot[];
  readonly consistency: Consistency;
  /** From just before the freeze was asked for until the thaw was answered; 0: nothing was frozen. */
  readonly frozenMs: number;
  readonly pausedMs: number;
  /** What `consistency` rests on. */
  readonly evidence: readonly { fact: string; from: string }[];
  delete(options?: DeleteOptions): Promise<void>;
  revert(options?: RevertOptions): Promise<void>;
  read(disk: string, options?: ReadOptions): Readable;
  toJSON(): object;
}

// ---- looking ----------------------------------------------------------------------------------------------------

/** One file of a chain. */
export interface Layer {
  source: string;
  format: string;
  virtualSize: number;
  fileSize: number | null;
  active: boolean;
  missing: boolean;
  snapshots: readonly string[];
}

/** Guest → disks → layers, with the snapshots on them: what a picture needs. */
export interface DiskTree {
  guest: string;
  uri: string;
  disks: readonly {
    disk: string;
    policy: Method | null;
    layers: readonly Layer[];
    snapshots: readonly { name: string; method: string; state: 'present' | 'missing' }[];
  }[];
}

export interface Finding {
  code: string;
  disk?: string;
  message: string;
  advice: string;
  fixable: boolean;
  fixed: boolean;
}

export interface Recovery {
  finished: string[];
  undone: string[];
  thawed: boolean;
  resumed: boolean;
}
