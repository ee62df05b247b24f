// Who works on the image files of a folder: a storage pool, ourselves, or libvirt in a pool made for the moment.
import { dirname } from 'node:path';
import type { Connection } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { isLocalUri } from '../local';
import type { Images } from './image';
import { LocalImages, localFolder } from './local-images';
import { poolOfFolder, temporaryPool } from './pool-images';

/**
 * Who can work on the image files of the folder that holds `path`, on the host of this connection.
 *
 * 1. An active pool whose target is that folder: its list of volumes stays right, and it serves callers without
 *    rights of their own and remote hosts.
 * 2. Ourselves, if libvirt runs on this machine, the folder is writable for us, and `qemu-img` is there.
 * 3. A directory pool that exists for as long as the result is open.
 *
 * Null: nobody can. libvirt then makes overlays itself, within the snapshot call, and files stay for the caller to
 * delete.
 */
export async function imagesFor(conn: Connection, path: string, options: CallOptions = {}): Promise<Images | null> {
  const folder = dirname(path);
  const pool = await poolOfFolder(conn, folder, options);
  if (pool !== null) return pool;
  if ((await isLocal(conn, options)) && (await localFolder(folder))) return new LocalImages();
  return temporaryPool(conn, folder, options);
}

const local = new WeakMap<Connection, boolean>();

/** Whether libvirt's files are ours to see: its URI names no host, and no transport that leads to another one. */
export async function isLocal(conn: Connection, options: CallOptions = {}): Promise<boolean> {
  // A connection's URI never changes; and where a guest is frozen, it is better not to ask again.
  const known = local.get(conn) ?? isLocalUri(await conn.getURI(options));
  local.set(conn, known);
  return known;
}
