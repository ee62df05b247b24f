// Typed parameters that functions of libvirt tell, by their C names. Which of them are there depends on the driver, the guest and
// the version of libvirt at the other end: every known one may be absent, and a newer libvirt's own have any type.
import type { BandwidthParameters } from './bandwidth';
import type {
  BlkioParameters,
  BlockIoTune,
  MemoryParameters,
  NumaParameters,
  PerfEvents,
  SchedulerParameters,
} from './domain-params';
import type { DomainJobOperation } from './generated/constants';
import type { TypedValue } from './options';

/** What a newer libvirt may add. */
export interface Told {
  [name: string]: TypedValue | undefined;
}

/** What is set as `number | bigint` is told as a bigint: it has 64 bits. */
export type ToldAs<Value> = bigint extends Value ? bigint : Value;
/** The names of what may be set, as they are told. */
type ToldOf<Params> = { [Name in keyof Params]?: ToldAs<NonNullable<Params[Name]>> | undefined };

/**
 * What {@link Domain.getBlockIoTune} tells. Bytes and operations per second, lengths in seconds, `size_iops_sec` in
 * bytes; 0: no limit.
 */
export interface BlockIoTuneTold extends ToldOf<BlockIoTune>, Told {}

/** What {@link Domain.getBlkioParameters} tells: weights, and lists with operations or bytes per second. */
export interface BlkioParametersTold extends ToldOf<BlkioParameters>, Told {}

/** What {@link Domain.getMemoryParameters} tells, in KiB; 9007199254740991n: no limit. */
export interface MemoryParametersTold extends ToldOf<MemoryParameters>, Told {}

/** What {@link Domain.getNumaParameters} tells. */
export interface NumaParametersTold extends ToldOf<NumaParameters>, Told {}

/** What {@link Domain.getSchedulerParameters} tells. Periods and quotas in microseconds; a negative quota: no limit. */
export interface SchedulerParametersTold extends ToldOf<SchedulerParameters>, Told {}

/** What {@link Domain.getPerfEvents} tells: true: counted, and shown in the domain's stats. */
export interface PerfEventsTold extends ToldOf<PerfEvents>, Told {}

/**
 * What {@link Domain.getInterfaceParameters} and {@link NetworkPort.getParameters} tell. Averages, peaks and floor in kB/s,
 * bursts in KiB; 0: no limit.
 */
export interface BandwidthTold extends ToldOf<BandwidthParameters>, Told {}

/** What {@link Domain.blockStatsFlags} tells: bytes and operations, counted since the guest's start. */
export interface BlockStatsTold extends Told {
  rd_bytes?: bigint;
  rd_operations?: bigint;
  /** Nanoseconds. */
  rd_total_times?: bigint;
  wr_bytes?: bigint;
  wr_operations?: bigint;
  /** Nanoseconds. */
  wr_total_times?: bigint;
  flush_operations?: bigint;
  /** Nanoseconds. */
  flush_total_times?: bigint;
  errs?: bigint;
}

/** What {@link Domain.getCPUStats} tells of one CPU of the host, or of all; in nanoseconds. */
export interface CPUStatsTold extends Told {
  /** Of the guest and of the hypervisor for it. */
  cpu_time?: bigint;
  /** Of the guest alone. */
  vcpu_time?: bigint;
  /** Of `cpu_time`, in programs. */
  user_time?: bigint;
  /** Of `cpu_time`, in the kernel. */
  system_time?: bigint;
}

/** What {@link Domain.getJobStats} tells, and the event `job-completed`. Times in milliseconds, amounts in bytes. */
export interface JobStatsTold extends Told {
  operation?: DomainJobOperation;
  time_elapsed?: bigint;
  /** Without the time that the control took from host to host. */
  time_elapsed_net?: bigint;
  time_remaining?: bigint;
  /** Of a migration: how long the guest stands still, or stood still. */
  downtime?: bigint;
  downtime_net?: bigint;
  setup_time?: bigint;
  data_total?: bigint;
  data_processed?: bigint;
  data_remaining?: bigint;
  memory_total?: bigint;
  memory_processed?: bigint;
  memory_remaining?: bigint;
  /** Pages that were filled with one byte. */
  memory_constant?: bigint;
  /** Pages that were sent as they are. */
  memory_normal?: bigint;
  memory_normal_bytes?: bigint;
  /** Bytes per second. */
  memory_bps?: bigint;
  /** Pages per second. */
  memory_dirty_rate?: bigint;
  memory_page_size?: bigint;
  /** Counted from 0. */
  memory_iteration?: bigint;
  /** How often the guest on the new host missed a page. */
  memory_postcopy_requests?: bigint;
  disk_total?: bigint;
  disk_processed?: bigint;
  disk_remaining?: bigint;
  /** Bytes per second. */
  disk_bps?: bigint;
  /** Space for what a backup sets aside. */
  disk_temp_used?: bigint;
  disk_temp_total?: bigint;
  /** The size of the cache, in bytes. */
  compression_cache?: bigint;
  compression_bytes?: bigint;
  /** Pages that were sent compressed. */
  compression_pages?: bigint;
  /** Pages that were not in the cache. */
  compression_cache_misses?: bigint;
  /** Pages that were sent as they are, because compressed they were larger. */
  compression_overflow?: bigint;
  /** Per cent that the guest's CPUs are slowed down by. */
  auto_converge_throttle?: number;
  /** Only of a job that has ended. */
  success?: boolean;
  /** Only of a job that has failed. */
  errmsg?: string;
}

/** What {@link Domain.getLaunchSecurityInfo} tells of a guest of AMD's SEV. */
export interface LaunchSecurityInfoTold extends Told {
  /** Base64. */
  'sev-measurement'?: string;
  /** The first number of the version of the host's SEV. */
  'sev-api-major'?: number;
  /** The second one. */
  'sev-api-minor'?: number;
  /** The number of its build. */
  'sev-build-id'?: number;
  /** The guest's policy: bits. */
  'sev-policy'?: number;
}

/** What {@link Connection.nodeGetSEVInfo} tells of AMD's SEV on the host. */
export interface SEVInfoTold extends Told {
  /** The platform's Diffie-Hellman key, base64. */
  pdh?: string;
  /** Base64. */
  'cert-chain'?: string;
  'cpu0-id'?: string;
  /** Which bit of an address is the C-bit. */
  cbitpos?: number;
  /** How many bits of physical addresses SEV takes away. */
  'reduced-phys-bits'?: number;
  /** How many guests of SEV can run. */
  'max-guests'?: number;
  /** How many guests of SEV-ES can run. */
  'max-es-guests'?: number;
}

/** What {@link Connection.nodeGetMemoryParameters} tells: sharing of equal memory pages by the kernel (KSM). */
export interface NodeMemoryParametersTold extends Told {
  /** Pages that are scanned before it sleeps. */
  shm_pages_to_scan?: number;
  /** Milliseconds that it sleeps. */
  shm_sleep_millisecs?: number;
  /** 1: also pages of different NUMA cells. */
  shm_merge_across_nodes?: number;
  /** Pages that are shared. */
  shm_pages_shared?: bigint;
  /** How often they are used: what is saved. */
  shm_pages_sharing?: bigint;
  /** Pages that are looked at again and again, and are like no other. */
  shm_pages_unshared?: bigint;
  /** Pages that change too fast. */
  shm_pages_volatile?: bigint;
  /** How often all was scanned. */
  shm_full_scans?: bigint;
}

/** What {@link Connection.nodeGetCPUStats} tells: nanoseconds since the host's start, or a per cent. */
export interface NodeCPUStats {
  kernel?: bigint;
  user?: bigint;
  idle?: bigint;
  iowait?: bigint;
  intr?: bigint;
  /** Per cent, of drivers that tell no times. */
  utilization?: bigint;
  [name: string]: bigint | undefined;
}

/** What {@link Connection.nodeGetMemoryStats} tells, in KiB. */
export interface NodeMemoryStats {
  total?: bigint;
  free?: bigint;
  buffers?: bigint;
  cached?: bigint;
  [name: string]: bigint | undefined;
}

/** What {@link Domain.getGuestVcpus} tells: lists of numbers, such as `'0-3,5'`, as the guest counts its CPUs. */
export interface GuestVcpusTold extends Told {
  vcpus?: string;
  online?: string;
  /** Those that may be turned off. */
  offlinable?: string;
}

/** What {@link Domain.getGuestInfo} tells; of what is many there is a count, and each has a number from 0 on. */
export interface GuestInfoTold extends Told {
  'user.count'?: number;
  [user: `user.${number}.${'name' | 'domain'}`]: string | undefined;
  /** Milliseconds since the epoch. */
  [login: `user.${number}.login-time`]: bigint | undefined;
  'os.id'?: string;
  'os.name'?: string;
  'os.pretty-name'?: string;
  'os.version'?: string;
  'os.version-id'?: string;
  'os.kernel-release'?: string;
  'os.kernel-version'?: string;
  'os.machine'?: string;
  'os.variant'?: string;
  'os.variant-id'?: string;
  'timezone.name'?: string;
  /** Seconds from UTC. */
  'timezone.offset'?: number;
  hostname?: string;
  'fs.count'?: number;
  [fileSystem: `fs.${number}.${'mountpoint' | 'name' | 'fstype'}`]: string | undefined;
  /** Bytes. */
  [fileSystemBytes: `fs.${number}.${'total-bytes' | 'used-bytes'}`]: bigint | undefined;
  /** How many. */
  [fileSystemDisks: `fs.${number}.disk.count`]: number | undefined;
  [fileSystemDisk: `fs.${number}.disk.${number}.${'alias' | 'serial' | 'device'}`]: string | undefined;
  'disk.count'?: number;
  [disk: `disk.${number}.${'name' | 'serial' | 'alias' | 'guest_alias'}`]: string | undefined;
  [partition: `disk.${number}.partition`]: boolean | undefined;
  /** How many. */
  [dependencies: `disk.${number}.dependency.count`]: number | undefined;
  [dependency: `disk.${number}.dependency.${number}.name`]: string | undefined;
  'if.count'?: number;
  [network: `if.${number}.${'name' | 'hwaddr'}`]: string | undefined;
  /** How many. */
  [addresses: `if.${number}.addr.count`]: number | undefined;
  [address: `if.${number}.addr.${number}.${'type' | 'addr'}`]: string | undefined;
  /** Bits of the network's part. */
  [prefix: `if.${number}.addr.${number}.prefix`]: number | undefined;
}

/**
 * What the event `tunable` tells: what has changed, each name behind that of its group. Units as of {@link BlockIoTune}
 * and {@link SchedulerParameters}.
 */
export type TunableTold = {
  [Name in keyof BlockIoTune as `blkdeviotune.${Name}`]?: ToldAs<NonNullable<BlockIoTune[Name]>> | undefined;
} & {
  [Name in Exclude<
    keyof SchedulerParameters,
    'weight' | 'cap' | 'reservation' | 'limit' | 'shares'
  > as `cputune.${Name}`]?: ToldAs<NonNullable<SchedulerParameters[Name]>> | undefined;
} & {
  /** The target of the disk that the `blkdeviotune` values are of. */
  'blkdeviotune.disk'?: string;
  'cputune.emulatorpin'?: string;
  [pin: `cputune.${'vcpupin' | 'iothreadpin'}${number}`]: string | undefined;
} & Told;
