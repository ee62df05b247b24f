// virNWFilterBinding: a filter at work on one port.
import { Handle, handleClass } from './handle';
import type { CallOptions, FlagsArg } from './options';

/**
 * A network filter at work on one port of a guest. What its members ask of libvirt rejects with `NO_NWFILTER_BINDING`
 * where it is gone.
 */
export interface NWFilterBinding {
  /** virNWFilterBindingGetPortDev: the host's interface. Read from the handle, synchronously. */
  getPortDev(): string;
  /** virNWFilterBindingGetFilterName: the name of its filter. Read from the handle, synchronously. */
  getFilterName(): string;
  /** virNWFilterBindingGetXMLDesc: its `<filterbinding>`. */
  getXMLDesc(flags?: FlagsArg<never>): Promise<string>;
  /** virNWFilterBindingDelete: lets go of the port: nothing is filtered any more. */
  delete(options?: CallOptions): Promise<void>;
}

/** A network filter at work on one port. Made by the lookups of a connection. */
export class NWFilterBinding extends Handle {
  private constructor(...made: ConstructorParameters<typeof Handle>) {
    super(...made);
  }
  static {
    handleClass('NWFilterBinding', NWFilterBinding, (...made) => new NWFilterBinding(...made));
  }
}
