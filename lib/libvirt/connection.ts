// virConnect: a connection to a hypervisor's driver, in this process or on any host.
import type { Domain, DomainStats } from './domain';
import type { DomainEvents } from './events';
import { handleClass, NativeObject } from './handle';
import type { CallOptions, FlagsArg } from './options';
import type { StoragePool } from './storage-pool';
import type { StorageVol } from './storage-vol';
import type { SubscribeOptions, Subscription } from './subscription';

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

/** Why a connection has ended: virConnectCloseReason. `'client'`: by us. */
export type CloseReason = 'client' | 'eof' | 'error' | 'keepalive';

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

  // ---- guests ----
  numOfDomains(options?: CallOptions): Promise<number>;
  numOfDefinedDomains(options?: CallOptions): Promise<number>;
  listAllDomains(flags?: FlagsArg<'ConnectListAllDomainsFlags'>): Promise<Domain[]>;
  domainLookupByName(name: string, options?: CallOptions): Promise<Domain>;
  domainLookupByUUID(uuid: Uint8Array, options?: CallOptions): Promise<Domain>;
  domainLookupByUUIDString(uuid: string, options?: CallOptions): Promise<Domain>;
  domainLookupByID(id: number, options?: CallOptions): Promise<Domain>;
  domainDefineXML(xml: string, options?: CallOptions): Promise<Domain>;
  domainDefineXMLFlags(xml: string, flags?: FlagsArg<'DomainDefineFlags'>): Promise<Domain>;
  domainCreateXML(xmlDesc: string, flags?: FlagsArg<'DomainCreateFlags'>): Promise<Domain>;
  domainRestore(from: string, options?: CallOptions): Promise<void>;
  /** virConnectGetAllDomainStats: `stats` are bits of `DomainStatsTypes`; 0, the default: all. */
  getAllDomainStats(stats?: number, flags?: FlagsArg<'ConnectGetAllDomainStatsFlags'>): Promise<DomainStats[]>;
  /** virDomainListGetStats: of these guests only. */
  domainListGetStats(
    domains: readonly Domain[],
    stats?: number,
    flags?: FlagsArg<'ConnectGetAllDomainStatsFlags'>,
  ): Promise<DomainStats[]>;

  // ---- storage ----
  listAllStoragePools(flags?: FlagsArg<'ConnectListAllStoragePoolsFlags'>): Promise<StoragePool[]>;
  storagePoolLookupByName(name: string, options?: CallOptions): Promise<StoragePool>;
  storagePoolLookupByUUIDString(uuid: string, options?: CallOptions): Promise<StoragePool>;
  storagePoolLookupByTargetPath(path: string, options?: CallOptions): Promise<StoragePool>;
  storagePoolCreateXML(xmlDesc: string, flags?: FlagsArg<'StoragePoolCreateFlags'>): Promise<StoragePool>;
  storagePoolDefineXML(xml: string, flags?: FlagsArg<'StoragePoolDefineFlags'>): Promise<StoragePool>;
  storageVolLookupByPath(path: string, options?: CallOptions): Promise<StorageVol>;
  storageVolLookupByKey(key: string, options?: CallOptions): Promise<StorageVol>;
}

/** A connection. Made by {@link connect}. */
export class Connection extends NativeObject implements AsyncDisposable {
  private constructor(native: ConstructorParameters<typeof NativeObject>[0]) {
    super(native);
  }
  static {
    handleClass('Connection', Connection, (native) => new Connection(native));
  }

  /** Resolves, never rejects, when the connection has ended, by us or not. */
  get closed(): Promise<CloseReason> {
    throw new Error('not yet');
  }

  /**
   * Refuses new calls, lets those in flight end (those that hang are abandoned after 10 s), releases every handle of this
   * connection, and closes: afterwards no socket is left. Closing twice is the same as once.
   */
  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Subscribes to one kind of event; virConnectDomainEventRegisterAny. */
  subscribe<Name extends keyof DomainEvents>(
    _event: Name,
    _options?: SubscribeOptions,
  ): Promise<Subscription<DomainEvents[Name]>> {
    return Promise.reject(new Error('not yet'));
  }
}
