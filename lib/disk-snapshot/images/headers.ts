// What lies below images of any domain, by their headers: read by ourselves where we may, else by libvirt through a pool.
import { dirname } from 'node:path';
import type { Connection } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { DiskSnapshotError, messageOf } from '../errors';
import { chainOfHeaders } from './backing-chain';
import type { ImageInfo } from './image';
import { nameOfFilename } from './image-name';
import { isLocal } from './images-for';
import { LocalImages } from './local-images';
import { inspectVolume, type PoolImages, poolOfFolder, temporaryPool } from './pool-images';

/** Pools that were made for it stay until `close()`. */
export class Headers {
  readonly #local = new LocalImages();
  readonly #pools = new Map<string, Promise<PoolImages | null>>();

  constructor(
    private readonly conn: Connection,
    private readonly call: CallOptions,
  ) {}

  /** The image and all below it; `unseen`: why there may be more. */
  async below(top: { path: string; format: string }): Promise<{ paths: string[]; unseen: string | null }> {
    const paths: string[] = [];
    try {
      await chainOfHeaders(top, async (path, format) => {
        const name = nameOfFilename(path);
        if (name !== null) paths.push(name);
        // A raw image rests on nothing, whatever its guest wrote into it.
        return name?.startsWith('/') && format !== 'raw' ? this.#inspect(name, format) : null;
      });
      return { paths, unseen: null };
    } catch (error) {
      this.call.signal?.throwIfAborted();
      return { paths, unseen: messageOf(error) };
    }
  }

  async close(): Promise<void> {
    for (const pool of this.#pools.values()) await (await pool.catch(() => null))?.close();
  }

  async #inspect(path: string, format: string | undefined): Promise<ImageInfo | null> {
    let refused: unknown = new DiskSnapshotError('PERMISSION_DENIED', `nobody here may read ${path}`);
    if (await isLocal(this.conn, this.call)) {
      try {
        return await this.#local.inspect(path, { ...this.call, format });
      } catch (error) {
        // Nor does QEMU start from it.
        if (/Image is not in /.test(messageOf(error))) return null;
        // A storage that does not answer us would hold up libvirt as well.
        if (!(error instanceof DiskSnapshotError)) throw error;
        refused = error;
      }
    }
    const listed = await inspectVolume(this.conn, path, this.call);
    if (listed === null && /^\/dev\//.test(path)) throw refused;
    const found = listed ?? (await this.#throughFolder(path, refused));
    if (found === null || format === undefined || found.format === format) return found;
    throw new DiskSnapshotError(
      'PERMISSION_DENIED',
      `${path} is ${format}, and the pool that has it, which takes it for ${found.format}, does not tell what it rests on`,
    );
  }

  async #throughFolder(path: string, refused: unknown): Promise<ImageInfo | null> {
    const folder = dirname(path);
    const open = async () =>
      (await poolOfFolder(this.conn, folder, this.call)) ?? temporaryPool(this.conn, folder, this.call);
    const opened = this.#pools.get(folder) ?? open();
    this.#pools.set(folder, opened);
    const pool = await opened;
    if (pool === null) throw refused;
    return pool.inspect(path, this.call);
  }
}
