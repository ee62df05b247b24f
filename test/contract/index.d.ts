// The public API, as promised to those who write against it. The programs beside it must compile against what the package ships (strict).
// Members of the mirror shown here stand for all the others. Adding is free; what stands here keeps its name, shape and meaning.
/// <reference types="node" />
import type { Readable } from 'node:stream';

// ---- rules of the whole package ---------------------------------------------------------------------------------------------
// 1. A member that returns a promise never throws synchronously: a bad argument rejects too.
// 2. TypeError / RangeError (codes ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE): the call is wrong JavaScript; libvirt was not called.
//    LibvirtError: from the mirror, libvirt's own error. DiskSnapshotError: from the facade; what libvirt said is its `cause`.
//    An aborted signal rejects with `signal.reason`, a passed `timeoutMs` with the TimeoutError that AbortSignal.timeout gives.
// 3. An abandoned mirror call may still take effect in libvirt. The facade waits for the undo, or says `outcome: 'unknown'`.
// 4. Milliseconds are numbers named …Ms. Bytes in the facade are numbers, so that results survive JSON.stringify.
// 5. Every error class and handle class answers `instanceof` by a Symbol.for brand, so that a second copy of the package, or Jest's registry, does no harm.
export interface CallOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
}
export interface Progress {
  phase: Phase;
  disk?: string;
  done: number;
  total: number;
} // bytes; total 0: not known yet
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

// ---- the mirror ---------------------------------------------------------------------------------------------------------------
declare const flagOf: unique symbol;
/** One bit of one C enum. `|` of two gives a plain number, which is accepted; a list `[A.X, A.Y]` is checked member by member. */
export type Flag<Enum extends string> = number & { readonly [flagOf]?: Enum };
/** The last argument of a mirrored call: the C flags, or an object that also carries a signal or a deadline. */
export type FlagsArg<Enum extends string> =
  | Flag<Enum>
  | readonly Flag<Enum>[]
  | (CallOptions & { flags?: Flag<Enum> | readonly Flag<Enum>[] });

export interface AuthCredential {
  type: number;
  prompt: string;
  challenge: string | null;
  defaultResult: string | null;
}
export interface ConnectOptions extends CallOptions {
  readonly?: boolean;
  auth?:
    | { username?: string; password?: string }
    | ((ask: readonly AuthCredential[]) => Promise<(string | null)[]> | (string | null)[]);
  /** virConnectSetKeepAlive; default { interval: 5, count: 6 } (seconds, as virsh) on remote URIs; false: none. */
  keepAlive?: { interval: number; count: number } | false;
}
export declare function connect(uri?: string | null, options?: ConnectOptions): Promise<Connection>;
export declare function getVersion(): number;

export interface DomainEvents {
  // the names of `virsh event --list`
  lifecycle: { domain: Domain; event: number; detail: number };
  'block-job-2': { domain: Domain; disk: string; type: number; status: number };
  'agent-lifecycle': { domain: Domain; state: number; reason: number };
}
export interface SubscribeOptions extends CallOptions {
  domain?: Domain;
  queueSize?: number;
}
/** Registered in libvirt when the promise resolved; from then on nothing is lost before the first `next()`.
 *  Ends on dispose or abort; throws LibvirtError when the connection is lost. A pending `next()` or a listener holds the process, as a socket does; `unref()` lets go. */
export interface Subscription<E> extends AsyncIterable<E>, AsyncDisposable {
  on(listener: (event: E) => void): this;
  off(listener: (event: E) => void): this;
  readonly dropped: number;
  ref(): this;
  unref(): this;
}

export declare class Connection implements AsyncDisposable {
  private constructor();
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
  /** Resolves, never rejects, when the connection has ended, by us or not. */
  readonly closed: Promise<'client' | 'eof' | 'error' | 'keepalive'>;
  subscribe<K extends keyof DomainEvents>(event: K, options?: SubscribeOptions): Promise<Subscription<DomainEvents[K]>>;
  domainLookupByName(name: string, options?: CallOptions): Promise<Domain>;
  domainLookupByUUIDString(uuid: string, options?: CallOptions): Promise<Domain>;
  listAllDomains(flags?: FlagsArg<'ConnectListAllDomainsFlags'>): Promise<Domain[]>;
  getAllDomainStats(
    stats?: number,
    flags?: FlagsArg<'ConnectGetAllDomainStatsFlags'>,
  ): Promise<{ domain: Domain; params: Record<string, number | bigint | string | boolean> }[]>;
}
export interface BlockJobInfo {
  type: number;
  bandwidth: number;
  cur: bigint;
  end: bigint;
}
export declare class Domain {
  private constructor();
  readonly connection: Connection;
  getName(): string;
  getUUIDString(): string;
  getID(): number | null; // synchronous: read from the handle
  isActive(options?: CallOptions): Promise<boolean>;
  getState(flags?: FlagsArg<never>): Promise<{ state: DomainState; reason: number }>;
  getInfo(
    options?: CallOptions,
  ): Promise<{ state: DomainState; maxMem: number; memory: number; nrVirtCpu: number; cpuTime: bigint }>;
  getXMLDesc(flags?: FlagsArg<'DomainXMLFlags'>): Promise<string>;
  fsFreeze(mountpoints?: readonly string[] | null, flags?: FlagsArg<never>): Promise<number>;
  snapshotCreateXML(xml: string, flags?: FlagsArg<'DomainSnapshotCreateFlags'>): Promise<DomainSnapshot>;
  blockCommit(
    disk: string,
    base: string | null,
    top: string | null,
    bandwidth: number,
    flags?: FlagsArg<'DomainBlockCommitFlags'>,
  ): Promise<void>;
  /** null: no job (the C function returned 0). */
  getBlockJobInfo(disk: string, flags?: FlagsArg<'DomainBlockJobInfoFlags'>): Promise<BlockJobInfo | null>;
  blockJobAbort(disk: string, flags?: FlagsArg<'DomainBlockJobAbortFlags'>): Promise<void>;
}
export declare class DomainSnapshot {
  private constructor();
  getName(): string;
}
export declare const DomainBlockCommitFlags: {
  readonly SHALLOW: Flag<'DomainBlockCommitFlags'>;
  readonly DELETE: Flag<'DomainBlockCommitFlags'>;
  readonly ACTIVE: Flag<'DomainBlockCommitFlags'>;
};
export declare const DomainBlockJobAbortFlags: {
  readonly ASYNC: Flag<'DomainBlockJobAbortFlags'>;
  readonly PIVOT: Flag<'DomainBlockJobAbortFlags'>;
};
export declare const DomainState: {
  readonly NOSTATE: 0;
  readonly RUNNING: 1;
  readonly BLOCKED: 2;
  readonly PAUSED: 3;
  readonly SHUTDOWN: 4;
  readonly SHUTOFF: 5;
  readonly CRASHED: 6;
  readonly PMSUSPENDED: 7;
};
/** The known values, and whatever a newer libvirt adds. */
export type DomainState = (typeof DomainState)[keyof typeof DomainState] | (number & {});
export declare const ErrorNumber: { readonly NO_DOMAIN: 42; readonly RPC: 39; readonly OPERATION_TIMEOUT: 68 };
/** The key of a value of an enum object, or undefined: `nameOf(DomainState, 5)` is 'SHUTOFF'. */
export declare function nameOf(constants: Readonly<Record<string, number>>, value: number): string | undefined;

// ---- errors -----------------------------------------------------------------------------------------------------------------------
export declare class LibvirtError extends Error {
  readonly name: 'LibvirtError';
  readonly code: number;
  readonly codeName: string;
  readonly domain: number;
  readonly domainName: string;
  readonly level: number;
  readonly levelName: string;
  readonly str1: string | null;
  readonly str2: string | null;
  readonly str3: string | null;
  readonly int1: number;
  readonly int2: number;
}
export type DiskSnapshotErrorCode =
  | 'INVALID_ARGUMENT'
  | 'INVALID_XML'
  | 'LIMIT_EXCEEDED'
  | 'DISK_NOT_FOUND'
  | 'DISK_BUSY'
  | 'METHOD_UNKNOWN'
  | 'METHOD_UNSUPPORTED'
  | 'NAME_EXISTS'
  | 'FILE_EXISTS'
  | 'NO_SPACE'
  | 'PERMISSION_DENIED'
  | 'QUIESCE_UNAVAILABLE'
  | 'ALREADY_FROZEN'
  | 'FREEZE_BUDGET_EXCEEDED'
  | 'THAW_FAILED'
  | 'GUARD_UNAVAILABLE'
  | 'OPERATION_IN_PROGRESS'
  | 'OPERATION_FAILED'
  | 'JOB_FAILED'
  | 'NOT_FOUND'
  | 'IN_USE'
  | 'GUEST_ACTIVE'
  | 'CONNECTION_LOST'
  | 'RECOVERY_NEEDED';
export declare class DiskSnapshotError extends Error {
  readonly name: 'DiskSnapshotError';
  readonly code: DiskSnapshotErrorCode;
  /** What is true now: nothing was touched; all was undone; the disks were cut although the call failed; not known: call recoverDiskSnapshots. */
  readonly outcome: 'unchanged' | 'undone' | 'done' | 'unknown';
  readonly guest?: string;
  readonly disk?: string;
  readonly snapshot?: string;
}

// ---- the proposal of 2011 --------------------------------------------------------------------------------------------------------------
export type Quiesce = 'required' | 'preferred' | 'never';
export type Consistency = 'filesystem' | 'crash' | 'disk';
export declare const DiskSnapshotFlags: { readonly QUIESCE_REQUIRED: Flag<'DiskSnapshotFlags'> };
/** `<diskSnapshot>` as an object. Paths are absolute. A plug-in's own data are further members. */
export type Method =
  | { method: 'qemu'; mode?: 'external'; source?: string; format?: 'qcow2' } // source: the new overlay
  | { method: 'qemu'; mode: 'internal' }
  | { method: 'lvm'; device?: string; bytes?: number }
  | { method: 'btrfs' | 'reflink'; source?: string } // source: the clone
  | { method: 'rbd' }
  | { method: string; [data: string]: unknown };
export interface OperationOptions extends CallOptions {
  onProgress?: (p: Progress) => void;
}
export interface CreateOptions extends OperationOptions {
  name?: string;
  description?: string;
  labels?: Record<string, string>;
  /** Freeze to thaw as the guest sees it; default 10 000. */
  maxFreezeMs?: number;
  /** default 'auto': only when one instant needs it; false: never, the set is then at most 'disk'. */
  pause?: 'auto' | false;
  strict?: boolean;
  guard?: boolean /** leave a sleeping thaw in the guest; needs guest-exec */;
  deadman?: boolean;
}
/** A held quiesce counts as required, and as met; consistency is then provisional until its `unquiesce().intact`. */
export type WithQuiesce = { quiesce?: Quiesce | QuiescedStorage; flags?: never } | { quiesce?: never; flags: number };
/** disk: '<…' is XML, '/…' a source path, else a target. method: '<…' is XML, else a method's name. */
export declare function diskSnapshotCreate(
  dom: Domain,
  disk: string,
  options?: CreateOptions & WithQuiesce & { method?: string | Method },
): Promise<DiskSnapshot>;
export interface FrozenFilesystem {
  mountpoint: string;
  fsType: string;
  disks: string[];
}
export interface ThawResult {
  filesystems: FrozenFilesystem[];
  frozenMs: number;
  intact: boolean;
}
export interface QuiescedStorage extends AsyncDisposable {
  readonly filesystems: readonly FrozenFilesystem[];
  /** Aborts when the guest is no longer frozen by us: lease over, thawed by another, guard, connection or guest lost. */
  readonly signal: AbortSignal;
  unquiesce(options?: CallOptions): Promise<ThawResult>;
}
export declare function quiesceStorage(
  dom: Domain,
  options?: CallOptions & { disks?: 'all' | readonly string[]; maxFreezeMs?: number; guard?: boolean },
): Promise<QuiescedStorage>;
export declare function unquiesceStorage(dom: Domain, options?: CallOptions): Promise<{ thawed: number }>;
export declare function defineDomain(conn: Connection, xml: string, options?: CallOptions): Promise<Domain>;
export declare function describeDomain(
  dom: Domain,
  options?: CallOptions & { inactive?: boolean; secure?: boolean },
): Promise<string>;
export declare function updateDisk(
  dom: Domain,
  diskXml: string,
  options?: CallOptions & { live?: boolean; config?: boolean },
): Promise<void>;

// ---- beyond it ------------------------------------------------------------------------------------------------------------------------
export type Disks = 'all' | readonly string[] | Readonly<Record<string, string | Method>>;
export interface Problem {
  code: DiskSnapshotErrorCode;
  disk?: string;
  message: string;
}
export interface SnapshotPlan {
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  readonly consistency: Consistency;
  readonly willFreeze: boolean;
  readonly willPause: boolean;
  readonly disks: readonly {
    disk: string;
    method: string;
    because: string;
    creates: readonly string[];
    bytes: number;
  }[];
  readonly steps: readonly { phase: Phase; disk?: string; what: string }[];
}
export declare function planSnapshot(
  dom: Domain,
  options?: CallOptions & { disks?: Disks; name?: string; quiesce?: Quiesce; pause?: 'auto' | false; strict?: boolean },
): Promise<SnapshotPlan>;
export declare function snapshotDisks(
  dom: Domain,
  options?: CreateOptions & WithQuiesce & { disks?: Disks },
): Promise<DiskSnapshotSet>;
/** Oldest first; what diskSnapshotCreate made is a set of one. */
export declare function listDiskSnapshots(dom: Domain, options?: CallOptions): Promise<DiskSnapshotSet[]>;
export declare function findDiskSnapshot(
  dom: Domain,
  name: string,
  options?: CallOptions,
): Promise<DiskSnapshotSet | null>;
/** Does nothing to what a living owner holds: that rejects with OPERATION_IN_PROGRESS. */
export declare function recoverDiskSnapshots(
  dom: Domain,
  options?: OperationOptions,
): Promise<{ finished: string[]; undone: string[]; thawed: boolean; resumed: boolean }>;
/** Take over overlays that others made (virsh, virt-manager): each layer of the chain becomes a record. */
export declare function adoptDiskSnapshots(
  dom: Domain,
  options?: CallOptions & { disks?: 'all' | readonly string[] },
): Promise<DiskSnapshotSet[]>;

export interface DeleteOptions extends OperationOptions {
  /** MiB/s, as virsh */ bandwidth?: number;
}
export interface RevertOptions extends OperationOptions {
  /** stop a running guest first and start it again */ force?: boolean /** let a managed-save image go */;
  discardManagedSave?: boolean;
}
export interface ReadOptions {
  signal?: AbortSignal /** 'raw': what the guest sees, through the whole chain (default); 'file': the bytes of backupSource alone */;
  as?: 'raw' | 'file';
}
export interface DiskSnapshot {
  readonly set: DiskSnapshotSet;
  readonly name: string;
  readonly disk: string;
  readonly method: string;
  readonly state: 'present' | 'missing';
  readonly modifiedDisk: string | null;
  /** `<source>` XML of the immutable state; null for an internal snapshot, which `internalSnapshot` names. */
  readonly backupSource: string | null;
  readonly internalSnapshot: string | null;
  readonly format: string;
  readonly virtualSize: number;
  readonly backingChain: readonly { source: string; format: string }[];
  readonly consistency: Consistency;
  readonly createdAt: Date;
  delete(options?: DeleteOptions): Promise<void>;
  revert(options?: RevertOptions): Promise<void>;
  read(options?: ReadOptions): Readable;
  export(path: string, options?: OperationOptions & { format?: 'raw' | 'qcow2' }): Promise<void>;
  toJSON(): object;
}
export interface DiskSnapshotSet {
  readonly name: string;
  readonly guest: string;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly disks: readonly DiskSnapshot[];
  readonly consistency: Consistency;
  readonly frozenMs: number;
  readonly pausedMs: number;
  readonly evidence: readonly { fact: string; from: string }[];
  delete(options?: DeleteOptions): Promise<void>;
  revert(options?: RevertOptions): Promise<void>;
  read(disk: string, options?: ReadOptions): Readable;
  toJSON(): object;
}

// ---- plug-ins -----------------------------------------------------------------------------------------------------------------------------
export interface MethodElement {
  attributes: Readonly<Record<string, string>>;
  children: readonly { name: string; attributes: Readonly<Record<string, string>>; text: string; xml: string }[];
  xml: string;
}
export interface MethodDisk {
  target: string;
  device: string;
  type: string;
  format: string | null;
  sourcePath: string | null;
  xml: string;
}
/** Data and State must survive JSON: another process, on another host, may be the one that undoes. */
export interface MethodContext<Data> {
  domain: Domain;
  disk: MethodDisk;
  data: Data;
  name: string;
  active: boolean;
  signal: AbortSignal;
  progress(done: number, total: number): void;
}
export interface SnapshotMethod<Data = unknown, State = unknown> {
  readonly method: string;
  readonly interfaceVersion: 1;
  /** 'frozen': the cut is right only while the guest is frozen or paused; 'any': QEMU's own transaction or the storage takes care. */
  readonly needs: 'frozen' | 'any';
  parse(element: MethodElement): Data;
  claims?(disk: MethodDisk): string | false; // the reason in words, for the plan
  plan(c: MethodContext<Data>): Promise<{ problems: readonly Problem[]; creates: readonly string[]; bytes: number }>;
  prepare(c: MethodContext<Data>): Promise<State>; // recorded before cut runs
  cut(c: MethodContext<Data> & { state: State }): Promise<State>;
  /** Any number of times, after any step, also where nothing was done. */
  undo(c: MethodContext<Data> & { state: State }): Promise<void>;
  exists(c: MethodContext<Data> & { state: State }): Promise<boolean>;
  delete(c: MethodContext<Data> & { state: State }): Promise<void>;
  revert(c: MethodContext<Data> & { state: State; force: boolean }): Promise<void>;
  backupSource(
    c: MethodContext<Data> & { state: State },
  ): Promise<{ source: string; format: string; modifiedDisk: string | null }>;
  read?(c: MethodContext<Data> & { state: State }): Readable; // default: the local file or device of backupSource
}
/** Throws INVALID_ARGUMENT where the name is taken. Disposing takes it out again. */
export declare function registerSnapshotMethod<Data, State>(plugin: SnapshotMethod<Data, State>): Disposable;

// ---- looking ----------------------------------------------------------------------------------------------------------------------------------
/** Guest → disks → chain of layers, with the snapshots on them: what a picture needs. */
export interface Layer {
  source: string;
  format: string;
  virtualSize: number;
  fileSize: number | null;
  active: boolean;
  missing: boolean;
  snapshots: readonly string[];
}
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
export declare function diskTree(dom: Domain, options?: CallOptions): Promise<DiskTree>;
export interface Finding {
  code: string;
  disk?: string;
  message: string;
  advice: string;
  fixable: boolean;
  fixed: boolean;
}
/** Holds records, live XML, image headers, pools and freeze state against each other; with `fix` does what is safe. */
export declare function diagnose(
  dom: Domain,
  options?: OperationOptions & { fix?: boolean },
): Promise<readonly Finding[]>;
