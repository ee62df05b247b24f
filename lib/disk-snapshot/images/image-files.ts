// A look at image files in whatever folders, each through whoever can work there.
import { dirname } from 'node:path';
import type { Connection } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { DiskSnapshotError } from '../errors';
import type { ImageInfo, Images } from './image';
import { imagesFor } from './images-for';

export type Look =
  | { kind: 'image'; info: ImageInfo }
  | { kind: 'absent' }
  /** Nobody here may read it, or it is not what it is taken for. */
  | { kind: 'unseen'; why: string };

/** Folders that were opened stay so until `close()`. */
export class ImageFiles {
  readonly #folders = new Map<string, Promise<Images | null>>();
  readonly #conn: Connection;
  readonly #call: CallOptions;

  constructor(conn: Connection, call: CallOptions) {
    this.#conn = conn;
    this.#call = call;
  }

  /** @param format undefined: not known; to find it out is only safe for an image that no guest has written to as raw */
  async look(path: string, format: string | undefined): Promise<Look> {
    const folder = dirname(path);
    const opened = this.#folders.get(folder) ?? imagesFor(this.#conn, path, this.#call);
    this.#folders.set(folder, opened);
    try {
      const images = await opened;
      if (images === null) return { kind: 'unseen', why: `nobody here may read ${path}` };
      const info = await images.inspect(path, { ...this.#call, format });
      return info ? { kind: 'image', info } : { kind: 'absent' };
    } catch (error) {
      if (!(error instanceof DiskSnapshotError) || error.code === 'CONNECTION_LOST') throw error;
      return { kind: 'unseen', why: error.message };
    }
  }

  async close(): Promise<void> {
    for (const opened of this.#folders.values()) await (await opened.catch(() => null))?.close();
  }
}
