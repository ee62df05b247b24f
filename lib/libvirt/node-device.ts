// virNodeDevice: a device of the host.
import type { DomainEvents, EventNameOf } from './events';
import { Handle, handleClass } from './handle';
import type { CallOptions, FlagsArg } from './options';
import type { OwnSubscribeOptions, Subscription } from './subscription';

/** A device of the host. What its members ask of libvirt rejects with `NO_NODE_DEVICE` where it is gone. */
export interface NodeDevice {
  /** virNodeDeviceGetName: its name. Read from the handle, synchronously. */
  getName(): string;
  /** virNodeDeviceGetParent: its parent's name. Asked of the host; `INTERNAL_ERROR` of the device that has none. */
  getParent(options?: CallOptions): Promise<string>;
  /** virNodeDeviceGetXMLDesc: its `<device>`; `INACTIVE`, libvirt 10.1 and later: as it is defined. */
  getXMLDesc(flags?: FlagsArg<'NodeDeviceXMLFlags'>): Promise<string>;
  /** virNodeDeviceNumOfCaps: how many capabilities it has. */
  numOfCaps(options?: CallOptions): Promise<number>;
  /** virNodeDeviceListCaps: what it can do, such as `pci` or `net`. */
  listCaps(options?: CallOptions): Promise<string[]>;
  /** virNodeDeviceIsActive: whether it is there now. */
  isActive(options?: CallOptions): Promise<boolean>;
  /** virNodeDeviceIsPersistent: whether it is defined: it stays when it is stopped. */
  isPersistent(options?: CallOptions): Promise<boolean>;
  /** virNodeDeviceGetAutostart: 1: it starts with the host or with its parent. */
  getAutostart(options?: CallOptions): Promise<number>;
  /**
   * virNodeDeviceSetAutostart: 1: start it with the host or with its parent. Mediated devices alone
   * (`OPERATION_UNSUPPORTED`), and defined ones (`OPERATION_INVALID`).
   */
  setAutostart(autostart: number, options?: CallOptions): Promise<void>;
  /** virNodeDeviceCreate: starts a defined device; `OPERATION_INVALID` where it is started. */
  create(flags?: FlagsArg<never>): Promise<void>;
  /**
   * virNodeDeviceDestroy: takes a device away that was made: a virtual SCSI host, a mediated device.
   * `OPERATION_INVALID` where it is not there now.
   */
  destroy(options?: CallOptions): Promise<void>;
  /** virNodeDeviceUndefine: forgets its definition; `OPERATION_INVALID` where it has none. */
  undefine(flags?: FlagsArg<never>): Promise<void>;
  /** virNodeDeviceDettach: takes it from the host's driver, for a guest. */
  dettach(options?: CallOptions): Promise<void>;
  /** virNodeDeviceDetachFlags: `driverName` null: the hypervisor's default, such as vfio. */
  detachFlags(driverName?: string | null, flags?: FlagsArg<never>): Promise<void>;
  /** virNodeDeviceReAttach: gives it back to the host's driver. */
  reAttach(options?: CallOptions): Promise<void>;
  /** virNodeDeviceReset: resets the device; no guest may have it. */
  reset(options?: CallOptions): Promise<void>;
  /** virNodeDeviceUpdate: changes a mediated device to what `xmlDesc` says, live or in its definition. libvirt 10.1 and later. */
  update(xmlDesc: string, flags?: FlagsArg<'NodeDeviceUpdateFlags'>): Promise<void>;
}

/** A device of the host. Made by the lookups of a connection. */
export class NodeDevice extends Handle {
  private constructor(...made: ConstructorParameters<typeof Handle>) {
    super(...made);
  }
  static {
    handleClass('NodeDevice', NodeDevice, (...made) => new NodeDevice(...made));
  }

  /**
   * {@link Connection.subscribe} to what happens to this device alone.
   */
  subscribe<Name extends EventNameOf<'device'>>(
    event: Name,
    options: OwnSubscribeOptions = {},
  ): Promise<Subscription<DomainEvents[Name]>> {
    return this.connection.subscribe(event, { ...options, device: this });
  }
}
