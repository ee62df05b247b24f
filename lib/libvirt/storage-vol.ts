// virStorageVol: a volume: a file of a folder, a logical volume, an RBD image.

import type { StorageVolType, StorageVolWipeAlgorithm } from './generated/constants';
import { Handle, handleClass } from './handle';
import type { CallOptions, FlagsArg } from './options';
import type { StoragePool } from './storage-pool';
import type { Stream } from './stream';

/** What {@link StorageVol.getInfo} gives, in bytes. */
export interface StorageVolInfo {
  type: StorageVolType;
  capacity: bigint;
  allocation: bigint;
}

/**
 * A storage volume. What its members ask of libvirt rejects with `NO_STORAGE_VOL` where it is gone, and with
 * `OPERATION_INVALID` where its pool is not active; what changes it with `OPERATION_INVALID`, too, while libvirt copies
 * or allocates it, and with `NO_SUPPORT` of kinds of pools that cannot.
 */
export interface StorageVol {
  /** virStorageVolGetName: its name. Read from the handle, synchronously. */
  getName(): string;
  /** virStorageVolGetKey: its key, for most pools the path. Read from the handle, synchronously. */
  getKey(): string;
  /** virStorageVolGetPath: where the host finds it: a path, or for RBD `pool/image`. */
  getPath(options?: CallOptions): Promise<string>;
  /** virStorageVolGetXMLDesc: its `<volume>`. */
  getXMLDesc(flags?: FlagsArg<never>): Promise<string>;
  /** virStorageVolGetInfo: its type, and bytes: capacity and what is allocated. */
  getInfo(options?: CallOptions): Promise<StorageVolInfo>;
  /** virStorageVolGetInfoFlags: as {@link getInfo}; `GET_PHYSICAL`: `allocation` is the file's size. */
  getInfoFlags(flags?: FlagsArg<'StorageVolInfoFlags'>): Promise<StorageVolInfo>;
  /** virStorageVolDelete: also of a file that a running guest uses. */
  delete(flags?: FlagsArg<'StorageVolDeleteFlags'>): Promise<void>;
  /**
   * virStorageVolResize: its new capacity in bytes; `DELTA`: by so many; `SHRINK` lets it become smaller (else
   * `INVALID_ARG`). `OPERATION_FAILED` where the pool has no room.
   */
  resize(capacity: number | bigint, flags?: FlagsArg<'StorageVolResizeFlags'>): Promise<void>;
  /**
   * virStorageVolDownload: from now on `stream` gives this volume's own bytes (of one layer, in its own format) from
   * `offset` on, both in bytes; `length` 0: to the end. With `SPARSE_STREAM` holes are told as holes. The host is asked for
   * 32 MiB at a time: no more than that waits here for a slow consumer. A volume that goes away meanwhile is an error of the
   * stream.
   */
  download(
    stream: Stream,
    offset: number | bigint,
    length: number | bigint,
    flags?: FlagsArg<'StorageVolDownloadFlags'>,
  ): Promise<void>;
  /**
   * virStorageVolUpload: from now on what is written to `stream` goes into this volume from `offset` on; `length` is
   * the most that will come, 0: as much as does; both in bytes. With `SPARSE_STREAM` holes may be sent.
   */
  upload(
    stream: Stream,
    offset: number | bigint,
    length: number | bigint,
    flags?: FlagsArg<'StorageVolUploadFlags'>,
  ): Promise<void>;
  /** virStorageVolWipe: overwrites what the volume holds. */
  wipe(flags?: FlagsArg<never>): Promise<void>;
  /** virStorageVolWipePattern: overwrites its contents, by that algorithm; `INVALID_ARG` where it does not know it. */
  wipePattern(algorithm: StorageVolWipeAlgorithm, flags?: FlagsArg<never>): Promise<void>;
  /** virStoragePoolLookupByVolume: the pool that it is in. */
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
