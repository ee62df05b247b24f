// What the feature needs of image files, whoever does it.
import type { CallOptions } from '../../libvirt/options';

/** What an image's header says. */
export interface ImageInfo {
  format: string;
  /** Bytes that a guest sees. */
  virtualSize: number;
  /** Bytes in use on the storage. */
  actualSize: number;
  /** Bytes from its beginning to its end: a qcow2 grows with each cluster, whatever the file system makes of zeros. */
  length: number;
  /** The image below, as the header names it: an absolute path. `format` null: the header does not say. */
  backing: { path: string; format: string | null } | null;
  /** Names of the qcow2's own snapshots; null: cannot be known without opening the image. */
  internalSnapshots: readonly string[] | null;
  /** Not closed properly, or marked corrupt: it needs `qemu-img check` before it is trusted. */
  damaged: boolean;
}

export interface NewOverlay {
  /** Must not exist. */
  path: string;
  backing: { path: string; format: string };
  /** Bytes; that of the backing image. */
  virtualSize: number;
}

/**
 * The image files of one folder.
 *
 * Every member rejects with a {@link DiskSnapshotError} that names the file. Nothing here asks whether a guest uses
 * the file: that is the caller's duty.
 */
export interface Images {
  /** Who does the work, in words for a plan. */
  readonly through: string;
  /**
   * Reads an image's header; null if there is no such file. Also of an image that a guest is writing to.
   *
   * Give the format where it is known: probing a raw disk would believe what the guest wrote into it.
   */
  inspect(path: string, options?: CallOptions & { format?: string | undefined }): Promise<ImageInfo | null>;
  /**
   * Makes an empty qcow2 (compat 1.1) that names its backing file and that file's format, with the backing file's
   * owner and mode, on stable storage when the promise resolves. Never touches a file that exists: FILE_EXISTS.
   */
  createOverlay(overlay: NewOverlay, options?: CallOptions): Promise<void>;
  /** Deletes an image file. A file that is not there is success. Devices and folders are refused. */
  remove(path: string, options?: CallOptions): Promise<void>;
  folderExists(folder: string, options?: CallOptions): Promise<boolean>;
  /** Bytes that can still be written there; null: not known. */
  freeSpace(folder: string, options?: CallOptions): Promise<number | null>;
  /** Lets go of what was set up for it. */
  close(): Promise<void>;
}
