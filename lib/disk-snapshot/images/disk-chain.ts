// The chain of one disk, whether its guest runs or not.
import { dirname } from 'node:path';
import type { Connection, Domain } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { DiskSnapshotError } from '../errors';
import type { Guest } from '../guest';
import { findHelper, HELPER_DISK, withHelper } from '../merge/helper-domain';
import type { ImageRef } from '../records/record';
import { type Chain, chainOfHeaders, chainOfXml, diskOf, type Inspect, liveChain } from './backing-chain';
import type { Images } from './image';
import { imagesFor } from './images-for';

/**
 * What the disk rests on now: asked of QEMU where it runs, of the images' headers where the guest is off, and of a QEMU
 * of our own where we may not read those. Empty: the domain has no such disk.
 */
export async function diskChain(guest: Guest, target: string, call: CallOptions = {}): Promise<Chain> {
  const disk = guest.document.disks.find((one) => one.target === target);
  if (!disk) return [];
  if (guest.active) return liveChain(guest.domain, disk, call);
  const { sourcePath: path, format } = disk;
  if (path === null) return chainOfXml(disk);
  const headers = new Headers(guest.domain.connection, call);
  try {
    return await chainOfHeaders({ path, format: format ?? 'raw' }, headers.inspect);
  } catch (e) {
    if (!(e instanceof DiskSnapshotError && e.code === 'PERMISSION_DENIED')) throw e;
    const chainOf = async (helper: Domain) => {
      const held = await diskOf(helper, HELPER_DISK, call);
      return held ? liveChain(helper, held, call) : [];
    };
    // One that is at work already has the image locked, and knows its chain as well.
    const helper = await findHelper(guest.document, disk, guest.domain);
    return helper ? chainOf(helper) : withHelper(guest.document, disk, guest.domain, chainOf);
  } finally {
    await headers.close();
  }
}

/** An image and all below it, as their headers tell. */
export async function imageChain(conn: Connection, { path, format }: ImageRef, call: CallOptions = {}): Promise<Chain> {
  const headers = new Headers(conn, call);
  try {
    return await chainOfHeaders({ path, format }, headers.inspect);
  } finally {
    await headers.close();
  }
}

/** Headers of images in whatever folders, each through whoever can work there. */
class Headers {
  readonly #folders = new Map<string, Images | null>();

  constructor(
    private readonly conn: Connection,
    private readonly call: CallOptions,
  ) {}

  readonly inspect: Inspect = async (path, format) => {
    const folder = dirname(path);
    let images = this.#folders.get(folder);
    if (images === undefined) {
      images = await imagesFor(this.conn, path, this.call);
      this.#folders.set(folder, images);
    }
    if (images === null) throw new DiskSnapshotError('PERMISSION_DENIED', `nobody here may read ${path}`);
    return images.inspect(path, { ...this.call, format });
  };

  async close(): Promise<void> {
    for (const images of this.#folders.values()) await images?.close();
  }
}
