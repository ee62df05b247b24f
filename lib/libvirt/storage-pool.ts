// virStoragePool: a place that volumes live in: a folder, a volume group, a Ceph pool.

import type { DomainEvents, EventNameOf } from './events';
import type { StoragePoolState } from './generated/constants';
import { Handle, handleClass } from './handle';
import type { CallOptions, FlagsArg } from './options';
import type { StorageVol } from './storage-vol';
import type { OwnSubscribeOptions, Subscription } from './subscription';

/** What {@link StoragePool.getInfo} gives, in bytes. */
export interface StoragePoolInfo {
  state: StoragePoolState;
  capacity: bigint;
  allocation: bigint;
  available: bigint;
}

/**
 * A storage pool. What its members ask of libvirt rejects with `NO_STORAGE_POOL` where it is gone, and with
 * `OPERATION_INVALID` where it is not active but has to be.
 */
export interface StoragePool {
  /** virStoragePoolGetName: its name. Read from the handle, synchronously. */
  getName(): string;
  /** virStoragePoolGetUUID: 16 bytes. Read from the handle, synchronously. */
  getUUID(): Uint8Array;
  /** virStoragePoolGetUUIDString: its UUID as text. Read from the handle, synchronously. */
  getUUIDString(): string;
  /** virStoragePoolGetXMLDesc: its `<pool>`; `INACTIVE`: as it is defined. */
  getXMLDesc(flags?: FlagsArg<'StorageXMLFlags'>): Promise<string>;
  /** virStoragePoolGetInfo: state, and bytes as they were at the last {@link refresh}. */
  getInfo(options?: CallOptions): Promise<StoragePoolInfo>;
  /** virStoragePoolIsActive: whether it is started. */
  isActive(options?: CallOptions): Promise<boolean>;
  /** virStoragePoolIsPersistent: whether it is defined: it stays when it is stopped. */
  isPersistent(options?: CallOptions): Promise<boolean>;
  /**
   * virStoragePoolCreate: starts a defined pool; with flags, builds it before. `OPERATION_INVALID` where it is active.
   */
  create(flags?: FlagsArg<'StoragePoolCreateFlags'>): Promise<void>;
  /** virStoragePoolRefresh: looks again at what is in the pool. */
  refresh(flags?: FlagsArg<never>): Promise<void>;
  /** virStoragePoolDestroy: stops the pool; its volumes stay. Of a logical pool it deactivates the volume group. */
  destroy(options?: CallOptions): Promise<void>;
  /** virStoragePoolUndefine: forgets its definition; its contents stay. `OPERATION_INVALID` while it is active. */
  undefine(options?: CallOptions): Promise<void>;
  /** virStoragePoolNumOfVolumes: how many volumes it had at the last {@link refresh}. */
  numOfVolumes(options?: CallOptions): Promise<number>;
  /**
   * virStoragePoolBuild: makes what the pool needs: a folder, a file system, a volume group. `OPERATION_INVALID` while
   * it is active.
   */
  build(flags?: FlagsArg<'StoragePoolBuildFlags'>): Promise<void>;
  /**
   * virStoragePoolDelete: destroys what the pool lies on, and all volumes with it. `OPERATION_INVALID` while it is
   * active, `NO_SUPPORT` of kinds that cannot.
   */
  delete(flags?: FlagsArg<'StoragePoolDeleteFlags'>): Promise<void>;
  /** virStoragePoolGetAutostart: 1: it starts with the daemon. */
  getAutostart(options?: CallOptions): Promise<number>;
  /** virStoragePoolSetAutostart: 1: start it with the daemon. */
  setAutostart(autostart: number, options?: CallOptions): Promise<void>;
  /** virStoragePoolListVolumes: the names of its volumes at the last {@link refresh}. */
  listVolumes(options?: CallOptions): Promise<string[]>;
  /** virStoragePoolListAllVolumes: its volumes at the last {@link refresh}. */
  listAllVolumes(flags?: FlagsArg<never>): Promise<StorageVol[]>;
  /** virStorageVolLookupByName: the volume of that name; `NO_STORAGE_VOL` where there is none. */
  storageVolLookupByName(name: string, options?: CallOptions): Promise<StorageVol>;
  /**
   * virStorageVolCreateXML: makes a volume; `capacity` and `allocation` in the document are bytes without a `unit`.
   * `STORAGE_VOL_EXIST` where there is one of that name, `NO_SUPPORT` of kinds that cannot.
   */
  storageVolCreateXML(xmlDesc: string, flags?: FlagsArg<'StorageVolCreateFlags'>): Promise<StorageVol>;
  /** virStorageVolCreateXMLFrom: makes a volume with the contents of another, of this pool or of another one. */
  storageVolCreateXMLFrom(
    xmlDesc: string,
    clonevol: StorageVol,
    flags?: FlagsArg<'StorageVolCreateFlags'>,
  ): Promise<StorageVol>;
}

/** A storage pool. */
export class StoragePool extends Handle {
  private constructor(...made: ConstructorParameters<typeof Handle>) {
    super(...made);
  }
  static {
    handleClass('StoragePool', StoragePool, (...made) => new StoragePool(...made));
  }

  /**
   * {@link Connection.subscribe} to what happens to this pool alone.
   */
  subscribe<Name extends EventNameOf<'pool'>>(
    event: Name,
    options: OwnSubscribeOptions = {},
  ): Promise<Subscription<DomainEvents[Name]>> {
    return this.connection.subscribe(event, { ...options, pool: this });
  }
}
