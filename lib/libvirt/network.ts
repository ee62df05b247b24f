// virNetwork: a virtual network.
import type { NetworkUpdateCommand, NetworkUpdateSection } from './generated/constants';
import { Handle, handleClass } from './handle';
import type { NetworkPort } from './network-port';
import type { CallOptions, FlagsArg } from './options';

/** An address that a network's DHCP server has given out. */
export interface NetworkDHCPLease {
  /** The bridge. */
  iface: string;
  /** Seconds since the epoch. */
  expirytime: bigint;
  /** One of `IPAddrType`. */
  type: number;
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

/** A virtual network. */
export interface Network {
  /** virNetworkGetName. Read from the handle, synchronously. */
  getName(): string;
  /** virNetworkGetUUID: 16 bytes. Read from the handle, synchronously. */
  getUUID(): Uint8Array;
  /** virNetworkGetUUIDString. Read from the handle, synchronously. */
  getUUIDString(): string;
  getXMLDesc(flags?: FlagsArg<'NetworkXMLFlags'>): Promise<string>;
  /** virNetworkGetBridgeName: the host's interface. Fails for a network that has none. */
  getBridgeName(options?: CallOptions): Promise<string>;
  /** virNetworkGetAutostart: 1: it starts with the daemon. */
  getAutostart(options?: CallOptions): Promise<number>;
  setAutostart(autostart: number, options?: CallOptions): Promise<void>;
  isActive(options?: CallOptions): Promise<boolean>;
  isPersistent(options?: CallOptions): Promise<boolean>;
  /** virNetworkCreate: starts a defined network. */
  create(options?: CallOptions): Promise<void>;
  /** virNetworkDestroy: stops it; guests on it lose their link. The definition stays. */
  destroy(options?: CallOptions): Promise<void>;
  undefine(options?: CallOptions): Promise<void>;
  /**
   * virNetworkUpdate: changes one section of the definition, live where libvirt can. `parentIndex`: which of several
   * parents, counted from 0; -1: the only one, or the last.
   */
  update(
    command: NetworkUpdateCommand,
    section: NetworkUpdateSection,
    parentIndex: number,
    xml: string,
    flags?: FlagsArg<'NetworkUpdateFlags'>,
  ): Promise<void>;
  /** virNetworkGetDHCPLeases: of one MAC address, or null: all. */
  getDHCPLeases(mac?: string | null, flags?: FlagsArg<never>): Promise<NetworkDHCPLease[]>;
  listAllPorts(flags?: FlagsArg<never>): Promise<NetworkPort[]>;
  portLookupByUUID(uuid: Uint8Array, options?: CallOptions): Promise<NetworkPort>;
  portLookupByUUIDString(uuidstr: string, options?: CallOptions): Promise<NetworkPort>;
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
}
