// virConnect: a connection to a hypervisor's driver, in this process or on any host.
import { native, type RawHandle } from '../native';
import { call } from './call';
import type { CloseReason, CloseSignal } from './close-signal';
import type { Domain, DomainStats } from './domain';
import type { SaveParams } from './domain-params';
import type { DomainEvents } from './events';
import { ConnectCloseReason, type NodeSuspendTarget, type SecretUsageType } from './generated/constants';
import { handleClass, NativeObject, raw } from './handle';
import type { Interface } from './interface';
import type { Network } from './network';
import type { NodeDevice } from './node-device';
import type { NWFilter } from './nwfilter';
import type { NWFilterBinding } from './nwfilter-binding';
import type { CallOptions, FlagsArg, TypedParams } from './options';
import type { Secret } from './secret';
import type { StoragePool } from './storage-pool';
import type { StorageVol } from './storage-vol';
import type { Stream } from './stream';
import { type SubscribeOptions, type Subscription, subscribe } from './subscription';

/** What {@link Connection.nodeGetInfo} gives. Memory in KiB. */
export interface NodeInfo {
  model: string;
  memory: number;
  cpus: number;
  mhz: number;
  nodes: number;
  sockets: number;
  cores: number;
  threads: number;
}

/** The host's security driver. */
export interface SecurityModel {
  model: string;
  /** Domain of interpretation. */
  doi: string;
}

/** virNodeSetMemoryParameters: sharing of equal memory pages by the kernel (KSM). */
export interface NodeMemoryParameters {
  shm_pages_to_scan?: number;
  shm_sleep_millisecs?: number;
  shm_merge_across_nodes?: number;
}

/** virConnectSetIdentity. */
export interface ConnectIdentity {
  'user-name'?: string;
  'unix-user-id'?: number | bigint;
  'group-name'?: string;
  'unix-group-id'?: number | bigint;
  'process-id'?: number | bigint;
  'process-time'?: number | bigint;
  'sasl-user-name'?: string;
  'x509-distinguished-name'?: string;
  'selinux-context'?: string;
}

/** A connection. */
export interface Connection {
  // ---- the host ----
  /** virConnectGetType: the driver's name. */
  getType(options?: CallOptions): Promise<string>;
  getURI(options?: CallOptions): Promise<string>;
  getHostname(options?: CallOptions): Promise<string>;
  /** virConnectGetVersion: the hypervisor's: 1,000,000 * major + 1,000 * minor + release. */
  getVersion(options?: CallOptions): Promise<number>;
  /** virConnectGetLibVersion: libvirt's at the other end, counted the same way. */
  getLibVersion(options?: CallOptions): Promise<number>;
  getCapabilities(options?: CallOptions): Promise<string>;
  getDomainCapabilities(
    emulatorbin?: string | null,
    arch?: string | null,
    machine?: string | null,
    virttype?: string | null,
    flags?: FlagsArg<never>,
  ): Promise<string>;
  isAlive(options?: CallOptions): Promise<boolean>;
  isEncrypted(options?: CallOptions): Promise<boolean>;
  isSecure(options?: CallOptions): Promise<boolean>;
  nodeGetInfo(options?: CallOptions): Promise<NodeInfo>;
  /** virConnectGetMaxVcpus: of one guest; `type`: the domain's, null: the driver's default. */
  getMaxVcpus(type?: string | null, options?: CallOptions): Promise<number>;
  /** virConnectGetSysinfo: the host's SMBIOS as XML. */
  getSysinfo(flags?: FlagsArg<never>): Promise<string>;
  getCPUModelNames(arch: string, flags?: FlagsArg<never>): Promise<string[]>;
  /** virConnectCompareCPU: one of `CPUCompareResult`. */
  compareCPU(xmlDesc: string, flags?: FlagsArg<'ConnectCompareCPUFlags'>): Promise<number>;
  /** virConnectCompareHypervisorCPU: one of `CPUCompareResult`. null: the driver's default. */
  compareHypervisorCPU(
    emulator: string | null,
    arch: string | null,
    machine: string | null,
    virttype: string | null,
    xmlCPU: string,
    flags?: FlagsArg<'ConnectCompareCPUFlags'>,
  ): Promise<number>;
  /** virConnectBaselineCPU: what all of these CPUs can do, as XML. */
  baselineCPU(xmlCPUs: readonly string[], flags?: FlagsArg<'ConnectBaselineCPUFlags'>): Promise<string>;
  baselineHypervisorCPU(
    emulator: string | null,
    arch: string | null,
    machine: string | null,
    virttype: string | null,
    xmlCPUs: readonly string[],
    flags?: FlagsArg<'ConnectBaselineCPUFlags'>,
  ): Promise<string>;
  domainXMLFromNative(nativeFormat: string, nativeConfig: string, flags?: FlagsArg<never>): Promise<string>;
  domainXMLToNative(nativeFormat: string, domainXml: string, flags?: FlagsArg<never>): Promise<string>;
  /** virConnectSetIdentity: for whom this connection acts, where its user may act for others. */
  setIdentity(params: ConnectIdentity, flags?: FlagsArg<never>): Promise<void>;
  /** virNodeGetCPUMap: how many CPUs there are, how many are on, and which. */
  nodeGetCPUMap(flags?: FlagsArg<never>): Promise<{ present: number; online: number; cpumap: number[] }>;
  /** virNodeGetCPUStats: nanoseconds by kind; `cpuNum` -1: of all. */
  nodeGetCPUStats(cpuNum: number, flags?: FlagsArg<never>): Promise<Record<string, bigint>>;
  /** virNodeGetMemoryStats: KiB by kind; `cellNum` -1: of all. */
  nodeGetMemoryStats(cellNum: number, flags?: FlagsArg<never>): Promise<Record<string, bigint>>;
  /** virNodeGetCellsFreeMemory: bytes, for each NUMA cell. */
  nodeGetCellsFreeMemory(startCell: number, maxCells: number, options?: CallOptions): Promise<bigint[]>;
  /** virNodeGetFreeMemory, in bytes. */
  nodeGetFreeMemory(options?: CallOptions): Promise<bigint>;
  /** virNodeGetFreePages: page sizes in KiB; for each cell the free pages of each size. */
  nodeGetFreePages(
    pages: readonly number[],
    startCell: number,
    cellCount: number,
    flags?: FlagsArg<never>,
  ): Promise<bigint[]>;
  /** virNodeAllocPages: in how many cells the pool of huge pages was changed. Page sizes in KiB. */
  nodeAllocPages(
    pageSizes: readonly number[],
    pageCounts: readonly (number | bigint)[],
    startCell: number,
    cellCount: number,
    flags?: FlagsArg<'NodeAllocPagesFlags'>,
  ): Promise<number>;
  nodeGetMemoryParameters(flags?: FlagsArg<never>): Promise<TypedParams>;
  nodeSetMemoryParameters(params: NodeMemoryParameters, flags?: FlagsArg<never>): Promise<void>;
  nodeGetSecurityModel(options?: CallOptions): Promise<SecurityModel>;
  nodeGetSEVInfo(flags?: FlagsArg<never>): Promise<TypedParams>;
  /** virNodeSuspendForDuration: the host sleeps; seconds, at least 60. */
  nodeSuspendForDuration(target: NodeSuspendTarget, duration: number | bigint, flags?: FlagsArg<never>): Promise<void>;

  // ---- guests ----
  numOfDomains(options?: CallOptions): Promise<number>;
  numOfDefinedDomains(options?: CallOptions): Promise<number>;
  /** virConnectListDomains: the ids of those that run. {@link listAllDomains} gives handles. */
  listDomains(options?: CallOptions): Promise<number[]>;
  /** virConnectListDefinedDomains: the names of those that are off. */
  listDefinedDomains(options?: CallOptions): Promise<string[]>;
  listAllDomains(flags?: FlagsArg<'ConnectListAllDomainsFlags'>): Promise<Domain[]>;
  domainLookupByName(name: string, options?: CallOptions): Promise<Domain>;
  domainLookupByUUID(uuid: Uint8Array, options?: CallOptions): Promise<Domain>;
  domainLookupByUUIDString(uuid: string, options?: CallOptions): Promise<Domain>;
  domainLookupByID(id: number, options?: CallOptions): Promise<Domain>;
  domainDefineXML(xml: string, options?: CallOptions): Promise<Domain>;
  domainDefineXMLFlags(xml: string, flags?: FlagsArg<'DomainDefineFlags'>): Promise<Domain>;
  domainCreateXML(xmlDesc: string, flags?: FlagsArg<'DomainCreateFlags'>): Promise<Domain>;
  domainRestore(from: string, options?: CallOptions): Promise<void>;
  domainRestoreFlags(from: string, dxml: string | null, flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  domainRestoreParams(params: SaveParams, flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  domainSaveImageGetXMLDesc(file: string, flags?: FlagsArg<'DomainSaveImageXMLFlags'>): Promise<string>;
  domainSaveImageDefineXML(file: string, dxml: string, flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  /** virDomainCreateLinux: the old name of {@link domainCreateXML}. */
  domainCreateLinux(xmlDesc: string, flags?: FlagsArg<'DomainCreateFlags'>): Promise<Domain>;
  /** virDomainCreateXMLWithFiles: with file descriptors of this process; local connections only. */
  domainCreateXMLWithFiles(
    xmlDesc: string,
    files: readonly number[],
    flags?: FlagsArg<'DomainCreateFlags'>,
  ): Promise<Domain>;
  /** virDomainQemuAttach: takes over a QEMU that somebody else started. */
  domainQemuAttach(pidValue: number, flags?: FlagsArg<never>): Promise<Domain>;
  /** virConnectGetAllDomainStats: `stats` are bits of `DomainStatsTypes`; 0, the default: all. */
  getAllDomainStats(stats?: number, flags?: FlagsArg<'ConnectGetAllDomainStatsFlags'>): Promise<DomainStats[]>;
  /** virDomainListGetStats: of these guests only. */
  domainListGetStats(
    domains: readonly Domain[],
    stats?: number,
    flags?: FlagsArg<'ConnectGetAllDomainStatsFlags'>,
  ): Promise<DomainStats[]>;

  /** virStreamNew: a stream that nothing is connected to yet. */
  streamNew(flags?: FlagsArg<'StreamFlags'>): Promise<Stream>;

  // ---- storage ----
  listAllStoragePools(flags?: FlagsArg<'ConnectListAllStoragePoolsFlags'>): Promise<StoragePool[]>;
  storagePoolLookupByName(name: string, options?: CallOptions): Promise<StoragePool>;
  storagePoolLookupByUUIDString(uuid: string, options?: CallOptions): Promise<StoragePool>;
  storagePoolLookupByTargetPath(path: string, options?: CallOptions): Promise<StoragePool>;
  storagePoolCreateXML(xmlDesc: string, flags?: FlagsArg<'StoragePoolCreateFlags'>): Promise<StoragePool>;
  storagePoolDefineXML(xml: string, flags?: FlagsArg<'StoragePoolDefineFlags'>): Promise<StoragePool>;
  storageVolLookupByPath(path: string, options?: CallOptions): Promise<StorageVol>;
  storageVolLookupByKey(key: string, options?: CallOptions): Promise<StorageVol>;
  numOfStoragePools(options?: CallOptions): Promise<number>;
  numOfDefinedStoragePools(options?: CallOptions): Promise<number>;
  listStoragePools(options?: CallOptions): Promise<string[]>;
  listDefinedStoragePools(options?: CallOptions): Promise<string[]>;
  /** virConnectFindStoragePoolSources: what pools of this type could be made of, as XML. */
  findStoragePoolSources(type: string, srcSpec?: string | null, flags?: FlagsArg<never>): Promise<string>;
  getStoragePoolCapabilities(flags?: FlagsArg<never>): Promise<string>;
  storagePoolLookupByUUID(uuid: Uint8Array, options?: CallOptions): Promise<StoragePool>;

  // ---- networks ----
  listAllNetworks(flags?: FlagsArg<'ConnectListAllNetworksFlags'>): Promise<Network[]>;
  numOfNetworks(options?: CallOptions): Promise<number>;
  numOfDefinedNetworks(options?: CallOptions): Promise<number>;
  listNetworks(options?: CallOptions): Promise<string[]>;
  listDefinedNetworks(options?: CallOptions): Promise<string[]>;
  networkLookupByName(name: string, options?: CallOptions): Promise<Network>;
  networkLookupByUUID(uuid: Uint8Array, options?: CallOptions): Promise<Network>;
  networkLookupByUUIDString(uuidstr: string, options?: CallOptions): Promise<Network>;
  networkDefineXML(xml: string, options?: CallOptions): Promise<Network>;
  networkDefineXMLFlags(xml: string, flags?: FlagsArg<'NetworkDefineFlags'>): Promise<Network>;
  /** virNetworkCreateXML: a network that is gone once it stops. */
  networkCreateXML(xmlDesc: string, options?: CallOptions): Promise<Network>;
  networkCreateXMLFlags(xmlDesc: string, flags?: FlagsArg<'NetworkCreateFlags'>): Promise<Network>;

  // ---- interfaces of the host ----
  listAllInterfaces(flags?: FlagsArg<'ConnectListAllInterfacesFlags'>): Promise<Interface[]>;
  numOfInterfaces(options?: CallOptions): Promise<number>;
  numOfDefinedInterfaces(options?: CallOptions): Promise<number>;
  listInterfaces(options?: CallOptions): Promise<string[]>;
  listDefinedInterfaces(options?: CallOptions): Promise<string[]>;
  interfaceLookupByName(name: string, options?: CallOptions): Promise<Interface>;
  interfaceLookupByMACString(macstr: string, options?: CallOptions): Promise<Interface>;
  interfaceDefineXML(xml: string, flags?: FlagsArg<'InterfaceDefineFlags'>): Promise<Interface>;
  /** virInterfaceChangeBegin: a point to which {@link interfaceChangeRollback} takes all interfaces back. */
  interfaceChangeBegin(flags?: FlagsArg<never>): Promise<void>;
  interfaceChangeCommit(flags?: FlagsArg<never>): Promise<void>;
  interfaceChangeRollback(flags?: FlagsArg<never>): Promise<void>;

  // ---- devices of the host ----
  listAllNodeDevices(flags?: FlagsArg<'ConnectListAllNodeDeviceFlags'>): Promise<NodeDevice[]>;
  /** virNodeNumOfDevices: with this capability; null: all. */
  nodeNumOfDevices(cap?: string | null, flags?: FlagsArg<never>): Promise<number>;
  nodeListDevices(cap?: string | null, flags?: FlagsArg<never>): Promise<string[]>;
  nodeDeviceLookupByName(name: string, options?: CallOptions): Promise<NodeDevice>;
  nodeDeviceLookupSCSIHostByWWN(wwnn: string, wwpn: string, flags?: FlagsArg<never>): Promise<NodeDevice>;
  nodeDeviceCreateXML(xmlDesc: string, flags?: FlagsArg<'NodeDeviceCreateXMLFlags'>): Promise<NodeDevice>;
  nodeDeviceDefineXML(xmlDesc: string, flags?: FlagsArg<'NodeDeviceDefineXMLFlags'>): Promise<NodeDevice>;

  // ---- network filters ----
  listAllNWFilters(flags?: FlagsArg<never>): Promise<NWFilter[]>;
  numOfNWFilters(options?: CallOptions): Promise<number>;
  listNWFilters(options?: CallOptions): Promise<string[]>;
  nwFilterLookupByName(name: string, options?: CallOptions): Promise<NWFilter>;
  nwFilterLookupByUUID(uuid: Uint8Array, options?: CallOptions): Promise<NWFilter>;
  nwFilterLookupByUUIDString(uuidstr: string, options?: CallOptions): Promise<NWFilter>;
  nwFilterDefineXML(xmlDesc: string, options?: CallOptions): Promise<NWFilter>;
  nwFilterDefineXMLFlags(xmlDesc: string, flags?: FlagsArg<'NWFilterDefineFlags'>): Promise<NWFilter>;
  listAllNWFilterBindings(flags?: FlagsArg<never>): Promise<NWFilterBinding[]>;
  nwFilterBindingLookupByPortDev(portdev: string, options?: CallOptions): Promise<NWFilterBinding>;
  nwFilterBindingCreateXML(xml: string, flags?: FlagsArg<'NWFilterBindingCreateFlags'>): Promise<NWFilterBinding>;

  // ---- secrets ----
  listAllSecrets(flags?: FlagsArg<'ConnectListAllSecretsFlags'>): Promise<Secret[]>;
  numOfSecrets(options?: CallOptions): Promise<number>;
  /** virConnectListSecrets: their UUIDs. */
  listSecrets(options?: CallOptions): Promise<string[]>;
  secretLookupByUUID(uuid: Uint8Array, options?: CallOptions): Promise<Secret>;
  secretLookupByUUIDString(uuidstr: string, options?: CallOptions): Promise<Secret>;
  secretLookupByUsage(usageType: SecretUsageType, usageID: string, options?: CallOptions): Promise<Secret>;
  secretDefineXML(xml: string, flags?: FlagsArg<'SecretDefineFlags'>): Promise<Secret>;
}

/** How long close() lets calls in flight run before it abandons them; and how much longer the close itself may take. */
const DRAIN_MS = 10_000;
const CLOSE_MS = 5_000;

/** @internal */
export let makeConnection: (native: RawHandle, lost: CloseSignal) => Connection;

/** A connection. Made by {@link connect}. */
export class Connection extends NativeObject implements AsyncDisposable {
  readonly #end: CloseSignal;
  #closing: Promise<void> | undefined;

  private constructor(handle: RawHandle, end: CloseSignal) {
    super(handle);
    this.#end = end;
  }
  static {
    handleClass('Connection', Connection, () => {
      throw new Error('No function of libvirt gives a connection');
    });
    makeConnection = (handle, end) => new Connection(handle, end);
  }

  /** Resolves, never rejects, when the connection has ended, by us or not. */
  get closed(): Promise<CloseReason> {
    return this.#end.closed;
  }

  /**
   * Refuses new calls, lets those in flight end (those that hang are abandoned after 10 s), releases every handle of this
   * connection, and closes: afterwards no socket is left. Closing twice is the same as once.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const limit = { signal: undefined, timeoutMs: DRAIN_MS + CLOSE_MS, urgent: false };
    try {
      await call((...frame) => native.close(...frame, this[raw], DRAIN_MS), 'close', limit, this);
    } catch (error) {
      // The host hangs: what is left goes on by itself, on a thread of its own.
      if (!(error instanceof DOMException)) throw error;
    }
    this.#end.fire(ConnectCloseReason.CLIENT);
  }

  /** {@link Connection.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Subscribes to one kind of event; virConnectDomainEventRegisterAny.
   *
   * @example
   * await using events = await conn.subscribe('lifecycle', { domain });
   * for await (const { event, detail } of events) console.log(event, detail);
   */
  subscribe<Name extends keyof DomainEvents>(
    event: Name,
    options: SubscribeOptions = {},
  ): Promise<Subscription<DomainEvents[Name]>> {
    return subscribe(this, this.#end, event, options);
  }
}
