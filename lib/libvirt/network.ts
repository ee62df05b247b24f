// virNetwork: a virtual network.
import type { DomainEvents, EventNameOf } from './events';
import type {
  IPAddrType,
  NetworkMetadataType,
  NetworkUpdateCommand,
  NetworkUpdateSection,
} from './generated/constants';
import { Handle, handleClass } from './handle';
import type { NetworkPort } from './network-port';
import type { CallOptions, FlagsArg } from './options';
import type { OwnSubscribeOptions, Subscription } from './subscription';

/** An address that a network's DHCP server has given out. */
export interface NetworkDHCPLease {
  /** The bridge. */
  iface: string;
  /** Seconds since the epoch; 0: without end. */
  expirytime: bigint;
  type: IPAddrType;
  mac: string | null;
  /** Of an IPv6 association. */
  iaid: string | null;
  ipaddr: string;
  /** Bits of the network's part. */
  prefix: number;
  hostname: string | null;
  /** DHCPv4's client id, DHCPv6's DUID. */
  clientid: string | null;
}

/**
 * A virtual network. What its members ask of libvirt rejects with `NO_NETWORK` where it is gone, and with
 * `OPERATION_INVALID` where it does not run but has to.
 */
export interface Network {
  /** virNetworkGetName: its name. Read from the handle, synchronously. */
  getName(): string;
  /** virNetworkGetUUID: 16 bytes. Read from the handle, synchronously. */
  getUUID(): Uint8Array;
  /** virNetworkGetUUIDString: its UUID as text. Read from the handle, synchronously. */
  getUUIDString(): string;
  /** virNetworkGetXMLDesc: its `<network>`; `INACTIVE`: as it is after the next start. */
  getXMLDesc(flags?: FlagsArg<'NetworkXMLFlags'>): Promise<string>;
  /** virNetworkGetBridgeName: the host's interface. Fails for a network that has none. */
  getBridgeName(options?: CallOptions): Promise<string>;
  /** virNetworkGetAutostart: 1: it starts with the daemon. */
  getAutostart(options?: CallOptions): Promise<number>;
  /** virNetworkSetAutostart: 1: start it with the daemon. `OPERATION_INVALID` of a transient one. */
  setAutostart(autostart: number, options?: CallOptions): Promise<void>;
  /** virNetworkIsActive: whether it runs. */
  isActive(options?: CallOptions): Promise<boolean>;
  /** virNetworkIsPersistent: whether it is defined: it stays when it stops. */
  isPersistent(options?: CallOptions): Promise<boolean>;
  /** virNetworkCreate: starts a defined network. `OPERATION_INVALID` where it runs. */
  create(options?: CallOptions): Promise<void>;
  /** virNetworkDestroy: stops it; guests on it lose their link. The definition stays. */
  destroy(options?: CallOptions): Promise<void>;
  /**
   * virNetworkUndefine: forgets its definition; a running network becomes transient. `OPERATION_INVALID` where it is
   * transient already.
   */
  undefine(options?: CallOptions): Promise<void>;
  /**
   * virNetworkGetMetadata: title, description, or the element that `uri` names; `uri` is null for the first two.
   * Rejects with `NO_NETWORK_METADATA` where there is none. libvirt 9.7 and later.
   */
  getMetadata(type: NetworkMetadataType, uri: string | null, flags?: FlagsArg<'NetworkUpdateFlags'>): Promise<string>;
  /**
   * virNetworkSetMetadata: null for `metadata` removes it; `key` is the prefix that libvirt gives the element's
   * namespace. libvirt 9.7 and later.
   */
  setMetadata(
    type: NetworkMetadataType,
    metadata: string | null,
    key: string | null,
    uri: string | null,
    flags?: FlagsArg<'NetworkUpdateFlags'>,
  ): Promise<void>;
  /**
   * virNetworkUpdate: changes one section of the definition, live where libvirt can. `parentIndex`: which of several
   * parents, counted from 0; -1: the only one, or the last. `OPERATION_INVALID` where what the flags name is not there:
   * the running network, or the definition.
   */
  update(
    command: NetworkUpdateCommand,
    section: NetworkUpdateSection,
    parentIndex: number,
    xml: string,
    flags?: FlagsArg<'NetworkUpdateFlags'>,
  ): Promise<void>;
  /** virNetworkGetDHCPLeases: of one MAC address, or null: all. `INVALID_MAC` where it is none. */
  getDHCPLeases(mac?: string | null, flags?: FlagsArg<never>): Promise<NetworkDHCPLease[]>;
  /** virNetworkListAllPorts: its ports: what is plugged in. */
  listAllPorts(flags?: FlagsArg<never>): Promise<NetworkPort[]>;
  /** virNetworkPortLookupByUUID: the port with these 16 bytes; `NO_NETWORK_PORT` where there is none. */
  portLookupByUUID(uuid: Uint8Array, options?: CallOptions): Promise<NetworkPort>;
  /** virNetworkPortLookupByUUIDString: the port with that UUID; `NO_NETWORK_PORT` where there is none. */
  portLookupByUUIDString(uuidstr: string, options?: CallOptions): Promise<NetworkPort>;
  /**
   * virNetworkPortCreateXML: makes a port; `VALIDATE` holds the document against libvirt's schema
   * (`XML_INVALID_SCHEMA`). `NETWORK_PORT_EXIST` where there is one with that UUID.
   */
  portCreateXML(xmldesc: string, flags?: FlagsArg<'NetworkPortCreateFlags'>): Promise<NetworkPort>;
}

/** A virtual network. Made by the lookups of a connection. */
export class Network extends Handle {
  private constructor(...made: ConstructorParameters<typeof Handle>) {
    super(...made);
  }
  static {
    handleClass('Network', Network, (...made) => new Network(...made));
  }

  /**
   * {@link Connection.subscribe} to what happens to this network alone.
   */
  subscribe<Name extends EventNameOf<'network'>>(
    event: Name,
    options: OwnSubscribeOptions = {},
  ): Promise<Subscription<DomainEvents[Name]>> {
    return this.connection.subscribe(event, { ...options, network: this });
  }
}
