// Typed parameters that functions of virDomain take, by their C names. What a newer libvirt adds is entered here and in
// the addon's table.
import type { BandwidthParameters } from './bandwidth';
import type { DomainNumatuneMemMode } from './generated/constants';

/**
 * Throttling of one disk: virDomainSetBlockIoTune's typed parameters. Bytes and operations per second, 0: no limit;
 * `…_max` in bursts, whose `…_max_length` is in seconds.
 */
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
  /** Bytes: a longer operation counts as several. */
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
  'buf-size'?: number | bigint;
}

/**
 * virDomainSetBlkioParameters. `device_*` are lists such as `'/dev/sda,1000,/dev/sdb,500'`: weights, operations per
 * second and bytes per second.
 */
export interface BlkioParameters {
  /** A share, with no unit: 10 to 1000. */
  weight?: number;
  device_weight?: string;
  device_read_iops_sec?: string;
  device_write_iops_sec?: string;
  device_read_bytes_sec?: string;
  device_write_bytes_sec?: string;
}

/** virDomainSetMemoryParameters, in KiB; 9007199254740991n: no limit. */
export interface MemoryParameters {
  hard_limit?: number | bigint;
  soft_limit?: number | bigint;
  min_guarantee?: number | bigint;
  swap_hard_limit?: number | bigint;
}

/** virDomainSetNumaParameters. */
export interface NumaParameters {
  /** Such as `'0-1,3'`. */
  numa_nodeset?: string;
  numa_mode?: DomainNumatuneMemMode;
}

/**
 * virDomainSetSchedulerParameters. Periods and quotas in microseconds; a negative quota: no limit. `cpu_shares`,
 * `weight` and `shares` are shares, with no unit.
 */
export interface SchedulerParameters {
  cpu_shares?: number | bigint;
  global_period?: number | bigint;
  global_quota?: number | bigint;
  vcpu_period?: number | bigint;
  vcpu_quota?: number | bigint;
  emulator_period?: number | bigint;
  emulator_quota?: number | bigint;
  iothread_period?: number | bigint;
  iothread_quota?: number | bigint;
  /** Xen's credit scheduler. */
  weight?: number;
  /** Xen's credit scheduler. */
  cap?: number;
  /** ESX's allocation scheduler, as the next two. */
  reservation?: number | bigint;
  limit?: number | bigint;
  shares?: number;
}

/** virDomainSetPerfEvents: true: counted, and shown in the domain's stats. */
export type PerfEvents = Partial<
  Record<
    | 'cmt'
    | 'mbmt'
    | 'mbml'
    | 'cache_misses'
    | 'cache_references'
    | 'instructions'
    | 'cpu_cycles'
    | 'branch_instructions'
    | 'branch_misses'
    | 'bus_cycles'
    | 'stalled_cycles_frontend'
    | 'stalled_cycles_backend'
    | 'ref_cpu_cycles'
    | 'cpu_clock'
    | 'task_clock'
    | 'page_faults'
    | 'context_switches'
    | 'cpu_migrations'
    | 'page_faults_min'
    | 'page_faults_maj'
    | 'alignment_faults'
    | 'emulation_faults',
    boolean
  >
>;

/** virDomainSetInterfaceParameters. */
export type InterfaceParameters = BandwidthParameters;

/** virDomainSetIOThreadParams. */
export interface IOThreadParams {
  /** Nanoseconds; 0: no polling. */
  poll_max_ns?: number | bigint;
  /** By what QEMU multiplies the time that it polls; 0: its own choice. */
  poll_grow?: number;
  /** By what QEMU divides the time that it polls; 0: its own choice. */
  poll_shrink?: number;
  /** How many threads at least; -1: QEMU's own choice, not of a running guest. */
  thread_pool_min?: number;
  /** How many threads at most; -1: QEMU's own choice, not of a running guest. */
  thread_pool_max?: number;
}

/** virDomainSetLaunchSecurityState: a secret for a guest of AMD's SEV. */
export interface LaunchSecurityState {
  /** Base64. */
  'sev-secret-header'?: string;
  /** Base64. */
  'sev-secret'?: string;
  /** A physical address in the guest's memory. Default: the hypervisor's choice. */
  'sev-secret-set-address'?: number | bigint;
}

/** virDomainRestoreParams. */
export interface RestoreParams {
  /** Of the host. */
  file?: string;
  /** The definition to start with, in place of the saved one. */
  dxml?: string;
  /** How many files are read or written at once. libvirt 10.6 and later. */
  'parallel.channels'?: number;
}

/** virDomainSaveParams. */
export interface SaveParams extends RestoreParams {
  /** Such as `raw`, `zstd` or `sparse`. libvirt 11.2 and later. */
  image_format?: string;
}

/** virDomainMigrate3 and virDomainMigrateToURI3. Bandwidths in MiB/s. */
export interface MigrateParams {
  migrate_uri?: string;
  destination_name?: string;
  destination_xml?: string;
  persistent_xml?: string;
  /** 0: the driver's default. */
  bandwidth?: number | bigint;
  /** After the switch-over to post-copy; 0: no limit. */
  'bandwidth.postcopy'?: number | bigint;
  'bandwidth.avail.switchover'?: number | bigint;
  graphics_uri?: string;
  listen_address?: string;
  /** Targets of the disks that are copied along. */
  migrate_disks?: readonly string[];
  migrate_disks_detect_zeroes?: readonly string[];
  /** A TCP port; 0: libvirt's choice. */
  disks_port?: number;
  disks_uri?: string;
  /** `mt`, `xbzrle`, `zlib`, `zstd`. */
  compression?: readonly string[];
  /** 0: none, 1: fastest, to 9: smallest. */
  'compression.mt.level'?: number;
  /** How many threads compress. */
  'compression.mt.threads'?: number;
  /** How many threads decompress. */
  'compression.mt.dthreads'?: number;
  /** Bytes. */
  'compression.xbzrle.cache'?: number | bigint;
  /** As `compression.mt.level`, of zlib. */
  'compression.zlib.level'?: number;
  /** The higher, the smaller and slower. */
  'compression.zstd.level'?: number;
  /** Per cent that the guest's CPUs are slowed down by. */
  'auto_converge.initial'?: number;
  /** Per cent, added each time that it is not enough. */
  'auto_converge.increment'?: number;
  /** How many. */
  'parallel.connections'?: number;
  'tls.destination'?: string;
}
