// virConnect: a connection to a hypervisor's driver, in this process or on any host.
import { native, type RawHandle } from '../native';
import { call } from './call';
import type { CloseReason, CloseSignal } from './close-signal';
import type { Domain, DomainStats } from './domain';
import type { DomainEvents } from './events';
import { ConnectCloseReason } from './generated/constants';
import { handleClass, NativeObject, raw } from './handle';
import type { CallOptions, FlagsArg } from './options';
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
