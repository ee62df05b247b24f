// What functions of virDomain tell: structures by their C names.
import type { Domain } from './domain';
import type {
  DomainControlErrorReason,
  DomainControlState,
  DomainDiskErrorCode,
  DomainJobType,
  DomainMemoryStatTags,
  DomainState,
  IPAddrType,
  VcpuState,
} from './generated/constants';
import type { JobStatsTold } from './told';

/** What {@link Domain.getInfo} gives. Memory in KiB, CPU time in nanoseconds. */
export interface DomainInfo {
  state: DomainState;
  maxMem: number;
  memory: number;
  nrVirtCpu: number;
  cpuTime: bigint;
}

/** What {@link Domain.getState} gives. */
export interface DomainStateAndReason {
  state: DomainState;
  /** Of the enum that belongs to the state: `DomainRunningReason`, `DomainPausedReason`, `DomainShutoffReason` and so on. */
  reason: number;
}

/** What {@link Domain.getTime} gives: the guest's clock. */
export interface DomainTime {
  /** Seconds since 1970-01-01 00:00 UTC. */
  seconds: bigint;
  /** Nanoseconds of the second. */
  nseconds: number;
}

/** What {@link Domain.getSchedulerType} gives. */
export interface DomainSchedulerType {
  /** The scheduler's name, such as `posix`. */
  type: string;
  /** How many parameters {@link Domain.getSchedulerParameters} has. */
  nparams: number;
}

/** What {@link Domain.qemuMonitorCommandWithFiles} gives. */
export interface MonitorAnswer {
  /** JSON, or text where the command was HMP's. */
  result: string | null;
  /** File descriptors of this process that came with it: the caller closes them. */
  outfiles: number[];
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

/** What {@link Domain.getJobStats} gives. */
export interface DomainJobStats {
  type: DomainJobType;
  /** By libvirt's names; more than {@link DomainJobInfo}. */
  params: JobStatsTold;
}

/** What {@link Domain.getControlInfo} gives. */
export interface DomainControlInfo {
  state: DomainControlState;
  /** Why, where the state is ERROR. */
  details: DomainControlErrorReason;
  /** Milliseconds since the control interface entered this state; 0 where that is OK or ERROR. */
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
  error: DomainDiskErrorCode;
}

/** What {@link Domain.blockStats} gives: requests and bytes since the guest's start; -1: not known to the driver. */
export interface DomainBlockStats {
  rd_req: bigint;
  rd_bytes: bigint;
  wr_req: bigint;
  wr_bytes: bigint;
  errs: bigint;
}

/**
 * What {@link Domain.interfaceStats} gives: bytes, and counts of packets, errors and dropped packets, as the guest sees
 * them; -1: not known to the driver.
 */
export interface DomainInterfaceStats {
  rx_bytes: bigint;
  rx_packets: bigint;
  rx_errs: bigint;
  rx_drop: bigint;
  tx_bytes: bigint;
  tx_packets: bigint;
  tx_errs: bigint;
  tx_drop: bigint;
}

/** One item of {@link Domain.memoryStats}: what is counted, and how much. */
export interface DomainMemoryStat {
  tag: DomainMemoryStatTags;
  /** KiB; of faults and huge pages how many, of `LAST_UPDATE` seconds. */
  val: bigint;
}

/** A network interface as the guest sees it. `prefix`: bits of the network's part, not set where `source` was ARP. */
export interface DomainInterface {
  name: string;
  hwaddr: string | null;
  addrs: { type: IPAddrType; addr: string; prefix: number }[];
}

/** A guest's label of the security driver. */
export interface SecurityLabel {
  label: string;
  /** 1: enforced. */
  enforcing: number;
}

/** A virtual CPU of a running guest. */
export interface VcpuInfo {
  /** Counted from 0. */
  number: number;
  state: VcpuState;
  /** Nanoseconds. */
  cpuTime: bigint;
  /** The number of the host's CPU that it is on, or one of `VcpuHostCpuState`. */
  cpu: number;
  /** Numbers of the host's CPUs that it may be on. */
  cpumap: number[];
}

/** An I/O thread's number, and the numbers of the host's CPUs that it may run on. */
export interface IOThreadInfo {
  iothread_id: number;
  cpumap: number[];
}
