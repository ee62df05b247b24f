// virNetworkPort: where a guest’s interface is plugged into a network.
import type { BandwidthParameters } from './bandwidth';
import { Handle, handleClass, owner } from './handle';
import type { Network } from './network';
import type { FlagsArg } from './options';
import type { BandwidthTold } from './told';

/** virNetworkPortSetParameters' typed parameters. */
export type NetworkPortParameters = BandwidthParameters;

/**
 * A port of a network. What its members ask of libvirt rejects with `NO_NETWORK_PORT` where it is gone, and with
 * `OPERATION_INVALID` where the network does not run.
 */
export interface NetworkPort {
  /** virNetworkPortGetUUID: 16 bytes. Read from the handle, synchronously. */
  getUUID(): Uint8Array;
  /** virNetworkPortGetUUIDString: its UUID as text. Read from the handle, synchronously. */
  getUUIDString(): string;
  /** virNetworkPortGetXMLDesc: its `<networkport>`. */
  getXMLDesc(flags?: FlagsArg<never>): Promise<string>;
  /** virNetworkPortGetParameters: bandwidths in kB/s, by name; 0: no limit. */
  getParameters(flags?: FlagsArg<never>): Promise<BandwidthTold>;
  /** virNetworkPortSetParameters: changes bandwidths, in kB/s. */
  setParameters(params: NetworkPortParameters, flags?: FlagsArg<never>): Promise<void>;
  /** virNetworkPortDelete: removes it; what used it loses its link. */
  delete(flags?: FlagsArg<never>): Promise<void>;
}

/** A port of a network. Made by the lookups of a network. */
export class NetworkPort extends Handle {
  private constructor(...made: ConstructorParameters<typeof Handle>) {
    super(...made);
  }
  static {
    handleClass('NetworkPort', NetworkPort, (...made) => new NetworkPort(...made));
  }

  /** The network that it belongs to: virNetworkPortGetNetwork. */
  get network(): Network {
    return this[owner] as Network;
  }
}
