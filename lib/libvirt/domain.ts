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

/**
 * A guest. What its members ask of libvirt may reject with `NO_DOMAIN` (it is gone: not defined, and ended),
 * `OPERATION_INVALID` (it is off, and the call is for one that runs; or the definition of a transient guest is asked
 * for), `OPERATION_TIMEOUT` (another call has held its state for 30 s), `NO_SUPPORT` (the driver has no such function),
 * `OPERATION_DENIED` (the call changes something, and the connection is read-only) and `ACCESS_DENIED` (the host's
 * policy forbids it).
 *
 * What asks the guest's agent also rejects with `AGENT_UNRESPONSIVE` (it is not connected, or answers too late),
 * `ARGUMENT_UNSUPPORTED` (the guest has no channel for one), `OPERATION_INVALID` (the guest is off or paused) and
 * `INTERNAL_ERROR` (the agent itself refuses); since libvirt 11.2 there are `AGENT_COMMAND_TIMEOUT` and
 * `AGENT_COMMAND_FAILED` too.
 */
export interface Domain {
  /** virDomainGetName: its name. Read from the handle, synchronously. */
  getName(): string;
  /** virDomainGetUUID: 16 bytes. Read from the handle, synchronously. */
  getUUID(): Uint8Array;
  /** virDomainGetUUIDString: its UUID as text. Read from the handle, synchronously. */
  getUUIDString(): string;
  /**
   * virDomainGetID: the number that it has while it runs, as it was when the handle was made; null: the guest was off.
   */
  getID(): number | null;

  // ---- life ----
  /** virDomainCreate: starts a defined guest. `OPERATION_INVALID` where it runs already. */
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
  /**
   * virDomainSuspend: pauses the virtual CPUs. Of a paused guest it succeeds too: read the state first.
   * `OPERATION_INVALID` of one that sleeps (`PMSUSPENDED`).
   */
  suspend(options?: CallOptions): Promise<void>;
  /**
   * virDomainResume: the CPUs of a paused guest go on. `OPERATION_INVALID` of one that runs, or sleeps (`PMSUSPENDED`).
   */
  resume(options?: CallOptions): Promise<void>;
  /**
   * virDomainUndefine: forgets its definition; a running guest becomes transient. `OPERATION_INVALID` where it has a
   * saved image or NVRAM, or is off and has snapshots or checkpoints.
   */
  undefine(options?: CallOptions): Promise<void>;
  /** virDomainUndefineFlags: as {@link undefine}, and what the flags name goes with it. */
  undefineFlags(flags?: FlagsArg<'DomainUndefineFlagsValues'>): Promise<void>;
  /** virDomainSave: memory into a file, and the guest is off. */
  save(to: string, options?: CallOptions): Promise<void>;
  /** virDomainSaveFlags: as {@link save}; `dxml` in place of the current definition, null: that one. */
  saveFlags(to: string, dxml: string | null, flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  /**
   * virDomainManagedSave: as {@link save}, into a file of libvirt's own; the next start goes on from it.
   * `OPERATION_INVALID` of a transient guest.
   */
  managedSave(flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  /** virDomainHasManagedSaveImage: whether its next start goes on from a saved image. */
  hasManagedSaveImage(flags?: FlagsArg<never>): Promise<boolean>;
  /** virDomainManagedSaveRemove: removes its saved image: its next start is a boot. */
  managedSaveRemove(flags?: FlagsArg<never>): Promise<void>;
  /**
   * virDomainManagedSaveGetXMLDesc: the definition that its saved image carries; `SECURE` shows passwords.
   * `OPERATION_INVALID` where there is none.
   */
  managedSaveGetXMLDesc(flags?: FlagsArg<'DomainSaveImageXMLFlags'>): Promise<string>;
  /**
   * virDomainManagedSaveDefineXML: changes what the guest will be when it is started from its image.
   * `OPERATION_INVALID` where there is none.
   */
  managedSaveDefineXML(dxml: string, flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  /** virDomainSaveParams: as {@link saveFlags}; without a file, the managed image. */
  saveParams(params: SaveParams, flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  /**
   * virDomainRename: gives it another name; `OPERATION_INVALID` of a guest that is not off, is transient or has a saved
   * image, and where another has that name.
   */
  rename(newName: string, flags?: FlagsArg<never>): Promise<void>;
  /** virDomainInjectNMI: a non-maskable interrupt. */
  injectNMI(flags?: FlagsArg<never>): Promise<void>;
  /**
   * virDomainPMSuspendForDuration: the guest's own sleep; `duration` in seconds, 0: until it is woken. Asks the agent.
   * QEMU takes 0 alone (else `ARGUMENT_UNSUPPORTED`), and `OPERATION_UNSUPPORTED` where the guest cannot be woken.
   */
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
  /**
   * virDomainCreateWithFiles: starts the guest with file descriptors of this process; containers only, and local
   * connections.
   */
  createWithFiles(files: readonly number[], flags?: FlagsArg<'DomainCreateFlags'>): Promise<void>;
  /** virDomainFDAssociate: file descriptors of this process under a name that the domain's XML uses. libvirt 9.0 and later. */
  fdAssociate(name: string, fds: readonly number[], flags?: FlagsArg<'DomainFDAssociateFlags'>): Promise<void>;
  /** virDomainGetAutostart: 1: it starts with the host. */
  getAutostart(options?: CallOptions): Promise<number>;
  /** virDomainSetAutostart: 1: start it with the host; `OPERATION_INVALID` of a transient one. */
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
   * virDomainGetXMLDesc: its `<domain>`; `SECURE` shows passwords, and wants a writable connection
   * (`OPERATION_DENIED`); `INACTIVE`: as it is after the next start.
   */
  getXMLDesc(flags?: FlagsArg<'DomainXMLFlags'>): Promise<string>;
  /** virDomainIsActive: whether it runs, paused included. */
  isActive(options?: CallOptions): Promise<boolean>;
  /** virDomainIsPersistent: whether it is defined: it stays when it ends. */
  isPersistent(options?: CallOptions): Promise<boolean>;
  /** virDomainIsUpdated: whether its running definition was changed since it started. */
  isUpdated(options?: CallOptions): Promise<boolean>;
  /**
   * virDomainGetMetadata: `uri` names the element, and is null for title and description. `NO_DOMAIN_METADATA` where
   * there is none.
   */
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
  /**
   * virDomainGetJobStats: as {@link getJobInfo}, by name, in the same units; `COMPLETED`: the last one that ended.
   * `OPERATION_UNSUPPORTED` on the host that a migration goes to, while it runs.
   */
  getJobStats(flags?: FlagsArg<'DomainGetJobStatsFlags'>): Promise<DomainJobStats>;
  /**
   * virDomainAbortJob: ends the running job; `OPERATION_INVALID` where there is none, or none that can be ended. Runs
   * beside whatever else hangs on this connection.
   */
  abortJob(options?: CallOptions): Promise<void>;
  /** virDomainAbortJobFlags: as {@link abortJob}; `POSTCOPY`: a migration that is past the switch-over. */
  abortJobFlags(flags?: FlagsArg<'DomainAbortJobFlagsValues'>): Promise<void>;
  /** virDomainGetOSType: such as `hvm`. */
  getOSType(options?: CallOptions): Promise<string>;
  /**
   * virDomainGetHostname: what the guest calls itself, from its agent or from a network's lease. `NO_HOSTNAME` where
   * there is none.
   */
  getHostname(flags?: AgentFlagsArg<'DomainGetHostnameFlags'>): Promise<string>;
  /** virDomainGetMaxMemory: the most memory it can have, in KiB. */
  getMaxMemory(options?: CallOptions): Promise<number>;
  /**
   * virDomainGetMaxVcpus: how many virtual CPUs it may have at most: of its definition, or of the hypervisor where it
   * is off.
   */
  getMaxVcpus(options?: CallOptions): Promise<number>;
  /** virDomainGetSecurityLabel: the label of its process; empty without a security driver. */
  getSecurityLabel(options?: CallOptions): Promise<SecurityLabel>;
  /** virDomainGetSecurityLabelList: one for each security driver. */
  getSecurityLabelList(options?: CallOptions): Promise<SecurityLabel[]>;
  /** virDomainGetMessages: what libvirt thinks of this guest: taints, deprecated features. */
  getMessages(flags?: FlagsArg<'DomainMessageType'>): Promise<string[]>;
  /** virDomainBlockStats: requests and bytes, counted since the guest's start; -1: not known to the driver. */
  blockStats(disk: string, options?: CallOptions): Promise<DomainBlockStats>;
  /** virDomainBlockStatsFlags: all that the driver counts, by name. Requests, bytes and nanoseconds. */
  blockStatsFlags(disk: string, flags?: FlagsArg<never>): Promise<BlockStatsTold>;
  /**
   * virDomainInterfaceStats: bytes and packets of one network interface, by its target such as `vnet0`; -1: not
   * counted.
   */
  interfaceStats(device: string, options?: CallOptions): Promise<DomainInterfaceStats>;
  /**
   * virDomainMemoryStats: in KiB but for counts (faults, huge pages) and a time (`LAST_UPDATE`, in seconds); `tag` is
   * of `DomainMemoryStatTags`. Most want the balloon driver in the guest.
   */
  memoryStats(flags?: FlagsArg<never>): Promise<DomainMemoryStat[]>;
  /** virDomainInterfaceAddresses: of `source`: leases, agent or ARP. */
  interfaceAddresses(source: DomainInterfaceAddressesSource, flags?: AgentFlagsArg<never>): Promise<DomainInterface[]>;
  /**
   * virDomainBlockPeek: `size` bytes of a disk's file from the byte `offset` on, at most 4 MiB at a time. QEMU: of raw
   * files alone (`OPERATION_UNSUPPORTED`); `INVALID_ARG` beyond the end.
   */
  blockPeek(disk: string, offset: number | bigint, size: number, flags?: FlagsArg<never>): Promise<Uint8Array>;
  /**
   * virDomainMemoryPeek: `size` bytes of the guest's memory from the address `start` on, at most 4 MiB at a time. QEMU
   * wants one of `VIRTUAL` and `PHYSICAL` (`INVALID_ARG`).
   */
  memoryPeek(start: number | bigint, size: number, flags?: FlagsArg<'DomainMemoryFlags'>): Promise<Uint8Array>;
  /** virDomainGetPerfEvents: which performance counters are on. */
  getPerfEvents(flags?: FlagsArg<'DomainModificationImpact'>): Promise<PerfEventsTold>;
  /** virDomainSetPerfEvents: which performance events are counted. */
  setPerfEvents(params: PerfEvents, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainGetLaunchSecurityInfo: SEV's measurement and policy, by name. */
  getLaunchSecurityInfo(flags?: FlagsArg<never>): Promise<LaunchSecurityInfoTold>;
  /** virDomainSetLaunchSecurityState: gives a paused SEV guest its secret; `OPERATION_UNSUPPORTED` of other guests. */
  setLaunchSecurityState(params: LaunchSecurityState, flags?: FlagsArg<never>): Promise<void>;
  /**
   * virDomainStartDirtyRateCalc: measures for so many seconds (QEMU: 1 to 60, else `CONFIG_UNSUPPORTED`) how fast
   * memory changes; the result is in the domain's stats, in MiB/s.
   */
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
  /**
   * virDomainDetachDeviceFlags: asks the guest to give a device up; it is gone with the event `device-removed`.
   * `DEVICE_MISSING` where it has none that is like it.
   */
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
  /** virDomainGetInterfaceParameters: bandwidths of one interface, in kB/s; 0: no limit. */
  getInterfaceParameters(device: string, flags?: FlagsArg<'DomainModificationImpact'>): Promise<BandwidthTold>;
  /** virDomainSetInterfaceParameters: changes bandwidths of one interface, in kB/s. */
  setInterfaceParameters(
    device: string,
    params: InterfaceParameters,
    flags?: FlagsArg<'DomainModificationImpact'>,
  ): Promise<void>;
  /**
   * virDomainOpenGraphics: hands `fd`, one end of a socket pair, to the guest's display; `idx`: which of several,
   * counted from 0. `ARGUMENT_UNSUPPORTED` over a connection that is not local.
   */
  openGraphics(idx: number, fd: number, flags?: FlagsArg<'DomainOpenGraphicsFlags'>): Promise<void>;
  /**
   * virDomainOpenGraphicsFD: a new file descriptor of this process, connected to the display `idx`; the caller's to
   * close. Else as {@link openGraphics}.
   */
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
  /** virDomainGetBlockIoTune: limits of one disk, by name: bytes and operations per second; 0: no limit. */
  getBlockIoTune(disk: string, flags?: FlagsArg<'DomainModificationImpact'>): Promise<BlockIoTuneTold>;
  /** virDomainSetBlockIoTune: changes limits of one disk: bytes and operations per second; 0: no limit. */
  setBlockIoTune(disk: string, params: BlockIoTune, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /**
   * virDomainSetThrottleGroup: makes or changes a group whose limits, as in {@link setBlockIoTune}, its disks share.
   * libvirt 11.2 and later.
   */
  setThrottleGroup(group: string, params: BlockIoTune, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainDelThrottleGroup: fails while a disk is in it. libvirt 11.2 and later. */
  delThrottleGroup(group: string, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /**
   * virDomainGetBlkioParameters: weights and limits of its cgroup, by name; `CONFIG_UNSUPPORTED` of `qemu:///session`.
   */
  getBlkioParameters(flags?: FlagsArg<'DomainModificationImpact'>): Promise<BlkioParametersTold>;
  /**
   * virDomainSetBlkioParameters: changes weights and limits of its cgroup; `CONFIG_UNSUPPORTED` of `qemu:///session`.
   */
  setBlkioParameters(params: BlkioParameters, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;

  // ---- memory and processors ----
  /**
   * virDomainSetMaxMemory: the most memory it can have, in KiB. QEMU: only of a guest that is off
   * (`OPERATION_INVALID`).
   */
  setMaxMemory(memory: number | bigint, options?: CallOptions): Promise<void>;
  /** virDomainSetMemory: the memory it has now, in KiB; `INVALID_ARG` above the most that it can have. */
  setMemory(memory: number | bigint, options?: CallOptions): Promise<void>;
  /** virDomainSetMemoryFlags: the memory, in KiB, of what the flags name. */
  setMemoryFlags(
    memory: number | bigint,
    flags?: FlagsArg<'DomainMemoryModFlags' | 'DomainModificationImpact'>,
  ): Promise<void>;
  /**
   * virDomainGetMemoryParameters: limits of its cgroup in KiB; 9007199254740991n: none. `OPERATION_UNSUPPORTED` of
   * `qemu:///session`.
   */
  getMemoryParameters(flags?: FlagsArg<'DomainModificationImpact'>): Promise<MemoryParametersTold>;
  /**
   * virDomainSetMemoryParameters: changes limits of its cgroup, in KiB. `OPERATION_UNSUPPORTED` of `qemu:///session`.
   */
  setMemoryParameters(params: MemoryParameters, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainSetMemoryStatsPeriod: seconds between two looks of the balloon; 0: none. */
  setMemoryStatsPeriod(
    period: number,
    flags?: FlagsArg<'DomainMemoryModFlags' | 'DomainModificationImpact'>,
  ): Promise<void>;
  /** virDomainGetNumaParameters: which nodes of the host its memory comes from. */
  getNumaParameters(flags?: FlagsArg<'DomainModificationImpact'>): Promise<NumaParametersTold>;
  /**
   * virDomainSetNumaParameters: changes which nodes of the host its memory comes from. QEMU: not the mode of a running
   * guest (`OPERATION_INVALID`).
   */
  setNumaParameters(params: NumaParameters, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainGetSchedulerType: the scheduler's name, and how many parameters it has. */
  getSchedulerType(options?: CallOptions): Promise<DomainSchedulerType>;
  /**
   * virDomainGetSchedulerParameters: shares, periods and quotas (microseconds), by name. `CONFIG_UNSUPPORTED` of
   * `qemu:///session`.
   */
  getSchedulerParameters(options?: CallOptions): Promise<SchedulerParametersTold>;
  /** virDomainGetSchedulerParametersFlags: as {@link getSchedulerParameters}, live or of the definition. */
  getSchedulerParametersFlags(flags?: FlagsArg<'DomainModificationImpact'>): Promise<SchedulerParametersTold>;
  /**
   * virDomainSetSchedulerParameters: changes shares, periods and quotas (microseconds). `CONFIG_UNSUPPORTED` of
   * `qemu:///session`.
   */
  setSchedulerParameters(params: SchedulerParameters, options?: CallOptions): Promise<void>;
  /** virDomainSetSchedulerParametersFlags: as {@link setSchedulerParameters}, live or in the definition. */
  setSchedulerParametersFlags(params: SchedulerParameters, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainGetVcpusFlags: how many virtual CPUs it has; `MAXIMUM`: may have; `GUEST`: uses, asked of the agent. */
  getVcpusFlags(flags?: FlagsArg<'DomainVcpuFlags' | 'DomainModificationImpact'>): Promise<number>;
  /**
   * virDomainSetVcpus: how many virtual CPUs the running guest has; `INVALID_ARG` above its maximum,
   * `OPERATION_TIMEOUT` where the guest does not give one up in time.
   */
  setVcpus(nvcpus: number, options?: CallOptions): Promise<void>;
  /** virDomainSetVcpusFlags: as {@link setVcpus}, live, in the definition, or by the agent. */
  setVcpusFlags(nvcpus: number, flags?: FlagsArg<'DomainVcpuFlags' | 'DomainModificationImpact'>): Promise<void>;
  /** virDomainSetVcpu: `vcpumap` such as `'1,3-5'`; `state` 1: on, 0: off. */
  setVcpu(vcpumap: string, state: number, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainGetVcpus: each of its virtual CPUs; `cpuTime` in nanoseconds. Of a running guest. */
  getVcpus(options?: CallOptions): Promise<VcpuInfo[]>;
  /** virDomainGetVcpuPinInfo: for each virtual CPU the numbers of the host's CPUs that it may run on. */
  getVcpuPinInfo(flags?: FlagsArg<'DomainModificationImpact'>): Promise<number[][]>;
  /**
   * virDomainPinVcpu: `vcpu` counts from 0, `cpumap` are numbers of CPUs of the host; `INVALID_ARG` where it has no
   * such CPU.
   */
  pinVcpu(vcpu: number, cpumap: readonly number[], options?: CallOptions): Promise<void>;
  /** virDomainPinVcpuFlags: as {@link pinVcpu}, live or in the definition. */
  pinVcpuFlags(vcpu: number, cpumap: readonly number[], flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /**
   * virDomainGetEmulatorPinInfo: the numbers of the host's CPUs that QEMU's own threads may run on; null: they are not
   * pinned.
   */
  getEmulatorPinInfo(flags?: FlagsArg<'DomainModificationImpact'>): Promise<number[] | null>;
  /** virDomainPinEmulator: the numbers of the host's CPUs that QEMU itself may run on. */
  pinEmulator(cpumap: readonly number[], flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /**
   * virDomainGetCPUStats: of CPUs of the host from `startCpu` on, `ncpus` 0: all; -1 and 1: their sum. In nanoseconds.
   */
  getCPUStats(startCpu: number, ncpus: number, flags?: FlagsArg<never>): Promise<CPUStatsTold[]>;
  /** virDomainGetIOThreadInfo: its IO threads, and the CPUs of the host that each may run on. */
  getIOThreadInfo(flags?: FlagsArg<'DomainModificationImpact'>): Promise<IOThreadInfo[]>;
  /**
   * virDomainPinIOThread: the numbers of the host's CPUs that one IO thread may run on; `INVALID_ARG` where there is no
   * such thread.
   */
  pinIOThread(
    iothreadId: number,
    cpumap: readonly number[],
    flags?: FlagsArg<'DomainModificationImpact'>,
  ): Promise<void>;
  /** virDomainAddIOThread: one more IO thread, with that number; `INVALID_ARG` where there is one already. */
  addIOThread(iothreadId: number, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainDelIOThread: removes an IO thread; `INVALID_ARG` where there is none, or a disk uses it. */
  delIOThread(iothreadId: number, flags?: FlagsArg<'DomainModificationImpact'>): Promise<void>;
  /** virDomainSetIOThreadParams: changes how one IO thread polls; live only (else `OPERATION_UNSUPPORTED`). */
  setIOThreadParams(
    iothreadId: number,
    params: IOThreadParams,
    flags?: FlagsArg<'DomainModificationImpact'>,
  ): Promise<void>;

  // ---- block jobs: long-running, one per disk; `disk` is a target (`vda`) or a source path ----
  /**
   * virDomainBlockCommit: `base` null: the whole chain, or with SHALLOW the direct parent; `top` null: the active
   * layer. `bandwidth` as in {@link blockPull}. `INVALID_ARG` where the flag `ACTIVE` does not fit `top`, or the files
   * are not of one chain.
   */
  blockCommit(
    disk: string,
    base: string | null,
    top: string | null,
    bandwidth: number | bigint,
    flags?: FlagsArg<'DomainBlockCommitFlags'>,
  ): Promise<void>;
  /**
   * virDomainBlockPull: copies the backing files' contents into the top layer: a block job. `bandwidth` in MiB/s, or
   * bytes/s with `BANDWIDTH_BYTES`; 0: no limit. `BLOCK_COPY_ACTIVE` or `OPERATION_UNSUPPORTED` where a job runs on the
   * disk.
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
  /**
   * virDomainBlockCopy: mirrors a disk to what `destxml` says: a block job that waits to be ended. Bandwidth in
   * bytes/s.
   */
  blockCopy(
    disk: string,
    destxml: string,
    params: BlockCopyParams | null,
    flags?: FlagsArg<'DomainBlockCopyFlags'>,
  ): Promise<void>;
  /**
   * virDomainBlockJobAbort: cancels, or with PIVOT finishes. Runs beside whatever else hangs on this connection.
   * `BLOCK_COPY_ACTIVE` where it cannot pivot yet, `INVALID_ARG` where there is no job.
   */
  blockJobAbort(disk: string, flags?: FlagsArg<'DomainBlockJobAbortFlags'>): Promise<void>;
  /**
   * virDomainGetBlockJobInfo: how far the job of a disk is; its `bandwidth` in MiB/s, or bytes/s with
   * `BANDWIDTH_BYTES`. null: no job (the C function returned 0).
   */
  getBlockJobInfo(disk: string, flags?: FlagsArg<'DomainBlockJobInfoFlags'>): Promise<BlockJobInfo | null>;
  /**
   * virDomainBlockJobSetSpeed: `bandwidth` in MiB/s, or bytes/s with `BANDWIDTH_BYTES`; 0: no limit. `INVALID_ARG`
   * where there is no job.
   */
  blockJobSetSpeed(
    disk: string,
    bandwidth: number | bigint,
    flags?: FlagsArg<'DomainBlockJobSetSpeedFlags'>,
  ): Promise<void>;
  /**
   * virDomainBlockResize: the new size in KiB, or in bytes with the flag `BYTES`; `OPERATION_UNSUPPORTED` of a disk
   * that is empty or read-only.
   */
  blockResize(disk: string, size: number | bigint, flags?: FlagsArg<'DomainBlockResizeFlags'>): Promise<void>;

  // ---- streams ----
  /**
   * virDomainScreenshot: the MIME type of the picture that `stream` then gives. `screen` counts from 0;
   * `OPERATION_INVALID` where there is none.
   */
  screenshot(stream: Stream, screen: number, flags?: FlagsArg<never>): Promise<string>;
  /**
   * virDomainOpenConsole: connects `st` with a console, both ways. null: the first console or serial port.
   * `OPERATION_FAILED` where another client has it, and without `FORCE`.
   */
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
  /**
   * virDomainFSThaw: how many file systems were thawed; QEMU thaws all, and refuses a list with `ARGUMENT_UNSUPPORTED`.
   */
  fsThaw(mountpoints?: readonly string[] | null, flags?: AgentFlagsArg<never>): Promise<number>;
  /**
   * virDomainFSTrim: `minimum` in bytes: shorter free ranges stay. QEMU refuses a `mountPoint` with
   * `ARGUMENT_UNSUPPORTED`: null, all of them.
   */
  fsTrim(mountPoint: string | null, minimum: number | bigint, flags?: AgentFlagsArg<never>): Promise<void>;
  /** virDomainAgentSetResponseTimeout: seconds, or one of `DomainAgentResponseTimeoutValues`. It stays for every client of this guest. */
  agentSetResponseTimeout(timeout: number, flags?: FlagsArg<never>): Promise<void>;
  /** virDomainGetTime: the guest's clock: seconds since the epoch, and nanoseconds. Asks the agent. */
  getTime(flags?: AgentFlagsArg<never>): Promise<DomainTime>;
  /**
   * virDomainSetTime: sets the guest's clock to `seconds` since the epoch and `nseconds` nanoseconds; `SYNC`: from its
   * own hardware clock. Asks the agent.
   */
  setTime(seconds: number | bigint, nseconds: number, flags?: AgentFlagsArg<'DomainSetTimeFlags'>): Promise<void>;
  /** virDomainGetGuestVcpus: its CPUs as the guest itself sees them. Asks the agent. */
  getGuestVcpus(flags?: AgentFlagsArg<never>): Promise<GuestVcpusTold>;
  /**
   * virDomainSetGuestVcpus: `cpumap` such as `'1,3-5'`; `state` 1: on, 0: off. `OPERATION_UNSUPPORTED` of one that
   * cannot be off. Asks the agent.
   */
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
  /** virDomainSendProcessSignal: to a process, or with a negative number to a group; containers only. */
  sendProcessSignal(pidValue: number | bigint, signum: DomainProcessSignal, flags?: FlagsArg<never>): Promise<void>;
  /** virDomainSendKey: all keys are held down together for `holdtime` ms; at most 16. */
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
   * virDomainSnapshotCreateXML: makes a snapshot as libvirt knows it. With `QUIESCE` it asks the guest's agent, without limit
   * where that hangs: give a `timeoutMs`. For disks alone, this package's own functions do more.
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
  /**
   * virDomainRevertToSnapshot: takes the guest back to one of its libvirt snapshots. `SNAPSHOT_REVERT_RISKY` without
   * `FORCE` where that is needed; libvirt 9.0 refuses external ones with `CONFIG_UNSUPPORTED`.
   */
  revertToSnapshot(snapshot: DomainSnapshot, flags?: FlagsArg<'DomainSnapshotRevertFlags'>): Promise<void>;
  /**
   * virDomainBackupBegin: starts a backup, and a checkpoint with it; the event `job-completed` tells its end.
   * `OPERATION_UNSUPPORTED` of a guest that is off, `OPERATION_INVALID` where one runs, `NO_DOMAIN_CHECKPOINT` or
   * `CHECKPOINT_INCONSISTENT` where what it is to go on from is missing or damaged.
   */
  backupBegin(
    backupXML: string,
    checkpointXML: string | null,
    flags?: FlagsArg<'DomainBackupBeginFlags'>,
  ): Promise<void>;
  /** virDomainBackupGetXMLDesc: the backup that runs; `NO_DOMAIN_BACKUP` where there is none. */
  backupGetXMLDesc(flags?: FlagsArg<never>): Promise<string>;
  /** virDomainSnapshotListNames: the names of its snapshots. */
  snapshotListNames(flags?: FlagsArg<'DomainSnapshotListFlags'>): Promise<string[]>;
  /**
   * virDomainCheckpointCreateXML: remembers from now on which blocks of a running guest change; `OPERATION_UNSUPPORTED`
   * of one that is off.
   */
  checkpointCreateXML(xmlDesc: string, flags?: FlagsArg<'DomainCheckpointCreateFlags'>): Promise<DomainCheckpoint>;
  /** virDomainCheckpointLookupByName: the checkpoint of that name; `NO_DOMAIN_CHECKPOINT` where there is none. */
  checkpointLookupByName(name: string, flags?: FlagsArg<never>): Promise<DomainCheckpoint>;
  /** virDomainListAllCheckpoints: the checkpoints that the flags choose; none: all of them. */
  listAllCheckpoints(flags?: FlagsArg<'DomainCheckpointListFlags'>): Promise<DomainCheckpoint[]>;

  // ---- to another host ----
  /**
   * virDomainMigrate: to the host of `dconn`, a connection of this process; the guest there is what it gives. Bandwidth
   * in MiB/s, 0: the driver's default. `OPERATION_INVALID` where something of the guest cannot be migrated,
   * `MIGRATE_UNSAFE` where the disks' storage is not shared or their caches may lose data, and the flag `UNSAFE` is not
   * set.
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
  /** virDomainMigrate3: as {@link migrate}, by typed parameters. Bandwidths in MiB/s. */
  migrate3(dconn: Connection, params: MigrateParams | null, flags?: FlagsArg<'DomainMigrateFlags'>): Promise<Domain>;
  /**
   * virDomainMigrateToURI: `flags` say what kind of migration, PEER2PEER above all; bandwidth in MiB/s, 0: the driver's
   * default. Errors as of {@link migrate}.
   */
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
  /**
   * virDomainMigrateToURI3: `dconnuri` null: a direct migration that the hypervisor does by itself. Bandwidths in
   * MiB/s.
   */
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
  /** virDomainMigrateGetMaxSpeed: the most that a migration may send, in MiB/s; `POSTCOPY`: after its switch-over. */
  migrateGetMaxSpeed(flags?: FlagsArg<'DomainMigrateMaxSpeedFlags'>): Promise<number>;
  /** virDomainMigrateSetMaxSpeed: the most that a migration may send, in MiB/s; `POSTCOPY`: after its switch-over. */
  migrateSetMaxSpeed(bandwidth: number | bigint, flags?: FlagsArg<'DomainMigrateMaxSpeedFlags'>): Promise<void>;
  /**
   * virDomainMigrateStartPostCopy: switches over now, and fetches the rest afterwards; the migration needs the flag
   * `POSTCOPY`. `OPERATION_INVALID` where none runs that has it.
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
  /**
   * By libvirt's names. Times in nanoseconds, sizes and traffic in bytes, `balloon.*` in KiB but for counts and
   * `last-update` (seconds), `dirtyrate.megabytes_per_second` in MiB/s.
   */
  params: TypedParams;
}
