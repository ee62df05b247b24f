// A look at image files in whatever folders, each through whoever can work there.
import { dirname } from 'node:path';
import type { Connection } from '../libvirt';
import type { CallOptions } from '../libvirt/options';
import { DiskSnapshotError } from './errors';
import { type ImageInfo, type Images, imagesFor } from './image';

/**
 * What the header of a file says; `'absent'` where there is no such file; null where nobody here can look, or where the
 * file is not of the format that it should have.
 */
export type Look = ImageInfo | 'absent' | null;

/** Opened folders are kept until `close()`. */
export class ImageFiles {
  readonly #folders = new Map<string, Promise<Images | null>>();
  readonly #conn: Connection;
  readonly #call: CallOptions;

  constructor(conn: Connection, call: CallOptions) {
    this.#conn = conn;
    this.#call = call;
  }

  async look(path: string, format: string | undefined): Promise<Look> {
    const folder = dirname(path);
    const opened = this.#folders.get(folder) ?? imagesFor(this.#conn, path, this.#call);
    this.#folders.set(folder, opened);
    try {
      const images = await opened;
      return images && ((await images.inspect(path, { ...this.#call, format })) ?? 'absent');
    } catch (error) {
      if (error instanceof DiskSnapshotError && error.code !== 'CONNECTION_LOST') return null;
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const opened of this.#folders.values()) await (await opened.catch(() => null))?.close();
  }
}
