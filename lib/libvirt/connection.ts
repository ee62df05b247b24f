// virConnect: a connection to a hypervisor's driver, in this process or on any host.
import { native, type RawHandle } from '../native';
import { call } from './call';
import type { CloseReason, CloseSignal } from './close-signal';
import type { Domain, DomainStats } from './domain';
import type { RestoreParams } from './domain-params';
import type { DomainEvents } from './events';
import { ConnectCloseReason, type NodeSuspendTarget, type SecretUsageType } from './generated/constants';
import { handleClass, NativeObject, raw } from './handle';
import type { Interface } from './interface';
import type { Network } from './network';
import type { NodeDevice } from './node-device';
import type { NWFilter } from './nwfilter';
import type { NWFilterBinding } from './nwfilter-binding';
import type { CallOptions, Flags, FlagsArg } from './options';
import type { Secret } from './secret';
import type { StoragePool } from './storage-pool';
import type { StorageVol } from './storage-vol';
import type { Stream } from './stream';
import { type SubscribeOptions, type Subscription, subscribe } from './subscription';
import type { NodeCPUStats, NodeMemoryParametersTold, NodeMemoryStats, SEVInfoTold } from './told';

/** What {@link Connection.nodeGetInfo} gives. The topology is a guess where it is uneven: ask the capabilities. */
export interface NodeInfo {
  /** Of the CPU. */
  model: string;
  /** KiB. */
  memory: number;
  /** How many CPUs are on. */
  cpus: number;
  /** MHz of the CPUs; 0: not known. */
  mhz: number;
  /** How many NUMA cells. */
  nodes: number;
  /** How many in each cell. */
  sockets: number;
  /** How many in each socket. */
  cores: number;
  /** How many in each core. */
  threads: number;
}

/** What {@link Connection.nodeGetCPUMap} gives: the host's CPUs. */
export interface NodeCPUMap {
  /** How many there are. */
  present: number;
  /** How many of them are on. */
  online: number;
  /** The numbers of those that are on. */
  cpumap: number[];
}

/** The host's security driver. */
export interface SecurityModel {
  model: string;
  /** Domain of interpretation. */
  doi: string;
}

/** virNodeSetMemoryParameters: sharing of equal memory pages by the kernel (KSM). */
export interface NodeMemoryParameters {
  /** Pages that are scanned before it sleeps. */
  shm_pages_to_scan?: number;
  /** Milliseconds that it sleeps. */
  shm_sleep_millisecs?: number;
  /** 1: also pages of different NUMA cells. */
  shm_merge_across_nodes?: number;
}

/** virConnectSetIdentity. */
export interface ConnectIdentity {
  'user-name'?: string;
  /** A uid. */
  'unix-user-id'?: number | bigint;
  'group-name'?: string;
  /** A gid. */
  'unix-group-id'?: number | bigint;
  /** A pid. */
  'process-id'?: number | bigint;
  /** When that process began: on Linux clock ticks, as in `/proc/PID/stat`. */
  'process-time'?: number | bigint;
  'sasl-user-name'?: string;
  'x509-distinguished-name'?: string;
  'selinux-context'?: string;
}

/**
 * A connection. What its members ask of libvirt may reject with `INVALID_CONN` (it is closed, or was closed meanwhile),
 * `RPC` (it was lost: the host does not answer keepalive any more), `NO_SUPPORT` (the driver has no such function),
 * `OPERATION_DENIED` (the call changes something, and the connection is read-only) and `ACCESS_DENIED` (the host's
 * policy forbids it).
 */
export interface Connection {
  // ---- the host ----
  /** virConnectGetType: the driver's name. */
  getType(options?: CallOptions): Promise<string>;
  /** virConnectGetURI: the canonical URI, as the host completed it. */
  getURI(options?: CallOptions): Promise<string>;
  /** virConnectGetHostname: the host's name, as it knows itself. */
  getHostname(options?: CallOptions): Promise<string>;
  /** virConnectGetVersion: the hypervisor's: 1,000,000 * major + 1,000 * minor + release; 0: not known. */
  getVersion(options?: CallOptions): Promise<number>;
  /** virConnectGetLibVersion: libvirt's at the other end, counted the same way. */
  getLibVersion(options?: CallOptions): Promise<number>;
  /** virConnectGetCapabilities: what the host and its hypervisors can do: a `<capabilities>` document. */
  getCapabilities(options?: CallOptions): Promise<string>;
  /**
   * virConnectGetDomainCapabilities: what a guest of this emulator, architecture and machine may have: a
   * `<domainCapabilities>` document. null: the default.
   */
  getDomainCapabilities(
    emulatorbin?: string | null,
    arch?: string | null,
    machine?: string | null,
    virttype?: string | null,
    flags?: FlagsArg<'ConnectGetDomainCapabilitiesFlags'>,
  ): Promise<string>;
  /** virConnectIsAlive: whether the connection still works, as far as keepalive knows; asks nobody. */
  isAlive(options?: CallOptions): Promise<boolean>;
  /** virConnectIsEncrypted: whether what is sent is encrypted. */
  isEncrypted(options?: CallOptions): Promise<boolean>;
  /** virConnectIsSecure: whether nobody can listen: encrypted, or a local socket. */
  isSecure(options?: CallOptions): Promise<boolean>;
  /** virNodeGetInfo: the host's CPUs and memory; memory in KiB, `mhz` of the CPUs, 0 where unknown. */
  nodeGetInfo(options?: CallOptions): Promise<NodeInfo>;
  /**
   * virConnectGetMaxVcpus: how many virtual CPUs one guest may have; `type`: the domain's, null: the driver's default;
   * `INVALID_ARG` where it has no such type.
   */
  getMaxVcpus(type?: string | null, options?: CallOptions): Promise<number>;
  /** virConnectGetSysinfo: the host's SMBIOS as XML. */
  getSysinfo(flags?: FlagsArg<never>): Promise<string>;
  /** virConnectGetCPUModelNames: the models that libvirt knows for an architecture; empty: all are accepted. */
  getCPUModelNames(arch: string, flags?: FlagsArg<never>): Promise<string[]>;
  /**
   * virConnectCompareCPU: one of `CPUCompareResult`; with `FAIL_INCOMPATIBLE`, `CPU_INCOMPATIBLE` where it does not
   * fit.
   */
  compareCPU(xmlDesc: string, flags?: FlagsArg<'ConnectCompareCPUFlags'>): Promise<number>;
  /**
   * virConnectCompareHypervisorCPU: as {@link compareCPU}, with what this hypervisor can offer. `OPERATION_UNSUPPORTED`
   * where it cannot tell. null: the driver's default.
   */
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
  /**
   * virConnectBaselineHypervisorCPU: the richest CPU that all the given hosts can offer by this hypervisor: a `<cpu>`
   * document. null: the default. `OPERATION_UNSUPPORTED` where it cannot tell.
   */
  baselineHypervisorCPU(
    emulator: string | null,
    arch: string | null,
    machine: string | null,
    virttype: string | null,
    xmlCPUs: readonly string[],
    flags?: FlagsArg<'ConnectBaselineCPUFlags'>,
  ): Promise<string>;
  /**
   * virConnectDomainXMLFromNative: translates a hypervisor's own configuration into `<domain>`; `NO_SUPPORT` where
   * the driver cannot.
   */
  domainXMLFromNative(nativeFormat: string, nativeConfig: string, flags?: FlagsArg<never>): Promise<string>;
  /** virConnectDomainXMLToNative: what a `<domain>` becomes, for QEMU its command line. */
  domainXMLToNative(nativeFormat: string, domainXml: string, flags?: FlagsArg<never>): Promise<string>;
  /**
   * virConnectSetIdentity: for whom this connection acts, where its user may act for others. From then on calls to guests' agents
   * go over this connection, too, and no longer over ones of their own: one that hangs then takes one of its three threads.
   */
  setIdentity(params: ConnectIdentity, flags?: FlagsArg<never>): Promise<void>;
  /** virNodeGetCPUMap: how many CPUs there are, how many are on, and which. */
  nodeGetCPUMap(flags?: FlagsArg<never>): Promise<NodeCPUMap>;
  /** virNodeGetCPUStats: nanoseconds by kind, or a per cent; `cpuNum` counts from 0, -1: of all. */
  nodeGetCPUStats(cpuNum: number, flags?: FlagsArg<never>): Promise<NodeCPUStats>;
  /** virNodeGetMemoryStats: KiB by kind; `cellNum` counts from 0, -1: of all. */
  nodeGetMemoryStats(cellNum: number, flags?: FlagsArg<never>): Promise<NodeMemoryStats>;
  /** virNodeGetCellsFreeMemory: bytes, for each NUMA cell from `startCell` on, at most `maxCells`. */
  nodeGetCellsFreeMemory(startCell: number, maxCells: number, options?: CallOptions): Promise<bigint[]>;
  /** virNodeGetFreeMemory: the free memory of the host, in bytes. */
  nodeGetFreeMemory(options?: CallOptions): Promise<bigint>;
  /** virNodeGetFreePages: page sizes in KiB; for each cell how many pages of each size are free. */
  nodeGetFreePages(
    pages: readonly number[],
    startCell: number,
    cellCount: number,
    flags?: FlagsArg<never>,
  ): Promise<bigint[]>;
  /**
   * virNodeAllocPages: in how many cells the pool of huge pages was changed. Page sizes in KiB, `pageCounts`: how many
   * of each; `startCell` -1: spread over all cells.
   */
  nodeAllocPages(
    pageSizes: readonly number[],
    pageCounts: readonly (number | bigint)[],
    startCell: number,
    cellCount: number,
    flags?: FlagsArg<'NodeAllocPagesFlags'>,
  ): Promise<number>;
  /** virNodeGetMemoryParameters: how the host shares equal pages (KSM), by name. Pages and milliseconds. */
  nodeGetMemoryParameters(flags?: FlagsArg<never>): Promise<NodeMemoryParametersTold>;
  /**
   * virNodeSetMemoryParameters: changes how the host shares equal pages (KSM); `OPERATION_INVALID` where its kernel
   * does not have one of the parameters.
   */
  nodeSetMemoryParameters(params: NodeMemoryParameters, flags?: FlagsArg<never>): Promise<void>;
  /** virNodeGetSecurityModel: the security driver's model and domain of interpretation; empty where there is none. */
  nodeGetSecurityModel(options?: CallOptions): Promise<SecurityModel>;
  /**
   * virNodeGetSEVInfo: AMD SEV's certificates and limits; `NO_SUPPORT` or `OPERATION_UNSUPPORTED` where the host has
   * none.
   */
  nodeGetSEVInfo(flags?: FlagsArg<never>): Promise<SEVInfoTold>;
  /**
   * virNodeSuspendForDuration: the host sleeps; `duration` in seconds, at least 60 (else `INVALID_ARG`).
   * `ARGUMENT_UNSUPPORTED` where it cannot sleep like that, `OPERATION_INVALID` where it is about to.
   */
  nodeSuspendForDuration(target: NodeSuspendTarget, duration: number | bigint, flags?: FlagsArg<never>): Promise<void>;

  // ---- guests ----
  /** virConnectNumOfDomains: how many guests run. */
  numOfDomains(options?: CallOptions): Promise<number>;
  /** virConnectNumOfDefinedDomains: how many guests are defined and off. */
  numOfDefinedDomains(options?: CallOptions): Promise<number>;
  /** virConnectListDomains: the ids of those that run. {@link listAllDomains} gives handles. */
  listDomains(options?: CallOptions): Promise<number[]>;
  /** virConnectListDefinedDomains: the names of those that are off. */
  listDefinedDomains(options?: CallOptions): Promise<string[]>;
  /** virConnectListAllDomains: the guests that the flags choose; none: all of them. */
  listAllDomains(flags?: FlagsArg<'ConnectListAllDomainsFlags'>): Promise<Domain[]>;
  /** virDomainLookupByName: the guest of that name; `NO_DOMAIN` where there is none. */
  domainLookupByName(name: string, options?: CallOptions): Promise<Domain>;
  /** virDomainLookupByUUID: the guest with these 16 bytes; `NO_DOMAIN` where there is none. */
  domainLookupByUUID(uuid: Uint8Array, options?: CallOptions): Promise<Domain>;
  /** virDomainLookupByUUIDString: the guest with that UUID; `NO_DOMAIN` where there is none. */
  domainLookupByUUIDString(uuidstr: string, options?: CallOptions): Promise<Domain>;
  /** virDomainLookupByID: the running guest with that number; `NO_DOMAIN` where there is none. */
  domainLookupByID(id: number, options?: CallOptions): Promise<Domain>;
  /**
   * virDomainDefineXML: defines a guest, or redefines the one with the same name and UUID; it is not started.
   * `OPERATION_FAILED` where another guest has the name or the UUID.
   */
  domainDefineXML(xml: string, options?: CallOptions): Promise<Domain>;
  /**
   * virDomainDefineXMLFlags: as {@link domainDefineXML}; `VALIDATE` holds the document against libvirt's schema
   * (`XML_INVALID_SCHEMA`).
   */
  domainDefineXMLFlags(xml: string, flags?: FlagsArg<'DomainDefineFlags'>): Promise<Domain>;
  /**
   * virDomainCreateXML: starts a guest that is not defined: gone when it ends. `OPERATION_INVALID` where it runs
   * already, `OPERATION_FAILED` where another guest has the name or the UUID.
   */
  domainCreateXML(xmlDesc: string, flags?: FlagsArg<'DomainCreateFlags'>): Promise<Domain>;
  /** virDomainRestore: starts a guest from a file that `save` wrote. */
  domainRestore(from: string, options?: CallOptions): Promise<void>;
  /** virDomainRestoreFlags: as {@link domainRestore}; `dxml` in place of the saved definition, null: that one. */
  domainRestoreFlags(from: string, dxml: string | null, flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  /** virDomainRestoreParams: as {@link domainRestoreFlags}, by typed parameters. `INVALID_ARG` without a file. */
  domainRestoreParams(params: RestoreParams, flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  /**
   * virDomainSaveImageGetXMLDesc: the definition that a saved file carries; `SECURE` shows passwords, and wants a
   * writable connection (`OPERATION_DENIED`).
   */
  domainSaveImageGetXMLDesc(file: string, flags?: FlagsArg<'DomainSaveImageXMLFlags'>): Promise<string>;
  /** virDomainSaveImageDefineXML: changes the definition that a saved file carries. */
  domainSaveImageDefineXML(file: string, dxml: string, flags?: FlagsArg<'DomainSaveRestoreFlags'>): Promise<void>;
  /** virDomainCreateLinux: the old name of {@link domainCreateXML}. */
  domainCreateLinux(xmlDesc: string, flags?: FlagsArg<'DomainCreateFlags'>): Promise<Domain>;
  /** virDomainCreateXMLWithFiles: with file descriptors of this process; containers only, and local connections. */
  domainCreateXMLWithFiles(
    xmlDesc: string,
    files: readonly number[],
    flags?: FlagsArg<'DomainCreateFlags'>,
  ): Promise<Domain>;
  /**
   * virDomainQemuAttach: takes over a QEMU that somebody else started, by its pid. libvirt 5.5 and later: `NO_SUPPORT`.
   */
  domainQemuAttach(pidValue: number, flags?: FlagsArg<never>): Promise<Domain>;
  /**
   * virConnectGetAllDomainStats: `stats` are bits of `DomainStatsTypes`; 0, the default: all. Units as of
   * {@link DomainStats}.
   */
  getAllDomainStats(
    stats?: Flags<'DomainStatsTypes'> | null,
    flags?: FlagsArg<'ConnectGetAllDomainStatsFlags'>,
  ): Promise<DomainStats[]>;
  /** virDomainListGetStats: of these guests only. Units as of {@link DomainStats}. */
  domainListGetStats(
    doms: readonly Domain[],
    stats?: Flags<'DomainStatsTypes'> | null,
    flags?: FlagsArg<'ConnectGetAllDomainStatsFlags'>,
  ): Promise<DomainStats[]>;

  /** virStreamNew: a stream that nothing is connected to yet. */
  streamNew(flags?: FlagsArg<'StreamFlags'>): Promise<Stream>;

  // ---- storage ----
  /** virConnectListAllStoragePools: the pools that the flags choose; none: all of them. */
  listAllStoragePools(flags?: FlagsArg<'ConnectListAllStoragePoolsFlags'>): Promise<StoragePool[]>;
  /** virStoragePoolLookupByName: the pool of that name; `NO_STORAGE_POOL` where there is none. */
  storagePoolLookupByName(name: string, options?: CallOptions): Promise<StoragePool>;
  /** virStoragePoolLookupByUUIDString: the pool with that UUID; `NO_STORAGE_POOL` where there is none. */
  storagePoolLookupByUUIDString(uuidstr: string, options?: CallOptions): Promise<StoragePool>;
  /** virStoragePoolLookupByTargetPath: the pool at that path; `NO_STORAGE_POOL` where there is none. */
  storagePoolLookupByTargetPath(path: string, options?: CallOptions): Promise<StoragePool>;
  /** virStoragePoolCreateXML: starts a pool that is not defined: gone when it stops. */
  storagePoolCreateXML(xmlDesc: string, flags?: FlagsArg<'StoragePoolCreateFlags'>): Promise<StoragePool>;
  /**
   * virStoragePoolDefineXML: defines a pool; it is not started. `OPERATION_FAILED` where another has the name, the UUID
   * or the source.
   */
  storagePoolDefineXML(xml: string, flags?: FlagsArg<'StoragePoolDefineFlags'>): Promise<StoragePool>;
  /** virStorageVolLookupByPath: the volume at that path of any active pool; `NO_STORAGE_VOL` where there is none. */
  storageVolLookupByPath(path: string, options?: CallOptions): Promise<StorageVol>;
  /** virStorageVolLookupByKey: the volume with that key of any active pool; `NO_STORAGE_VOL` where there is none. */
  storageVolLookupByKey(key: string, options?: CallOptions): Promise<StorageVol>;
  /** virConnectNumOfStoragePools: how many pools are active. */
  numOfStoragePools(options?: CallOptions): Promise<number>;
  /** virConnectNumOfDefinedStoragePools: how many pools are defined and not active. */
  numOfDefinedStoragePools(options?: CallOptions): Promise<number>;
  /** virConnectListStoragePools: the names of the active pools. */
  listStoragePools(options?: CallOptions): Promise<string[]>;
  /** virConnectListDefinedStoragePools: the names of the pools that are defined and not active. */
  listDefinedStoragePools(options?: CallOptions): Promise<string[]>;
  /**
   * virConnectFindStoragePoolSources: what pools of this type could be made of, as XML; `NO_SUPPORT` of types that
   * cannot be searched for.
   */
  findStoragePoolSources(type: string, srcSpec?: string | null, flags?: FlagsArg<never>): Promise<string>;
  /**
   * virConnectGetStoragePoolCapabilities: which kinds of pools this host has: a `<storagepoolCapabilities>`
   * document.
   */
  getStoragePoolCapabilities(flags?: FlagsArg<never>): Promise<string>;
  /** virStoragePoolLookupByUUID: the pool with these 16 bytes; `NO_STORAGE_POOL` where there is none. */
  storagePoolLookupByUUID(uuid: Uint8Array, options?: CallOptions): Promise<StoragePool>;

  // ---- networks ----
  /** virConnectListAllNetworks: the networks that the flags choose; none: all of them. */
  listAllNetworks(flags?: FlagsArg<'ConnectListAllNetworksFlags'>): Promise<Network[]>;
  /** virConnectNumOfNetworks: how many networks are active. */
  numOfNetworks(options?: CallOptions): Promise<number>;
  /** virConnectNumOfDefinedNetworks: how many networks are defined and not active. */
  numOfDefinedNetworks(options?: CallOptions): Promise<number>;
  /** virConnectListNetworks: the names of the active networks. */
  listNetworks(options?: CallOptions): Promise<string[]>;
  /** virConnectListDefinedNetworks: the names of the networks that are defined and not active. */
  listDefinedNetworks(options?: CallOptions): Promise<string[]>;
  /** virNetworkLookupByName: the network of that name; `NO_NETWORK` where there is none. */
  networkLookupByName(name: string, options?: CallOptions): Promise<Network>;
  /** virNetworkLookupByUUID: the network with these 16 bytes; `NO_NETWORK` where there is none. */
  networkLookupByUUID(uuid: Uint8Array, options?: CallOptions): Promise<Network>;
  /** virNetworkLookupByUUIDString: the network with that UUID; `NO_NETWORK` where there is none. */
  networkLookupByUUIDString(uuidstr: string, options?: CallOptions): Promise<Network>;
  /**
   * virNetworkDefineXML: defines a network, or redefines the one with the same name and UUID; it is not started.
   * `OPERATION_FAILED` where another has the name or the UUID.
   */
  networkDefineXML(xml: string, options?: CallOptions): Promise<Network>;
  /**
   * virNetworkDefineXMLFlags: as {@link networkDefineXML}; `VALIDATE` holds the document against libvirt's schema
   * (`XML_INVALID_SCHEMA`).
   */
  networkDefineXMLFlags(xml: string, flags?: FlagsArg<'NetworkDefineFlags'>): Promise<Network>;
  /** virNetworkCreateXML: a network that is gone once it stops. */
  networkCreateXML(xmlDesc: string, options?: CallOptions): Promise<Network>;
  /**
   * virNetworkCreateXMLFlags: as {@link networkCreateXML}; `VALIDATE` holds the document against libvirt's schema
   * (`XML_INVALID_SCHEMA`).
   */
  networkCreateXMLFlags(xmlDesc: string, flags?: FlagsArg<'NetworkCreateFlags'>): Promise<Network>;

  // ---- interfaces of the host ----
  /** virConnectListAllInterfaces: the host's interfaces that the flags choose; none: all of them. */
  listAllInterfaces(flags?: FlagsArg<'ConnectListAllInterfacesFlags'>): Promise<Interface[]>;
  /** virConnectNumOfInterfaces: how many of the host's interfaces are active. */
  numOfInterfaces(options?: CallOptions): Promise<number>;
  /** virConnectNumOfDefinedInterfaces: how many of the host's interfaces are defined and not active. */
  numOfDefinedInterfaces(options?: CallOptions): Promise<number>;
  /** virConnectListInterfaces: the names of the host's active interfaces. */
  listInterfaces(options?: CallOptions): Promise<string[]>;
  /** virConnectListDefinedInterfaces: the names of the host's interfaces that are defined and not active. */
  listDefinedInterfaces(options?: CallOptions): Promise<string[]>;
  /** virInterfaceLookupByName: the host's interface of that name; `NO_INTERFACE` where there is none. */
  interfaceLookupByName(name: string, options?: CallOptions): Promise<Interface>;
  /**
   * virInterfaceLookupByMACString: the host's interface with that address; `NO_INTERFACE` where none has it,
   * `MULTIPLE_INTERFACES` where several have.
   */
  interfaceLookupByMACString(macstr: string, options?: CallOptions): Promise<Interface>;
  /**
   * virInterfaceDefineXML: defines an interface of the host, or redefines it; it is not started. `NO_SUPPORT` of a
   * libvirt without netcf.
   */
  interfaceDefineXML(xml: string, flags?: FlagsArg<'InterfaceDefineFlags'>): Promise<Interface>;
  /**
   * virInterfaceChangeBegin: a point to which {@link interfaceChangeRollback} takes all interfaces back.
   * `OPERATION_INVALID` where one was begun, `NO_SUPPORT` of a libvirt without netcf.
   */
  interfaceChangeBegin(flags?: FlagsArg<never>): Promise<void>;
  /**
   * virInterfaceChangeCommit: keeps what was changed since {@link interfaceChangeBegin}. `OPERATION_INVALID` where
   * nothing was begun.
   */
  interfaceChangeCommit(flags?: FlagsArg<never>): Promise<void>;
  /**
   * virInterfaceChangeRollback: takes back what was changed since {@link interfaceChangeBegin}. `OPERATION_INVALID`
   * where nothing was begun.
   */
  interfaceChangeRollback(flags?: FlagsArg<never>): Promise<void>;

  // ---- devices of the host ----
  /** virConnectListAllNodeDevices: the host's devices that the flags choose; none: all of them. */
  listAllNodeDevices(flags?: FlagsArg<'ConnectListAllNodeDeviceFlags'>): Promise<NodeDevice[]>;
  /** virNodeNumOfDevices: how many of the host's devices have this capability; null: how many there are. */
  nodeNumOfDevices(cap?: string | null, flags?: FlagsArg<never>): Promise<number>;
  /** virNodeListDevices: the names of the host's devices with a capability; null: all. */
  nodeListDevices(cap?: string | null, flags?: FlagsArg<never>): Promise<string[]>;
  /** virNodeDeviceLookupByName: the host's device of that name; `NO_NODE_DEVICE` where there is none. */
  nodeDeviceLookupByName(name: string, options?: CallOptions): Promise<NodeDevice>;
  /** virNodeDeviceLookupSCSIHostByWWN: the SCSI host with these names; `NO_NODE_DEVICE` where there is none. */
  nodeDeviceLookupSCSIHostByWWN(wwnn: string, wwpn: string, flags?: FlagsArg<never>): Promise<NodeDevice>;
  /** virNodeDeviceCreateXML: makes a device that is not defined, such as a virtual SCSI host or a mediated device. */
  nodeDeviceCreateXML(xmlDesc: string, flags?: FlagsArg<'NodeDeviceCreateXMLFlags'>): Promise<NodeDevice>;
  /** virNodeDeviceDefineXML: defines a mediated device; it is not started. */
  nodeDeviceDefineXML(xmlDesc: string, flags?: FlagsArg<'NodeDeviceDefineXMLFlags'>): Promise<NodeDevice>;

  // ---- network filters ----
  /** virConnectListAllNWFilters: every network filter. */
  listAllNWFilters(flags?: FlagsArg<never>): Promise<NWFilter[]>;
  /** virConnectNumOfNWFilters: how many network filters there are. */
  numOfNWFilters(options?: CallOptions): Promise<number>;
  /** virConnectListNWFilters: the names of the network filters. */
  listNWFilters(options?: CallOptions): Promise<string[]>;
  /** virNWFilterLookupByName: the filter of that name; `NO_NWFILTER` where there is none. */
  nwFilterLookupByName(name: string, options?: CallOptions): Promise<NWFilter>;
  /** virNWFilterLookupByUUID: the filter with these 16 bytes; `NO_NWFILTER` where there is none. */
  nwFilterLookupByUUID(uuid: Uint8Array, options?: CallOptions): Promise<NWFilter>;
  /** virNWFilterLookupByUUIDString: the filter with that UUID; `NO_NWFILTER` where there is none. */
  nwFilterLookupByUUIDString(uuidstr: string, options?: CallOptions): Promise<NWFilter>;
  /**
   * virNWFilterDefineXML: defines a filter, or redefines it: guests that use it follow at once. `OPERATION_FAILED`
   * where another has the name or the UUID, or filters would call each other in a circle.
   */
  nwFilterDefineXML(xmlDesc: string, options?: CallOptions): Promise<NWFilter>;
  /**
   * virNWFilterDefineXMLFlags: as {@link nwFilterDefineXML}; `VALIDATE` holds the document against libvirt's schema
   * (`XML_INVALID_SCHEMA`).
   */
  nwFilterDefineXMLFlags(xmlDesc: string, flags?: FlagsArg<'NWFilterDefineFlags'>): Promise<NWFilter>;
  /** virConnectListAllNWFilterBindings: every port that a filter is bound to. */
  listAllNWFilterBindings(flags?: FlagsArg<never>): Promise<NWFilterBinding[]>;
  /** virNWFilterBindingLookupByPortDev: the binding of that port; `NO_NWFILTER_BINDING` where there is none. */
  nwFilterBindingLookupByPortDev(portdev: string, options?: CallOptions): Promise<NWFilterBinding>;
  /** virNWFilterBindingCreateXML: binds a filter to a port that exists; `OPERATION_FAILED` where one is bound to it. */
  nwFilterBindingCreateXML(xml: string, flags?: FlagsArg<'NWFilterBindingCreateFlags'>): Promise<NWFilterBinding>;

  // ---- secrets ----
  /** virConnectListAllSecrets: the secrets that the flags choose; none: all of them. */
  listAllSecrets(flags?: FlagsArg<'ConnectListAllSecretsFlags'>): Promise<Secret[]>;
  /** virConnectNumOfSecrets: how many secrets there are. */
  numOfSecrets(options?: CallOptions): Promise<number>;
  /** virConnectListSecrets: their UUIDs. */
  listSecrets(options?: CallOptions): Promise<string[]>;
  /** virSecretLookupByUUID: the secret with these 16 bytes; `NO_SECRET` where there is none. */
  secretLookupByUUID(uuid: Uint8Array, options?: CallOptions): Promise<Secret>;
  /** virSecretLookupByUUIDString: the secret with that UUID; `NO_SECRET` where there is none. */
  secretLookupByUUIDString(uuidstr: string, options?: CallOptions): Promise<Secret>;
  /** virSecretLookupByUsage: the secret for that use; `NO_SECRET` where there is none. */
  secretLookupByUsage(usageType: SecretUsageType, usageID: string, options?: CallOptions): Promise<Secret>;
  /** virSecretDefineXML: defines a secret, or redefines it; its value is set apart. */
  secretDefineXML(xml: string, flags?: FlagsArg<'SecretDefineFlags'>): Promise<Secret>;
}

/**
 * How long close() lets calls in flight run before it abandons them; and how much longer the close itself may take: a host
 * that does not answer is cut off before that, a driver in this process cannot be.
 */
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
   * connection, and closes; virConnectClose. A host that does not answer to that within 2 s is cut off: its socket is shut
   * down, so afterwards no socket and no thread is left, whatever the host does (over ssh, when ssh has ended; not of a second
   * copy of this package in one process). Closing twice is the same as once. Rejects with `NO_MEMORY` where the system
   * refuses the thread that closes: the connection is open then, and may be closed again.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close().catch((error) => {
      this.#closing = undefined;
      throw error;
    });
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
