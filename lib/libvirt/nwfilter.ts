// virNWFilter: rules for the traffic of guests.
import { Handle, handleClass } from './handle';
import type { CallOptions, FlagsArg } from './options';

/** A network filter. What its members ask of libvirt rejects with `NO_NWFILTER` where it is gone. */
export interface NWFilter {
  /** virNWFilterGetName: its name. Read from the handle, synchronously. */
  getName(): string;
  /** virNWFilterGetUUID: 16 bytes. Read from the handle, synchronously. */
  getUUID(): Uint8Array;
  /** virNWFilterGetUUIDString: its UUID as text. Read from the handle, synchronously. */
  getUUIDString(): string;
  /** virNWFilterGetXMLDesc: its `<filter>`. */
  getXMLDesc(flags?: FlagsArg<never>): Promise<string>;
  /** virNWFilterUndefine: removes it; `OPERATION_INVALID` while a guest uses it. */
  undefine(options?: CallOptions): Promise<void>;
}

/** A network filter. Made by the lookups of a connection. */
export class NWFilter extends Handle {
  private constructor(...made: ConstructorParameters<typeof Handle>) {
    super(...made);
  }
  static {
    handleClass('NWFilter', NWFilter, (...made) => new NWFilter(...made));
  }
}
