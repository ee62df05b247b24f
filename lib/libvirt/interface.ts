// virInterface: a network interface of the host.
import { Handle, handleClass } from './handle';
import type { CallOptions, FlagsArg } from './options';

/**
 * A network interface of the host. What its members ask of libvirt rejects with `NO_INTERFACE` where it is gone; what
 * changes it with `NO_SUPPORT` of a libvirt without netcf.
 */
export interface Interface {
  /** virInterfaceGetName: its name. Read from the handle, synchronously. */
  getName(): string;
  /** virInterfaceGetMACString: its MAC address. Read from the handle, synchronously. */
  getMACString(): string;
  /** virInterfaceGetXMLDesc: its `<interface>`; `INACTIVE`: as it is configured. */
  getXMLDesc(flags?: FlagsArg<'InterfaceXMLFlags'>): Promise<string>;
  /** virInterfaceIsActive: whether it is up. */
  isActive(options?: CallOptions): Promise<boolean>;
  /** virInterfaceCreate: brings it up; `OPERATION_INVALID` where it is. */
  create(flags?: FlagsArg<never>): Promise<void>;
  /** virInterfaceDestroy: takes it down; the definition stays. `OPERATION_INVALID` where it is down. */
  destroy(flags?: FlagsArg<never>): Promise<void>;
  /** virInterfaceUndefine: forgets its configuration. */
  undefine(options?: CallOptions): Promise<void>;
}

/** A network interface of the host. Made by the lookups of a connection. */
export class Interface extends Handle {
  private constructor(...made: ConstructorParameters<typeof Handle>) {
    super(...made);
  }
  static {
    handleClass('Interface', Interface, (...made) => new Interface(...made));
  }
}
