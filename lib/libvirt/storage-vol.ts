// virStorageVol: a volume: a file of a folder, a logical volume, an RBD image.

import type { StorageVolType } from './generated/constants';
import { Handle, handleClass } from './handle';
import type { CallOptions, FlagsArg } from './options';
import type { StoragePool } from './storage-pool';

/** What {@link StorageVol.getInfo} gives, in bytes. */
export interface StorageVolInfo {
  type: StorageVolType;
  capacity: bigint;
  allocation: bigint;
}

/** A storage volume. */
export interface StorageVol {
  /** virStorageVolGetName. Read from the handle, synchronously. */
  getName(): string;
  /** virStorageVolGetKey. Read from the handle, synchronously. */
  getKey(): string;
  getPath(options?: CallOptions): Promise<string>;
  getXMLDesc(flags?: FlagsArg<never>): Promise<string>;
  getInfo(options?: CallOptions): Promise<StorageVolInfo>;
  getInfoFlags(flags?: FlagsArg<'StorageVolInfoFlags'>): Promise<StorageVolInfo>;
  /** virStorageVolDelete: also of a file that a running guest uses. */
  delete(flags?: FlagsArg<'StorageVolDeleteFlags'>): Promise<void>;
  resize(capacity: number | bigint, flags?: FlagsArg<'StorageVolResizeFlags'>): Promise<void>;
  storagePoolLookupByVolume(options?: CallOptions): Promise<StoragePool>;
}

/** A storage volume. */
export class StorageVol extends Handle {
  private constructor(...made: ConstructorParameters<typeof Handle>) {
    super(...made);
  }
  static {
    handleClass('StorageVol', StorageVol, (...made) => new StorageVol(...made));
  }
}
