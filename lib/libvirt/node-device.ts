// virNodeDevice: a device of the host.
import { Handle, handleClass } from './handle';
import type { CallOptions, FlagsArg } from './options';

/** A device of the host. */
export interface NodeDevice {
  /** virNodeDeviceGetName. Read from the handle, synchronously. */
  getName(): string;
  /** virNodeDeviceGetParent: its parent's name. Asked of the host; fails for the device that has none. */
  getParent(options?: CallOptions): Promise<string>;
  getXMLDesc(flags?: FlagsArg<never>): Promise<string>;
  numOfCaps(options?: CallOptions): Promise<number>;
  /** virNodeDeviceListCaps: what it can do, such as `pci` or `net`. */
  listCaps(options?: CallOptions): Promise<string[]>;
  isActive(options?: CallOptions): Promise<boolean>;
  isPersistent(options?: CallOptions): Promise<boolean>;
  /** virNodeDeviceGetAutostart: 1: it starts with the host or with its parent. */
  getAutostart(options?: CallOptions): Promise<number>;
  setAutostart(autostart: number, options?: CallOptions): Promise<void>;
  /** virNodeDeviceCreate: starts a defined device. */
  create(flags?: FlagsArg<never>): Promise<void>;
  destroy(options?: CallOptions): Promise<void>;
  undefine(flags?: FlagsArg<never>): Promise<void>;
  /** virNodeDeviceDettach: takes it from the host's driver, for a guest. */
  dettach(options?: CallOptions): Promise<void>;
  /** virNodeDeviceDetachFlags: `driverName` null: the hypervisor's default, such as vfio. */
  detachFlags(driverName?: string | null, flags?: FlagsArg<never>): Promise<void>;
  /** virNodeDeviceReAttach: gives it back to the host's driver. */
  reAttach(options?: CallOptions): Promise<void>;
  reset(options?: CallOptions): Promise<void>;
}

/** A device of the host. Made by the lookups of a connection. */
export class NodeDevice extends Handle {
  private constructor(...made: ConstructorParameters<typeof Handle>) {
    super(...made);
  }
  static {
    handleClass('NodeDevice', NodeDevice, (...made) => new NodeDevice(...made));
  }
}
