// virDomain: a guest. Each member is one C function; what it does stands in libvirt's own reference under that name.

import type { Connection } from './connection';
import type { DomainCheckpoint } from './domain-checkpoint';
import type {
  BlockJobInfo,
  DomainBlockInfo,
  DomainBlockStats,
  DomainControlInfo,
  DomainDiskError,
  DomainFSInfo,
  DomainInfo,
  DomainInterface,
  DomainInterfaceStats,
  DomainJobInfo,
  DomainJobStats,
  DomainMemoryStat,
  DomainSchedulerType,
  DomainStateAndReason,
  DomainTime,
  IOThreadInfo,
  MonitorAnswer,
  SecurityLabel,
  VcpuInfo,
} from './domain-info';
import type {
  BlkioParameters,
  BlockCopyParams,
  BlockIoTune,
  InterfaceParameters,
  IOThreadParams,
  LaunchSecurityState,
  MemoryParameters,
  MigrateParams,
  NumaParameters,
  PerfEvents,
  SaveParams,
  SchedulerParameters,
} from './domain-params';
import type { DomainSnapshot } from './domain-snapshot';
import type { DomainEvents, EventNameOf } from './events';
import type {
  DomainCoreDumpFormat,
  DomainGraphicsReloadType,
  DomainInterfaceAddressesSource,
  DomainLifecycle,
  DomainLifecycleAction,
  DomainMetadataType,
  DomainProcessSignal,
  KeycodeSet,
  NodeSuspendTarget,
} from './generated/constants';
import { Handle, handleClass } from './handle';
import type { AgentFlagsArg, CallOptions, Flags, FlagsArg, TypedParams } from './options';
import type { Stream } from './stream';
import type { OwnSubscribeOptions, Subscription } from './subscription';
import type {
  BandwidthTold,
  BlkioParametersTold,
  BlockIoTuneTold,
  BlockStatsTold,
  CPUStatsTold,
  GuestInfoTold,
  GuestVcpusTold,
  LaunchSecurityInfoTold,
  MemoryParametersTold,
  NumaParametersTold,
  PerfEventsTold,
  SchedulerParametersTold,
} from './told';

/** A guest. */
export interface Domain {
  /** virDomainGetName: its name. Read from the handle, synchronously. */
  getName(): string;
  /** virDomainGetUUID: 16 bytes. Read from the handle, synchronously. */
  getUUID(): Uint8Array;
  /** virDomainGetUUIDString: its UUID as text. Read from the handle, synchronously. */
  getUUIDString(): string;
  /** virDomainGetID: as it was when the handle was made; null: the guest was off. */
  getID(): number | null;

  // ---- life ----
  /** virDomainCreate: starts a defined guest. */
  create(options?: CallOptions): Promise<void>;
  /**
   * virDomainCreateWithFlags: as {@link create}; `PAUSED`, `AUTODESTROY`, or without its saved image (`FORCE_BOOT`).
   */
  createWithFlags(flags?: FlagsArg<'DomainCreateFlags'>): Promise<void>;
  /** virDomainDestroy: pulls the plug; the definition stays. */
  destroy(options?: CallOptions): Promise<void>;
  /** virDomainDestroyFlags: as {@link destroy}; `GRACEFUL`: fails where QEMU does not answer its SIGTERM. */
  destroyFlags(flags?: FlagsArg<'DomainDestroyFlagsValues'>): Promise<void>;
  /** virDomainShutdown: asks the guest to shut down, and does not wait until it has. */
  shutdown(options?: CallOptions): Promise<void>;
  /** virDomainShutdownFlags: as {@link shutdown}, by the way that the flags choose: ACPI, agent, and so on. */
  shutdownFlags(flags?: FlagsArg<'DomainShutdownFlagValues'>): Promise<void>;
  /** virDomainReboot: asks the guest to start again; resolves when it was asked. */
  reboot(flags?: FlagsArg<'DomainRebootFlagValues'>): Promise<void>;
  /** virDomainReset: the reset button: no shutdown, no new QEMU. */
  reset(flags?: FlagsArg<never>): Promise<void>;
  /** virDomainSuspend: pauses the virtual CPUs. Of a paused guest it succeeds too: read the state first. */
  suspend(options?: CallOptions): Promise<void>;
  /** virDomainResume: the CPUs of a paused guest go on. */
  resume(options?: CallOptions): Promise<void>;
  /**
   * virDomainUndefine: forgets its definition; a running guest becomes transient. `OPERATION_INVALID` where it has a
   * saved image or snapshots.
   */
  undefine(options?: CallOptions): Promise<void>;
  /** virDomainUndefineFlags: as {@link undefine}, and what the flags name goes with it. */
  undefineFlags(flags?: FlagsArg<'DomainUndefineFlagsValues'>): Promise<void>;
  /** virDomainSave: memory into a file, and the guest is off. */
  save(to: string, options?: CallOptions): Promise<void>;
  /** virDomainSaveFlags: as {@link save}; `dxml` in place of the current definition, null: that one. */
  saveFlags(to: string, dxml: string | null, flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  /** virDomainManagedSave: as {@link save}, into a file of libvirt's own; the next start goes on from it. */
  managedSave(flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  /** virDomainHasManagedSaveImage: whether its next start goes on from a saved image. */
  hasManagedSaveImage(flags?: FlagsArg<never>): Promise<boolean>;
  /** virDomainManagedSaveRemove: removes its saved image: its next start is a boot. */
  managedSaveRemove(flags?: FlagsArg<never>): Promise<void>;
  /** virDomainManagedSaveGetXMLDesc: the definition that its saved image carries; `SECURE` shows passwords. */
  managedSaveGetXMLDesc(flags?: FlagsArg<'DomainSaveImageXMLFlags'>): Promise<string>;
  /** virDomainManagedSaveDefineXML: changes what the guest will be when it is started from its image. */
  managedSaveDefineXML(dxml: string, flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  /** virDomainSaveParams: as {@link saveFlags}; without a file, the managed image. */
  saveParams(params: SaveParams, flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  /** virDomainRename: gives it another name; only a guest that is off, and without snapshots. */
  rename(newName: string, flags?: FlagsArg<never>): Promise<void>;
  /** virDomainInjectNMI: a non-maskable interrupt. */
  injectNMI(flags?: FlagsArg<never>): Promise<void>;
  /** virDomainPMSuspendForDuration: the guest's own sleep; `duration` in seconds, 0: until it is woken. */
  pmSuspendForDuration(
    target: NodeSuspendTarget,
    duration: number | bigint,
    flags?: AgentFlagsArg<never>,
  ): Promise<void>;
  /** virDomainPMWakeup: wakes a guest that {@link pmSuspendForDuration} put to sleep. */
  pmWakeup(flags?: FlagsArg<never>): Promise<void>;
  /** virDomainSetLifecycleAction: what happens on poweroff, reboot or crash. */
  setLifecycleAction(
    type: DomainLifecycle,
    action: DomainLifecycleAction,
    flags?: FlagsArg<'DomainModificationImpact'>,
  ): Promise<void>;
  /** virDomainCoreDump: the guest's memory into a file of the host. */
  coreDump(to: string, flags?: FlagsArg<'DomainCoreDumpFlags'>): Promise<void>;
  /** virDomainCoreDumpWithFormat: as {@link coreDump}, in that format. */
  coreDumpWithFormat(
    to: string,
    dumpformat: DomainCoreDumpFormat,
    flags?: FlagsArg<'DomainCoreDumpFlags'>,
  ): Promise<void>;
  /** virDomainCreateWithFiles: starts the guest with file descriptors of this process; local connections only. */
  createWithFiles(files: readonly number[], flags?: FlagsArg<'DomainCreateFlags'>): Promise<void>;
  /** virDomainFDAssociate: file descriptors of this process under a name that the domain's XML uses. libvirt 9.0 and later. */
  fdAssociate(name: string, fds: readonly number[], flags?: FlagsArg<'DomainFDAssociateFlags'>): Promise<void>;
  /** virDomainGetAutostart: 1: it starts with the host. */
  getAutostart(options?: CallOptions): Promise<number>;
  /** virDomainSetAutostart: 1: start it with the host; of a guest that is defined. */
  setAutostart(autostart: number, options?: CallOptions): Promise<void>;
  /** virDomainGetAutostartOnce: 1: it starts with the host's next boot, and with that one alone. libvirt 11.2 and later. */
  getAutostartOnce(options?: CallOptions): Promise<number>;
  /** virDomainSetAutostartOnce: 1: start with the host's next boot, and with that one alone. libvirt 11.2 and later. */
  setAutostartOnce(autostart: number, options?: CallOptions): Promise<void>;

  // ---- looking ----
  /**
   * virDomainGetState: its state, and why; `reason` is of the enum that belongs to the state, such as
   * `DomainPausedReason`.
   */
  getState(flags?: FlagsArg<never>): Promise<DomainStateAndReason>;
  /** virDomainGetInfo: state, memory in KiB, CPUs, and the CPU time used in nanoseconds. */
  getInfo(options?: CallOptions): Promise<DomainInfo>;
  /**
   * virDomainGetXMLDesc: its `<domain>`; `SECURE` shows passwords, and wants a writable connection; `INACTIVE`: as
   * it is after the next start.
   */
  getXMLDesc(flags?: FlagsArg<'DomainXMLFlags'>): Promise<string>;
  /** virDomainIsActive: whether it runs, paused included. */
  isActive(options?: CallOptions): Promise<boolean>;
  /** virDomainIsPersistent: whether it is defined: it stays when it ends. */
  isPersistent(options?: CallOptions): Promise<boolean>;
  /** virDomainIsUpdated: whether its running definition was changed since it started. */
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
  /** virDomainGetControlInfo: whether its monitor is free; `stateTime` in milliseconds. */
  getControlInfo(flags?: FlagsArg<never>): Promise<DomainControlInfo>;
  /** virDomainGetJobInfo: the job that runs, migration or save: bytes and milliseconds. `type` NONE: no job. */
  getJobInfo(options?: CallOptions): Promise<DomainJobInfo>;
  /** virDomainGetJobStats: as {@link getJobInfo}, by name; `COMPLETED`: the last one that ended. */
  getJobStats(flags?: FlagsArg<'DomainGetJobStatsFlags'>): Promise<DomainJobStats>;
  /** virDomainAbortJob: ends the running job. Runs beside whatever else hangs on this connection. */
  abortJob(options?: CallOptions): Promise<void>;
  /** virDomainAbortJobFlags: as {@link abortJob}; `POSTCOPY`: a migration that is past the switch-over. */
  abortJobFlags(flags?: FlagsArg<'DomainAbortJobFlagsValues'>): Promise<void>;
  /** virDomainGetOSType: such as `hvm`. */
  getOSType(options?: CallOptions): Promise<string>;
  /** virDomainGetHostname: what the guest calls itself, from its agent or from a network's lease. */
  getHostname(flags?: AgentFlagsArg<'DomainGetHostnameFlags'>): Promise<string>;
  /** virDomainGetMaxMemory: the most memory it can have, in KiB. */
  getMaxMemory(options?: CallOptions): Promise<number>;
  /**
   * virDomainGetMaxVcpus: the most virtual CPUs it may have: of its definition, or of the hypervisor where it is
   * off.
   */
  getMaxVcpus(options?: CallOptions): Promise<number>;
  /** virDomainGetSecurityLabel: the label of its process; empty without a security driver. */
  getSecurityLabel(options?: CallOptions): Promise<SecurityLabel>;
  /** virDomainGetSecurityLabelList: one for each security driver. */
  getSecurityLabelList(options?: CallOptions): Promise<SecurityLabel[]>;
  /** virDomainGetMessages: what libvirt thinks of this guest: taints, deprecated features. */
  getMessages(flags?: FlagsArg<'DomainMessageType'>): Promise<string[]>;
  /** virDomainBlockStats: counted since the guest's start; -1: not known to the driver. */
  blockStats(disk: string, options?: CallOptions): Promise<DomainBlockStats>;
  /** virDomainBlockStatsFlags: all that the driver counts, by name. */
  blockStatsFlags(disk: string, flags?: FlagsArg<never>): Promise<BlockStatsTold>;
  /**
   * virDomainInterfaceStats: bytes and packets of one network interface, by its target such as `vnet0`; -1: not
   * counted.
   */
  interfaceStats(device: string, options?: CallOptions): Promise<DomainInterfaceStats>;
  /**
   * virDomainMemoryStats: in KiB but for faults and times; `tag` is of `DomainMemoryStatTags`. Most want the balloon
   * driver in the guest.
   */
  memoryStats(flags?: FlagsArg<never>): Promise<DomainMemoryStat[]>;
  /** virDomainInterfaceAddresses: of `source`: leases, agent or ARP. */
  interfaceAddresses(source: DomainInterfaceAddressesSource, flags?: AgentFlagsArg<never>): Promise<DomainInterface[]>;
  /** virDomainBlockPeek: bytes of a disk's file as they lie there, at most 4 MiB at a time; the container, not what the guest sees. */
  blockPeek(disk: string, offset: number | bigint, size: number, flags?: FlagsArg<never>): Promise<Uint8Array>;
  /** virDomainMemoryPeek: the guest's memory, at most 4 MiB at a time. */
  memoryPeek(start: number | bigint, size: number, flags?: FlagsArg<'DomainMemoryFlags'>): Promise<Uint8Array>;
  /** virDomainGetPerfEvents: which performance counters are on. */
  getPerfEvents(flags?: FlagsArg<'DomainModificationImpact'>): Promise<PerfEventsTold>;
  /** virDomainSetPerfEvents: which performance events are counted. */
  setPerfEvents(params: PerfEvents, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainGetLaunchSecurityInfo: SEV's measurement and policy, by name. */
  getLaunchSecurityInfo(flags?: FlagsArg<never>): Promise<LaunchSecurityInfoTold>;
  /** virDomainSetLaunchSecurityState: gives a paused SEV guest its secret. */
  setLaunchSecurityState(params: LaunchSecurityState, flags?: FlagsArg<never>): Promise<void>;
  /** virDomainStartDirtyRateCalc: measures for so many seconds how fast memory changes; the result is in the domain's stats. */
  startDirtyRateCalc(seconds: number, flags?: FlagsArg<'DomainDirtyRateCalcFlags'>): Promise<void>;

  // ---- devices ----
  /** virDomainAttachDevice: adds a device to the running guest; {@link attachDeviceFlags} to its definition too. */
  attachDevice(xml: string, options?: CallOptions): Promise<void>;
  /** virDomainAttachDeviceFlags: adds a device: live, to the definition, or both. */
  attachDeviceFlags(
    xml: string,
    flags?: FlagsArg<'DomainDeviceModifyFlags' | 'DomainModificationImpact'>,
  ): Promise<void>;
  /** virDomainDetachDevice: as {@link detachDeviceFlags}, of the running guest. */
  detachDevice(xml: string, options?: CallOptions): Promise<void>;
  /** virDomainDetachDeviceFlags: asks the guest to give a device up; it is gone with the event `device-removed`. */
  detachDeviceFlags(
    xml: string,
    flags?: FlagsArg<'DomainDeviceModifyFlags' | 'DomainModificationImpact'>,
  ): Promise<void>;
  /** virDomainUpdateDeviceFlags: changes a device: the medium of a drive, the link of an interface, a password. */
  updateDeviceFlags(
    xml: string,
    flags?: FlagsArg<'DomainDeviceModifyFlags' | 'DomainModificationImpact'>,
  ): Promise<void>;
  /** virDomainDetachDeviceAlias: as {@link detachDeviceFlags}, by the device's alias. */
  detachDeviceAlias(
    alias: string,
    flags?: FlagsArg<'DomainDeviceModifyFlags' | 'DomainModificationImpact'>,
  ): Promise<void>;
  /** virDomainSetBlockThreshold: bytes at which the event `block-threshold` comes; `dev` such as `vda` or `vda[1]`. */
  setBlockThreshold(dev: string, threshold: number | bigint, flags?: FlagsArg<never>): Promise<void>;
  /** virDomainGetInterfaceParameters: bandwidths of one interface, in KiB/s; 0: no limit. */
  getInterfaceParameters(device: string, flags?: FlagsArg<'DomainModificationImpact'>): Promise<BandwidthTold>;
  /** virDomainSetInterfaceParameters: changes bandwidths of one interface, in KiB/s. */
  setInterfaceParameters(
    device: string,
    params: InterfaceParameters,
    flags?: FlagsArg<'DomainModificationImpact'>,
  ): Promise<void>;
  /** virDomainOpenGraphics: hands `fd`, one end of a socket pair, to the guest's display. */
  openGraphics(idx: number, fd: number, flags?: FlagsArg<'DomainOpenGraphicsFlags'>): Promise<void>;
  /** virDomainOpenGraphicsFD: a new file descriptor of this process, the caller's to close. */
  openGraphicsFD(idx: number, flags?: FlagsArg<'DomainOpenGraphicsFlags'>): Promise<number>;
  /** virDomainGraphicsReload: the display reads its certificates again. libvirt 10.2 and later. */
  graphicsReload(type: DomainGraphicsReloadType, flags?: FlagsArg<never>): Promise<void>;
  /**
   * virDomainGetBlockInfo: bytes of one disk; `allocation` is the highest offset written where QEMU serves a block
   * device.
   */
  getBlockInfo(disk: string, flags?: FlagsArg<never>): Promise<DomainBlockInfo>;
  /** virDomainGetDiskErrors: the disks that paused the guest, and why. */
  getDiskErrors(flags?: FlagsArg<never>): Promise<DomainDiskError[]>;
  /** virDomainGetBlockIoTune: limits of one disk, by name. */
  getBlockIoTune(disk: string, flags?: FlagsArg<'DomainModificationImpact'>): Promise<BlockIoTuneTold>;
  /** virDomainSetBlockIoTune: changes limits of one disk. */
  setBlockIoTune(disk: string, params: BlockIoTune, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainSetThrottleGroup: makes or changes a group whose limits its disks share. libvirt 11.2 and later. */
  setThrottleGroup(group: string, params: BlockIoTune, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainDelThrottleGroup: fails while a disk is in it. libvirt 11.2 and later. */
  delThrottleGroup(group: string, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainGetBlkioParameters: weights and limits of its cgroup, by name. */
  getBlkioParameters(flags?: FlagsArg<'DomainModificationImpact'>): Promise<BlkioParametersTold>;
  /** virDomainSetBlkioParameters: changes weights and limits of its cgroup. */
  setBlkioParameters(params: BlkioParameters, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;

  // ---- memory and processors ----
  /** virDomainSetMaxMemory: the most memory it can have, in KiB. */
  setMaxMemory(memory: number | bigint, options?: CallOptions): Promise<void>;
  /** virDomainSetMemory: the memory it has now, in KiB. */
  setMemory(memory: number | bigint, options?: CallOptions): Promise<void>;
  /** virDomainSetMemoryFlags: the memory, in KiB, of what the flags name. */
  setMemoryFlags(
    memory: number | bigint,
    flags?: FlagsArg<'DomainMemoryModFlags' | 'DomainModificationImpact'>,
  ): Promise<void>;
  /** virDomainGetMemoryParameters: limits of its cgroup in KiB; 9007199254740991n: none. */
  getMemoryParameters(flags?: FlagsArg<'DomainModificationImpact'>): Promise<MemoryParametersTold>;
  /** virDomainSetMemoryParameters: changes limits of its cgroup, in KiB. */
  setMemoryParameters(params: MemoryParameters, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainSetMemoryStatsPeriod: seconds between two looks of the balloon; 0: none. */
  setMemoryStatsPeriod(
    period: number,
    flags?: FlagsArg<'DomainMemoryModFlags' | 'DomainModificationImpact'>,
  ): Promise<void>;
  /** virDomainGetNumaParameters: which nodes of the host its memory comes from. */
  getNumaParameters(flags?: FlagsArg<'DomainModificationImpact'>): Promise<NumaParametersTold>;
  /** virDomainSetNumaParameters: changes which nodes of the host its memory comes from. */
  setNumaParameters(params: NumaParameters, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainGetSchedulerType: the scheduler's name, and how many parameters it has. */
  getSchedulerType(options?: CallOptions): Promise<DomainSchedulerType>;
  /** virDomainGetSchedulerParameters: shares, periods and quotas (microseconds), by name. */
  getSchedulerParameters(options?: CallOptions): Promise<SchedulerParametersTold>;
  /** virDomainGetSchedulerParametersFlags: as {@link getSchedulerParameters}, live or of the definition. */
  getSchedulerParametersFlags(flags?: FlagsArg<'DomainModificationImpact'>): Promise<SchedulerParametersTold>;
  /** virDomainSetSchedulerParameters: changes shares, periods and quotas (microseconds). */
  setSchedulerParameters(params: SchedulerParameters, options?: CallOptions): Promise<void>;
  /** virDomainSetSchedulerParametersFlags: as {@link setSchedulerParameters}, live or in the definition. */
  setSchedulerParametersFlags(params: SchedulerParameters, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainGetVcpusFlags: how many virtual CPUs it has; `MAXIMUM`: may have; `GUEST`: uses, asked of the agent. */
  getVcpusFlags(flags?: FlagsArg<'DomainVcpuFlags' | 'DomainModificationImpact'>): Promise<number>;
  /** virDomainSetVcpus: how many virtual CPUs the running guest has; at most its maximum. */
  setVcpus(nvcpus: number, options?: CallOptions): Promise<void>;
  /** virDomainSetVcpusFlags: as {@link setVcpus}, live, in the definition, or by the agent. */
  setVcpusFlags(nvcpus: number, flags?: FlagsArg<'DomainVcpuFlags' | 'DomainModificationImpact'>): Promise<void>;
  /** virDomainSetVcpu: `vcpumap` such as `'1,3-5'`; `state` 1: on. */
  setVcpu(vcpumap: string, state: number, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainGetVcpus: of a running guest. */
  getVcpus(options?: CallOptions): Promise<VcpuInfo[]>;
  /** virDomainGetVcpuPinInfo: for each virtual CPU the numbers of the host's CPUs that it may run on. */
  getVcpuPinInfo(flags?: FlagsArg<'DomainModificationImpact'>): Promise<number[][]>;
  /** virDomainPinVcpu: `cpumap` are numbers of CPUs of the host. */
  pinVcpu(vcpu: number, cpumap: readonly number[], options?: CallOptions): Promise<void>;
  /** virDomainPinVcpuFlags: as {@link pinVcpu}, live or in the definition. */
  pinVcpuFlags(vcpu: number, cpumap: readonly number[], flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainGetEmulatorPinInfo: null: the emulator's threads are not pinned. */
  getEmulatorPinInfo(flags?: FlagsArg<'DomainModificationImpact'>): Promise<number[] | null>;
  /** virDomainPinEmulator: the CPUs of the host that QEMU itself may run on. */
  pinEmulator(cpumap: readonly number[], flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainGetCPUStats: of CPUs of the host from `startCpu` on, `ncpus` 0: all; -1 and 1: their sum. */
  getCPUStats(startCpu: number, ncpus: number, flags?: FlagsArg<never>): Promise<CPUStatsTold[]>;
  /** virDomainGetIOThreadInfo: its IO threads, and the CPUs of the host that each may run on. */
  getIOThreadInfo(flags?: FlagsArg<'DomainModificationImpact'>): Promise<IOThreadInfo[]>;
  /** virDomainPinIOThread: the CPUs of the host that one IO thread may run on. */
  pinIOThread(
    iothreadId: number,
    cpumap: readonly number[],
    flags?: FlagsArg<'DomainModificationImpact'>,
  ): Promise<void>;
  /** virDomainAddIOThread: one more IO thread, with that number. */
  addIOThread(iothreadId: number, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainDelIOThread: removes an IO thread; fails while a disk uses it. */
  delIOThread(iothreadId: number, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainSetIOThreadParams: changes how one IO thread polls; live only. */
  setIOThreadParams(
    iothreadId: number,
    params: IOThreadParams,
    flags?: FlagsArg<'DomainModificationImpact'>,
  ): Promise<void>;

  // ---- block jobs: long-running, one per disk; `disk` is a target (`vda`) or a source path ----
  /** virDomainBlockCommit: `base` null: the whole chain, or with SHALLOW the direct parent; `top` null: the active layer. Bandwidth in MiB/s. */
  blockCommit(
    disk: string,
    base: string | null,
    top: string | null,
    bandwidth: number | bigint,
    flags?: FlagsArg<'DomainBlockCommitFlags'>,
  ): Promise<void>;
  /**
   * virDomainBlockPull: copies the backing files' contents into the top layer: a block job. `bandwidth` in MiB/s, or
   * bytes/s with `BANDWIDTH_BYTES`; 0: no limit.
   */
  blockPull(disk: string, bandwidth: number | bigint, flags?: FlagsArg<'DomainBlockPullFlags'>): Promise<void>;
  /**
   * virDomainBlockRebase: copies what lies between the top layer and `base` into it, null: all: a block job.
   * `bandwidth` as in {@link blockPull}.
   */
  blockRebase(
    disk: string,
    base: string | null,
    bandwidth: number | bigint,
    flags?: FlagsArg<'DomainBlockRebaseFlags'>,
  ): Promise<void>;
  /** virDomainBlockCopy: mirrors a disk to what `destxml` says: a block job that waits to be ended. */
  blockCopy(
    disk: string,
    destxml: string,
    params: BlockCopyParams | null,
    flags?: FlagsArg<'DomainBlockCopyFlags'>,
  ): Promise<void>;
  /** virDomainBlockJobAbort: cancels, or with PIVOT finishes. Runs beside whatever else hangs on this connection. */
  blockJobAbort(disk: string, flags?: FlagsArg<'DomainBlockJobAbortFlags'>): Promise<void>;
  /** virDomainGetBlockJobInfo: how far the job of a disk is. null: no job (the C function returned 0). */
  getBlockJobInfo(disk: string, flags?: FlagsArg<'DomainBlockJobInfoFlags'>): Promise<BlockJobInfo | null>;
  /** virDomainBlockJobSetSpeed: `bandwidth` in MiB/s, or bytes/s with `BANDWIDTH_BYTES`; 0: no limit. */
  blockJobSetSpeed(
    disk: string,
    bandwidth: number | bigint,
    flags?: FlagsArg<'DomainBlockJobSetSpeedFlags'>,
  ): Promise<void>;
  /** virDomainBlockResize: KiB, or bytes with the flag. */
  blockResize(disk: string, size: number | bigint, flags?: FlagsArg<'DomainBlockResizeFlags'>): Promise<void>;

  // ---- streams ----
  /** virDomainScreenshot: the MIME type of the picture that `stream` then gives. `screen` counts from 0. */
  screenshot(stream: Stream, screen: number, flags?: FlagsArg<never>): Promise<string>;
  /** virDomainOpenConsole: connects `st` with a console, both ways. null: the first console or serial port. */
  openConsole(devName: string | null, st: Stream, flags?: FlagsArg<'DomainConsoleFlags'>): Promise<void>;
  /** virDomainOpenChannel: the same with a channel. null: the first one. */
  openChannel(name: string | null, st: Stream, flags?: FlagsArg<'DomainChannelFlags'>): Promise<void>;

  // ---- the guest's agent: over connections of their own, so that one that hangs holds nothing else up ----
  /**
   * virDomainGetFSInfo: the mounted file systems, and the disks behind each. Asks the agent: `AGENT_UNRESPONSIVE`
   * where none answers.
   */
  getFSInfo(flags?: AgentFlagsArg<never>): Promise<DomainFSInfo[]>;
  /** virDomainFSFreeze: how many file systems were frozen. null or an empty list: all. Has no limit of its own in libvirt. */
  fsFreeze(mountpoints?: readonly string[] | null, flags?: AgentFlagsArg<never>): Promise<number>;
  /** virDomainFSThaw: how many file systems were thawed; the list is ignored by libvirt, all are thawed. */
  fsThaw(mountpoints?: readonly string[] | null, flags?: AgentFlagsArg<never>): Promise<number>;
  /** virDomainFSTrim: `minimum` in bytes: shorter free ranges stay. */
  fsTrim(mountPoint: string | null, minimum: number | bigint, flags?: AgentFlagsArg<never>): Promise<void>;
  /** virDomainAgentSetResponseTimeout: seconds, or one of `DomainAgentResponseTimeoutValues`. It stays for every client of this guest. */
  agentSetResponseTimeout(timeout: number, flags?: FlagsArg<never>): Promise<void>;
  /** virDomainGetTime: the guest's clock: seconds since the epoch, and nanoseconds. Asks the agent. */
  getTime(flags?: AgentFlagsArg<never>): Promise<DomainTime>;
  /** virDomainSetTime: sets the guest's clock; `SYNC`: from its own hardware clock. Asks the agent. */
  setTime(seconds: number | bigint, nseconds: number, flags?: AgentFlagsArg<'DomainSetTimeFlags'>): Promise<void>;
  /** virDomainGetGuestVcpus: as the guest itself sees them. */
  getGuestVcpus(flags?: AgentFlagsArg<never>): Promise<GuestVcpusTold>;
  /** virDomainSetGuestVcpus: `cpumap` such as `'1,3-5'`; `state` 1: on. */
  setGuestVcpus(cpumap: string, state: number, flags?: AgentFlagsArg<never>): Promise<void>;
  /** virDomainSetUserPassword: of a user in the guest. Asks the agent. */
  setUserPassword(user: string, password: string, flags?: AgentFlagsArg<'DomainSetUserPasswordFlags'>): Promise<void>;
  /** virDomainAuthorizedSSHKeysGet: a guest's user's keys. Asks the agent. */
  authorizedSSHKeysGet(user: string, flags?: AgentFlagsArg<never>): Promise<string[]>;
  /**
   * virDomainAuthorizedSSHKeysSet: these keys in place of all that are there; null, without flags: none at all. `APPEND`:
   * beside those that are there; `REMOVE`: takes these away, and it is no error that one is not there. Asks the agent.
   */
  authorizedSSHKeysSet(
    user: string,
    keys: readonly string[] | null,
    flags?: AgentFlagsArg<'DomainAuthorizedSSHKeysSetFlags'>,
  ): Promise<void>;
  /** virDomainSendProcessSignal: containers only. */
  sendProcessSignal(pidValue: number | bigint, signum: DomainProcessSignal, flags?: FlagsArg<never>): Promise<void>;
  /** virDomainSendKey: all keys are held down together for `holdtime` ms. */
  sendKey(codeset: KeycodeSet, holdtime: number, keycodes: readonly number[], flags?: FlagsArg<never>): Promise<void>;
  /** virDomainGetGuestInfo: what the agent tells, by name; `types` absent or 0: everything that it can. */
  getGuestInfo(types?: Flags<'DomainGuestInfoTypes'> | null, flags?: AgentFlagsArg<never>): Promise<GuestInfoTold>;
  /** virDomainQemuAgentCommand: the agent's answer as JSON. `timeout` in seconds, or one of `DomainQemuAgentCommandTimeoutValues`. */
  qemuAgentCommand(cmd: string, timeout: number, flags?: AgentFlagsArg<never>): Promise<string>;
  /** virDomainQemuMonitorCommand: QMP, or HMP with the flag. */
  qemuMonitorCommand(cmd: string, flags?: FlagsArg<'DomainQemuMonitorCommandFlags'>): Promise<string>;
  /** virDomainQemuMonitorCommandWithFiles: with file descriptors of this process; those that come back are the caller's to close. */
  qemuMonitorCommandWithFiles(
    cmd: string,
    infiles: readonly number[],
    flags?: FlagsArg<'DomainQemuMonitorCommandFlags'>,
  ): Promise<MonitorAnswer>;

  // ---- libvirt's own snapshots and backup ----
  /**
   * virDomainSnapshotCreateXML: makes a snapshot as libvirt knows it. For disks alone, this package's own functions
   * do more.
   */
  snapshotCreateXML(xmlDesc: string, flags?: FlagsArg<'DomainSnapshotCreateFlags'>): Promise<DomainSnapshot>;
  /** virDomainSnapshotLookupByName: the snapshot of that name; `NO_DOMAIN_SNAPSHOT` where there is none. */
  snapshotLookupByName(name: string, flags?: FlagsArg<never>): Promise<DomainSnapshot>;
  /** virDomainSnapshotCurrent: the snapshot that the guest goes on from; `NO_DOMAIN_SNAPSHOT` where there is none. */
  snapshotCurrent(flags?: FlagsArg<never>): Promise<DomainSnapshot>;
  /** virDomainHasCurrentSnapshot: whether there is one that the guest goes on from. */
  hasCurrentSnapshot(flags?: FlagsArg<never>): Promise<boolean>;
  /** virDomainSnapshotNum: how many snapshots it has. */
  snapshotNum(flags?: FlagsArg<'DomainSnapshotListFlags'>): Promise<number>;
  /** virDomainListAllSnapshots: the snapshots that the flags choose; none: all of them. */
  listAllSnapshots(flags?: FlagsArg<'DomainSnapshotListFlags'>): Promise<DomainSnapshot[]>;
  /** virDomainRevertToSnapshot: takes the guest back to one of its libvirt snapshots. */
  revertToSnapshot(snapshot: DomainSnapshot, flags?: FlagsArg<'DomainSnapshotRevertFlags'>): Promise<void>;
  /** virDomainBackupBegin: starts a backup, and a checkpoint with it; the event `job-completed` tells its end. */
  backupBegin(
    backupXML: string,
    checkpointXML: string | null,
    flags?: FlagsArg<'DomainBackupBeginFlags'>,
  ): Promise<void>;
  /** virDomainBackupGetXMLDesc: the backup that runs; `NO_DOMAIN_BACKUP` where there is none. */
  backupGetXMLDesc(flags?: FlagsArg<never>): Promise<string>;
  /** virDomainSnapshotListNames: the names of its snapshots. */
  snapshotListNames(flags?: FlagsArg<'DomainSnapshotListFlags'>): Promise<string[]>;
  /** virDomainCheckpointCreateXML: remembers from now on which blocks of a running guest change. */
  checkpointCreateXML(xmlDesc: string, flags?: FlagsArg<'DomainCheckpointCreateFlags'>): Promise<DomainCheckpoint>;
  /** virDomainCheckpointLookupByName: the checkpoint of that name; `NO_DOMAIN_CHECKPOINT` where there is none. */
  checkpointLookupByName(name: string, flags?: FlagsArg<never>): Promise<DomainCheckpoint>;
  /** virDomainListAllCheckpoints: the checkpoints that the flags choose; none: all of them. */
  listAllCheckpoints(flags?: FlagsArg<'DomainCheckpointListFlags'>): Promise<DomainCheckpoint[]>;

  // ---- to another host ----
  /**
   * virDomainMigrate: to the host of `dconn`, a connection of this process; the guest there is what it gives. Bandwidth in
   * MiB/s, 0: the driver's default.
   */
  migrate(
    dconn: Connection,
    flags: Flags<'DomainMigrateFlags'>,
    dname: string | null,
    uri: string | null,
    bandwidth: number | bigint,
    options?: CallOptions,
  ): Promise<Domain>;
  /** virDomainMigrate2: as {@link migrate}; `dxml` in place of its definition there, null: the same. */
  migrate2(
    dconn: Connection,
    dxml: string | null,
    flags: Flags<'DomainMigrateFlags'>,
    dname: string | null,
    uri: string | null,
    bandwidth: number | bigint,
    options?: CallOptions,
  ): Promise<Domain>;
  /** virDomainMigrate3: as {@link migrate}, by typed parameters. */
  migrate3(dconn: Connection, params: MigrateParams | null, flags?: FlagsArg<'DomainMigrateFlags'>): Promise<Domain>;
  /** virDomainMigrateToURI: `flags` say what kind of migration, PEER2PEER above all; bandwidth in MiB/s, 0: the driver's default. */
  migrateToURI(
    duri: string,
    flags: Flags<'DomainMigrateFlags'>,
    dname: string | null,
    bandwidth: number | bigint,
    options?: CallOptions,
  ): Promise<void>;
  /** virDomainMigrateToURI2: as {@link migrateToURI}, with the connection's and the migration's own URIs. */
  migrateToURI2(
    dconnuri: string | null,
    miguri: string | null,
    dxml: string | null,
    flags: Flags<'DomainMigrateFlags'>,
    dname: string | null,
    bandwidth: number | bigint,
    options?: CallOptions,
  ): Promise<void>;
  /** virDomainMigrateToURI3: `dconnuri` null: a direct migration that the hypervisor does by itself. */
  migrateToURI3(
    dconnuri: string | null,
    params: MigrateParams | null,
    flags?: FlagsArg<'DomainMigrateFlags'>,
  ): Promise<void>;
  /** virDomainMigrateGetMaxDowntime: the longest stop that a migration may make, in milliseconds. */
  migrateGetMaxDowntime(flags?: FlagsArg<never>): Promise<bigint>;
  /** virDomainMigrateSetMaxDowntime: milliseconds that it may stand still at the end. */
  migrateSetMaxDowntime(downtime: number | bigint, flags?: FlagsArg<never>): Promise<void>;
  /** virDomainMigrateGetCompressionCache: the size of the cache for compression, in bytes. */
  migrateGetCompressionCache(flags?: FlagsArg<never>): Promise<bigint>;
  /** virDomainMigrateSetCompressionCache: bytes that XBZRLE remembers. */
  migrateSetCompressionCache(cacheSize: number | bigint, flags?: FlagsArg<never>): Promise<void>;
  /** virDomainMigrateGetMaxSpeed: the most that a migration may send, in MiB/s. */
  migrateGetMaxSpeed(flags?: FlagsArg<'DomainMigrateMaxSpeedFlags'>): Promise<number>;
  /** virDomainMigrateSetMaxSpeed: MiB/s. */
  migrateSetMaxSpeed(bandwidth: number | bigint, flags?: FlagsArg<'DomainMigrateMaxSpeedFlags'>): Promise<void>;
  /**
   * virDomainMigrateStartPostCopy: switches over now, and fetches the rest afterwards; the migration needs the flag
   * `POSTCOPY`.
   */
  migrateStartPostCopy(flags?: FlagsArg<never>): Promise<void>;
}

/** A guest. Made by the lookups of a connection, never by `new`. */
export class Domain extends Handle {
  private constructor(...made: ConstructorParameters<typeof Handle>) {
    super(...made);
  }
  static {
    handleClass('Domain', Domain, (...made) => new Domain(...made));
  }

  /**
   * {@link Connection.subscribe} to what happens to this guest alone.
   *
   * @example
   * await using events = await dom.subscribe('lifecycle');
   * events.on(({ event, detail }) => console.log(event, detail));
   */
  subscribe<Name extends EventNameOf<'domain'>>(
    event: Name,
    options: OwnSubscribeOptions = {},
  ): Promise<Subscription<DomainEvents[Name]>> {
    return this.connection.subscribe(event, { ...options, domain: this });
  }
}

/** One record of {@link Connection.getAllDomainStats}. */
export interface DomainStats {
  domain: Domain;
  params: TypedParams;
}
