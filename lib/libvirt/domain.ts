// virDomain: a guest. Each member is one C function; what it does stands in libvirt's own reference under that name.

import type { DomainSnapshot } from './domain-snapshot';
import type { DomainJobType, DomainMetadataType, DomainState } from './generated/constants';
import { Handle, handleClass } from './handle';
import type { AgentFlagsArg, CallOptions, FlagsArg, TypedParams } from './options';
import type { Stream } from './stream';

/** What {@link Domain.getInfo} gives. Memory in KiB, time in nanoseconds. */
export interface DomainInfo {
  state: DomainState;
  maxMem: number;
  memory: number;
  nrVirtCpu: number;
  cpuTime: bigint;
}

/** What {@link Domain.getBlockInfo} gives, in bytes. */
export interface DomainBlockInfo {
  /** What the guest sees. */
  capacity: bigint;
  /** What is allocated on the host. */
  allocation: bigint;
  /** The size of the container: of the file, or of the device. */
  physical: bigint;
}

/** What {@link Domain.getBlockJobInfo} gives. `cur` and `end` count in units that only their ratio gives a meaning. */
export interface BlockJobInfo {
  /** One of `DomainBlockJobType`. */
  type: number;
  /** MiB/s, or bytes/s with the flag; 0: no limit. */
  bandwidth: number;
  cur: bigint;
  end: bigint;
}

/** What {@link Domain.getJobInfo} gives. Times in milliseconds, amounts in bytes. */
export interface DomainJobInfo {
  type: DomainJobType;
  timeElapsed: bigint;
  timeRemaining: bigint;
  dataTotal: bigint;
  dataProcessed: bigint;
  dataRemaining: bigint;
  memTotal: bigint;
  memProcessed: bigint;
  memRemaining: bigint;
  fileTotal: bigint;
  fileProcessed: bigint;
  fileRemaining: bigint;
}

/** What {@link Domain.getControlInfo} gives. */
export interface DomainControlInfo {
  /** One of `DomainControlState`. */
  state: number;
  /** One of `DomainControlErrorReason`, where the state is ERROR. */
  details: number;
  /** Milliseconds since the control interface entered this state. */
  stateTime: bigint;
}

/** A mounted file system, as {@link Domain.getFSInfo} lists it. */
export interface DomainFSInfo {
  mountpoint: string;
  /** The name of the device inside the guest. */
  name: string;
  fstype: string;
  /** Targets of the disks behind it (`vda`), as far as libvirt knows them. */
  devAlias: string[];
}

/** A disk that met an error, and which. */
export interface DomainDiskError {
  disk: string;
  /** One of `DomainDiskErrorCode`. */
  error: number;
}

/** Throttling of one disk: virDomainSetBlockIoTune's typed parameters. Bytes and operations per second; 0: no limit. */
export interface BlockIoTune {
  total_bytes_sec?: number | bigint;
  read_bytes_sec?: number | bigint;
  write_bytes_sec?: number | bigint;
  total_iops_sec?: number | bigint;
  read_iops_sec?: number | bigint;
  write_iops_sec?: number | bigint;
  total_bytes_sec_max?: number | bigint;
  read_bytes_sec_max?: number | bigint;
  write_bytes_sec_max?: number | bigint;
  total_iops_sec_max?: number | bigint;
  read_iops_sec_max?: number | bigint;
  write_iops_sec_max?: number | bigint;
  total_bytes_sec_max_length?: number | bigint;
  read_bytes_sec_max_length?: number | bigint;
  write_bytes_sec_max_length?: number | bigint;
  total_iops_sec_max_length?: number | bigint;
  read_iops_sec_max_length?: number | bigint;
  write_iops_sec_max_length?: number | bigint;
  size_iops_sec?: number | bigint;
  group_name?: string;
}

/** What limits a copy job: virDomainBlockCopy's typed parameters. */
export interface BlockCopyParams {
  /** Bytes/s; 0: no limit. */
  bandwidth?: number | bigint;
  /** Bytes, a power of two. */
  granularity?: number;
  /** Bytes. */
  buf_size?: number | bigint;
}

/** A guest. */
export interface Domain {
  /** virDomainGetName. Read from the handle, synchronously. */
  getName(): string;
  /** virDomainGetUUID: 16 bytes. Read from the handle, synchronously. */
  getUUID(): Uint8Array;
  /** virDomainGetUUIDString. Read from the handle, synchronously. */
  getUUIDString(): string;
  /** virDomainGetID: as it was when the handle was made; null: the guest was off. */
  getID(): number | null;

  // ---- life ----
  /** virDomainCreate: starts a defined guest. */
  create(options?: CallOptions): Promise<void>;
  createWithFlags(flags?: FlagsArg<'DomainCreateFlags'>): Promise<void>;
  /** virDomainDestroy: pulls the plug; the definition stays. */
  destroy(options?: CallOptions): Promise<void>;
  destroyFlags(flags?: FlagsArg<'DomainDestroyFlagsValues'>): Promise<void>;
  /** virDomainShutdown: asks the guest to shut down, and does not wait until it has. */
  shutdown(options?: CallOptions): Promise<void>;
  shutdownFlags(flags?: FlagsArg<'DomainShutdownFlagValues'>): Promise<void>;
  reboot(flags?: FlagsArg<'DomainRebootFlagValues'>): Promise<void>;
  reset(flags?: FlagsArg<never>): Promise<void>;
  /** virDomainSuspend: pauses the virtual CPUs. Of a paused guest it succeeds too: read the state first. */
  suspend(options?: CallOptions): Promise<void>;
  resume(options?: CallOptions): Promise<void>;
  undefine(options?: CallOptions): Promise<void>;
  undefineFlags(flags?: FlagsArg<'DomainUndefineFlagsValues'>): Promise<void>;
  /** virDomainSave: memory into a file, and the guest is off. */
  save(to: string, options?: CallOptions): Promise<void>;
  saveFlags(to: string, dxml: string | null, flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  managedSave(flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  hasManagedSaveImage(flags?: FlagsArg<never>): Promise<boolean>;
  managedSaveRemove(flags?: FlagsArg<never>): Promise<void>;
  getAutostart(options?: CallOptions): Promise<number>;
  setAutostart(autostart: number, options?: CallOptions): Promise<void>;

  // ---- looking ----
  getState(flags?: FlagsArg<never>): Promise<{ state: DomainState; reason: number }>;
  getInfo(options?: CallOptions): Promise<DomainInfo>;
  getXMLDesc(flags?: FlagsArg<'DomainXMLFlags'>): Promise<string>;
  isActive(options?: CallOptions): Promise<boolean>;
  isPersistent(options?: CallOptions): Promise<boolean>;
  isUpdated(options?: CallOptions): Promise<boolean>;
  /** virDomainGetMetadata: `uri` names the element, and is null for title and description. */
  getMetadata(
    type: DomainMetadataType,
    uri: string | null,
    flags?: FlagsArg<'DomainModificationImpact'>,
  ): Promise<string>;
  /** virDomainSetMetadata: null for `metadata` removes it; `key` is the prefix that libvirt gives the element's namespace. */
  setMetadata(
    type: DomainMetadataType,
    metadata: string | null,
    key: string | null,
    uri: string | null,
    flags?: FlagsArg<'DomainModificationImpact'>,
  ): Promise<void>;
  getControlInfo(flags?: FlagsArg<never>): Promise<DomainControlInfo>;
  getJobInfo(options?: CallOptions): Promise<DomainJobInfo>;
  getJobStats(flags?: FlagsArg<'DomainGetJobStatsFlags'>): Promise<{ type: DomainJobType; params: TypedParams }>;
  /** virDomainAbortJob. Runs beside whatever else hangs on this connection. */
  abortJob(options?: CallOptions): Promise<void>;

  // ---- devices ----
  attachDevice(xml: string, options?: CallOptions): Promise<void>;
  attachDeviceFlags(
    xml: string,
    flags?: FlagsArg<'DomainDeviceModifyFlags' | 'DomainModificationImpact'>,
  ): Promise<void>;
  detachDevice(xml: string, options?: CallOptions): Promise<void>;
  detachDeviceFlags(
    xml: string,
    flags?: FlagsArg<'DomainDeviceModifyFlags' | 'DomainModificationImpact'>,
  ): Promise<void>;
  updateDeviceFlags(
    xml: string,
    flags?: FlagsArg<'DomainDeviceModifyFlags' | 'DomainModificationImpact'>,
  ): Promise<void>;
  getBlockInfo(disk: string, flags?: FlagsArg<never>): Promise<DomainBlockInfo>;
  getDiskErrors(flags?: FlagsArg<never>): Promise<DomainDiskError[]>;
  getBlockIoTune(disk: string | null, flags?: FlagsArg<'DomainModificationImpact'>): Promise<TypedParams>;
  setBlockIoTune(disk: string, params: BlockIoTune, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;

  // ---- block jobs: long-running, one per disk; `disk` is a target (`vda`) or a source path ----
  /** virDomainBlockCommit: `base` null: the whole chain, or with SHALLOW the direct parent; `top` null: the active layer. Bandwidth in MiB/s. */
  blockCommit(
    disk: string,
    base: string | null,
    top: string | null,
    bandwidth: number,
    flags?: FlagsArg<'DomainBlockCommitFlags'>,
  ): Promise<void>;
  blockPull(disk: string, bandwidth: number, flags?: FlagsArg<'DomainBlockPullFlags'>): Promise<void>;
  blockRebase(
    disk: string,
    base: string | null,
    bandwidth: number,
    flags?: FlagsArg<'DomainBlockRebaseFlags'>,
  ): Promise<void>;
  blockCopy(
    disk: string,
    destxml: string,
    params: BlockCopyParams | null,
    flags?: FlagsArg<'DomainBlockCopyFlags'>,
  ): Promise<void>;
  /** virDomainBlockJobAbort: cancels, or with PIVOT finishes. Runs beside whatever else hangs on this connection. */
  blockJobAbort(disk: string, flags?: FlagsArg<'DomainBlockJobAbortFlags'>): Promise<void>;
  /** virDomainGetBlockJobInfo. null: no job (the C function returned 0). */
  getBlockJobInfo(disk: string, flags?: FlagsArg<'DomainBlockJobInfoFlags'>): Promise<BlockJobInfo | null>;
  blockJobSetSpeed(disk: string, bandwidth: number, flags?: FlagsArg<'DomainBlockJobSetSpeedFlags'>): Promise<void>;
  /** virDomainBlockResize: KiB, or bytes with the flag. */
  blockResize(disk: string, size: number | bigint, flags?: FlagsArg<'DomainBlockResizeFlags'>): Promise<void>;

  // ---- streams ----
  /** virDomainScreenshot: the MIME type of the picture that `stream` then gives. `screen` counts from 0. */
  screenshot(stream: Stream, screen: number, flags?: FlagsArg<never>): Promise<string>;
  /** virDomainOpenConsole: connects `stream` with a console, both ways. null: the first console or serial port. */
  openConsole(devName: string | null, stream: Stream, flags?: FlagsArg<'DomainConsoleFlags'>): Promise<void>;
  /** virDomainOpenChannel: the same with a channel. null: the first one. */
  openChannel(name: string | null, stream: Stream, flags?: FlagsArg<'DomainChannelFlags'>): Promise<void>;

  // ---- the guest's agent: over connections of their own, so that one that hangs holds nothing else up ----
  getFSInfo(flags?: AgentFlagsArg<never>): Promise<DomainFSInfo[]>;
  /** virDomainFSFreeze: how many file systems were frozen. null or an empty list: all. Has no limit of its own in libvirt. */
  fsFreeze(mountpoints?: readonly string[] | null, flags?: AgentFlagsArg<never>): Promise<number>;
  /** virDomainFSThaw: how many file systems were thawed; the list is ignored by libvirt, all are thawed. */
  fsThaw(mountpoints?: readonly string[] | null, flags?: AgentFlagsArg<never>): Promise<number>;
  /** virDomainFSTrim: `minimum` in bytes: shorter free ranges stay. */
  fsTrim(mountPoint: string | null, minimum: number | bigint, flags?: AgentFlagsArg<never>): Promise<void>;
  /** virDomainAgentSetResponseTimeout: seconds, or one of `DomainAgentResponseTimeoutValues`. It stays for every client of this guest. */
  agentSetResponseTimeout(timeout: number, flags?: FlagsArg<never>): Promise<void>;
  getTime(flags?: AgentFlagsArg<never>): Promise<{ seconds: bigint; nseconds: number }>;
  setTime(seconds: number | bigint, nseconds: number, flags?: AgentFlagsArg<'DomainSetTimeFlags'>): Promise<void>;
  getGuestInfo(types?: number, flags?: AgentFlagsArg<never>): Promise<TypedParams>;
  /** virDomainQemuAgentCommand: the agent's answer as JSON. `timeout` in seconds, or one of `DomainQemuAgentCommandTimeoutValues`. */
  qemuAgentCommand(cmd: string, timeout: number, flags?: AgentFlagsArg<never>): Promise<string>;
  /** virDomainQemuMonitorCommand: QMP, or HMP with the flag. */
  qemuMonitorCommand(cmd: string, flags?: FlagsArg<'DomainQemuMonitorCommandFlags'>): Promise<string>;

  // ---- libvirt's own snapshots and backup ----
  snapshotCreateXML(xmlDesc: string, flags?: FlagsArg<'DomainSnapshotCreateFlags'>): Promise<DomainSnapshot>;
  snapshotLookupByName(name: string, flags?: FlagsArg<never>): Promise<DomainSnapshot>;
  snapshotCurrent(flags?: FlagsArg<never>): Promise<DomainSnapshot>;
  hasCurrentSnapshot(flags?: FlagsArg<never>): Promise<boolean>;
  snapshotNum(flags?: FlagsArg<'DomainSnapshotListFlags'>): Promise<number>;
  listAllSnapshots(flags?: FlagsArg<'DomainSnapshotListFlags'>): Promise<DomainSnapshot[]>;
  /** virDomainRevertToSnapshot. */
  revertToSnapshot(snapshot: DomainSnapshot, flags?: FlagsArg<'DomainSnapshotRevertFlags'>): Promise<void>;
  backupBegin(
    backupXML: string,
    checkpointXML: string | null,
    flags?: FlagsArg<'DomainBackupBeginFlags'>,
  ): Promise<void>;
  backupGetXMLDesc(flags?: FlagsArg<never>): Promise<string>;
}

/** A guest. Made by the lookups of a connection, never by `new`. */
export class Domain extends Handle {
  private constructor(...made: ConstructorParameters<typeof Handle>) {
    super(...made);
  }
  static {
    handleClass('Domain', Domain, (...made) => new Domain(...made));
  }
}

/** One record of {@link Connection.getAllDomainStats}. */
export interface DomainStats {
  domain: Domain;
  params: TypedParams;
}
