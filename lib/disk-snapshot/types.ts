// The public types of the facade: what callers pass, and what they get.
import type { Readable } from 'node:stream';
import type { CallOptions } from '../libvirt/options';
import type { DiskSnapshotErrorCode } from './errors';

export type { DiskTree, Finding, Layer } from './look/seen';
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

/** How far an operation is. */
export interface Progress {
  /** The step. */
  phase: Phase;
  /** The target; absent where the step is about the whole guest. */
  disk?: string;
  /** Bytes. */
  done: number;
  /** Bytes; 0: not known yet. */
  total: number;
}

export interface OperationOptions extends CallOptions {
  /** Called at each step, and while bytes move. What it throws is reported as uncaught, and harms nothing. */
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
  /** Kept with the record; with the labels at most 64 KiB. */
  description?: string;
  /** Kept with the record. */
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

/** Of {@link diskSnapshotCreate}. */
export type DiskSnapshotCreateOptions = CreateOptions & WithQuiesce & { method?: string | Method };
/** Of {@link snapshotDisks}. */
export type SnapshotDisksOptions = CreateOptions & WithQuiesce & { disks?: DiskSelection };
/** Of {@link planSnapshot}: those of {@link snapshotDisks} that change what would happen. */
export type PlanOptions = CallOptions & {
  disks?: DiskSelection;
  name?: string;
  quiesce?: Quiesce;
  pause?: 'auto' | false;
  strict?: boolean;
};

/** One reason against a snapshot. */
export interface Problem {
  /** That the snapshot would reject with. */
  code: DiskSnapshotErrorCode;
  /** The target. */
  disk?: string;
  /** With the way out. */
  message: string;
}

/** One disk of a {@link SnapshotPlan}. */
export interface PlannedDisk {
  /** The target. */
  disk: string;
  /** Its name. */
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
  /** There are no problems. */
  readonly ok: boolean;
  /** All that stands against it. */
  readonly problems: readonly Problem[];
  /** What can be reached; a freeze that fails may make it less. */
  readonly consistency: Consistency;
  /** File systems in the guest will be frozen. */
  readonly willFreeze: boolean;
  /** The guest will be paused. */
  readonly willPause: boolean;
  /** How each disk will be cut. */
  readonly disks: readonly PlannedDisk[];
  /** In their order. */
  readonly steps: readonly { phase: Phase; disk?: string; what: string }[];
}

// ---- quiesce ----------------------------------------------------------------------------------------------------

/** A file system in the guest. */
export interface FrozenFilesystem {
  /** Where it is mounted. */
  mountpoint: string;
  /** `'ext4'`, `'NTFS'`, … as the agent says. */
  fsType: string;
  /** Targets of the disks below it; empty where the guest does not know (a loop device). */
  disks: string[];
}

/** How a freeze ended. */
export interface ThawResult {
  /** Those that were frozen. */
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
  /** Watch the freeze from a separate process. Default true. */
  guard?: boolean;
}

/** File systems that we hold frozen. Disposing thaws. */
export interface QuiescedStorage extends AsyncDisposable {
  /** Those that are frozen. */
  readonly filesystems: readonly FrozenFilesystem[];
  /** Aborts when the guest is no longer frozen by us: lease over, thawed by another, connection or guest lost. */
  readonly signal: AbortSignal;
  /** Thaws, and tells whether the freeze held. A second call gives the same result. */
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

/** Of `read`. */
export interface ReadOptions {
  /** Destroys the stream with its reason. */
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
  /** What it was cut together with. */
  readonly set: DiskSnapshotSet;
  /** Of its set. */
  readonly name: string;
  /** The target. */
  readonly disk: string;
  /** Its name. */
  readonly method: string;
  /** `'missing'`: what it rests on is not there any more. */
  readonly state: 'present' | 'missing';
  /** `<disk>` XML of what the guest writes to now; null if it still uses the original. */
  readonly modifiedDisk: string | null;
  /** `<source>` XML of the immutable state; null for an internal snapshot, which `internalSnapshot` names. */
  readonly backupSource: string | null;
  /** Its name inside the image that the guest goes on writing to; null where the snapshot is a file or volume of its own. */
  readonly internalSnapshot: string | null;
  /** Of `backupSource`. */
  readonly format: string;
  /** Bytes that the guest sees. */
  readonly virtualSize: number;
  /** What lies below `backupSource`, nearest first. */
  readonly backingChain: readonly { source: string; format: string }[];
  /** Of its set. */
  readonly consistency: Consistency;
  /** Of its set. */
  readonly createdAt: Date;
  /** Gives up this point in time: merges or removes what was made for it. The guest keeps its data, and may run. */
  delete(options?: DeleteOptions): Promise<void>;
  /** Brings this disk back to it; the snapshot stays. Wants a guest that is off, or `force`. */
  revert(options?: RevertOptions): Promise<void>;
  /** What the guest saw at that moment. */
  read(options?: ReadOptions): Readable;
  /**
   * Writes it to a new file at this absolute path, holes kept, for its owner alone to read. The file is there when it is complete,
   * and not before; nothing that exists is overwritten.
   */
  export(path: string, options?: ExportOptions): Promise<void>;
  /** Plain data, for a catalogue. */
  toJSON(): object;
}

/** Disks that were cut together. */
export interface DiskSnapshotSet {
  /** Unique per domain. */
  readonly name: string;
  /** The domain's name. */
  readonly guest: string;
  /** As it was given. */
  readonly description: string | null;
  /** As they were given. */
  readonly labels: Readonly<Record<string, string>>;
  /** By the clock of the machine that took it. */
  readonly createdAt: Date;
  /** One for each disk. */
  readonly disks: readonly DiskSnapshot[];
  /** What was proven of the cut. */
  readonly consistency: Consistency;
  /** From just before the freeze was asked for until the thaw was answered; 0: nothing was frozen. */
  readonly frozenMs: number;
  /** How long the guest was paused; 0: it was not. */
  readonly pausedMs: number;
  /** What `consistency` rests on. */
  readonly evidence: readonly { fact: string; from: string }[];
  /** {@link DiskSnapshot.delete} of all its disks. After a failure it can be called again. */
  delete(options?: DeleteOptions): Promise<void>;
  /** {@link DiskSnapshot.revert} of all its disks, together. */
  revert(options?: RevertOptions): Promise<void>;
  /** {@link DiskSnapshot.read} of the disk with this target. */
  read(disk: string, options?: ReadOptions): Readable;
  /** Plain data, for a catalogue. */
  toJSON(): object;
}

// ---- after a crash -----------------------------------------------------------------------------------------------

/** What {@link recoverDiskSnapshots} did. */
export interface Recovery {
  /** Names of the snapshots whose taking, revert or deletion had come too far to be taken back, and is finished. */
  finished: string[];
  /** Names of those whose taking or revert was taken back. */
  undone: string[];
  /** The guest was frozen, and goes on. */
  thawed: boolean;
  /** The guest was paused, and goes on. */
  resumed: boolean;
}
