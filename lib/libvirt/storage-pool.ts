// virStoragePool: a place that volumes live in: a folder, a volume group, a Ceph pool.

import type { StoragePoolState } from './generated/constants';
import { Handle, handleClass } from './handle';
import type { CallOptions, FlagsArg } from './options';
import type { StorageVol } from './storage-vol';

/** What {@link StoragePool.getInfo} gives, in bytes. */
export interface StoragePoolInfo {
  state: StoragePoolState;
  capacity: bigint;
  allocation: bigint;
  available: bigint;
}

/** A storage pool. */
export interface StoragePool {
  /** virStoragePoolGetName. Read from the handle, synchronously. */
  getName(): string;
  /** virStoragePoolGetUUID: 16 bytes. Read from the handle, synchronously. */
  getUUID(): Uint8Array;
  /** virStoragePoolGetUUIDString. Read from the handle, synchronously. */
  getUUIDString(): string;
  getXMLDesc(flags?: FlagsArg<'StorageXMLFlags'>): Promise<string>;
  getInfo(options?: CallOptions): Promise<StoragePoolInfo>;
  isActive(options?: CallOptions): Promise<boolean>;
  isPersistent(options?: CallOptions): Promise<boolean>;
  create(flags?: FlagsArg<'StoragePoolCreateFlags'>): Promise<void>;
  /** virStoragePoolRefresh: looks again at what is in the pool. */
  refresh(flags?: FlagsArg<never>): Promise<void>;
  /** virStoragePoolDestroy: stops the pool; its volumes stay. Of a logical pool it deactivates the volume group. */
  destroy(options?: CallOptions): Promise<void>;
  undefine(options?: CallOptions): Promise<void>;
  numOfVolumes(options?: CallOptions): Promise<number>;
  /** virStoragePoolBuild: makes what the pool needs: a folder, a file system, a volume group. */
  build(flags?: FlagsArg<'StoragePoolBuildFlags'>): Promise<void>;
  /** virStoragePoolDelete: destroys what the pool lies on, and all volumes with it. */
  delete(flags?: FlagsArg<'StoragePoolDeleteFlags'>): Promise<void>;
  /** virStoragePoolGetAutostart: 1: it starts with the daemon. */
  getAutostart(options?: CallOptions): Promise<number>;
  setAutostart(autostart: number, options?: CallOptions): Promise<void>;
  listVolumes(options?: CallOptions): Promise<string[]>;
  listAllVolumes(flags?: FlagsArg<never>): Promise<StorageVol[]>;
  storageVolLookupByName(name: string, options?: CallOptions): Promise<StorageVol>;
  storageVolCreateXML(xmlDesc: string, flags?: FlagsArg<'StorageVolCreateFlags'>): Promise<StorageVol>;
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
}
