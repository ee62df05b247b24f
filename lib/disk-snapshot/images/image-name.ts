// By which name users of an image are compared: a path on the host, or `rbd:POOL/IMAGE` in a cluster, whichever way a disk or
// a header leads there.
import { join } from 'node:path';
import { type Connection, LibvirtError } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import type { Image } from '../../xml/disk';
import { child, parseXml, textOf } from '../../xml/document';
import { orAbsent } from './absent';

/** Pools whose volumes lie in a folder under their own names. */
const OF_FOLDERS: ReadonlySet<string | undefined> = new Set(['dir', 'fs', 'netfs', 'vstorage', 'logical', 'zfs']);

/** Null: it is in no file or cluster that anybody else could name; or nowhere. */
export async function imageName(
  conn: Connection,
  { sourcePath, network, volume }: Image,
  call: CallOptions,
): Promise<string | { unseen: string } | null> {
  if (sourcePath !== null) return sourcePath;
  if (volume) return volumeName(conn, volume, call);
  if (network?.protocol !== 'rbd' || network.name === null) return null;
  return rbdName(network.name, network.snapshot);
}

/** Which cluster it is, its monitors do not tell: two images of one name are taken for one. */
export const rbdName = (image: string, snapshot: string | null = null): string =>
  `rbd:${image}${snapshot === null ? '' : `@${snapshot}`}`;

/** A pool need not be active, nor list the volume, for the guest to find its image there later. */
async function volumeName(
  conn: Connection,
  { pool: poolName, name }: { pool: string; name: string },
  call: CallOptions,
): Promise<string | { unseen: string } | null> {
  const pool = await orAbsent(conn.storagePoolLookupByName(poolName, call));
  if (pool === null) return null;
  const xml = parseXml(await pool.getXMLDesc(call));
  const { type } = xml.attributes;
  if (type === 'rbd') return rbdName(`${textOf(child(xml, 'source', 'name'))}/${name}`);
  if (OF_FOLDERS.has(type)) return join(textOf(child(xml, 'target', 'path')), name);
  try {
    const vol = await orAbsent(pool.storageVolLookupByName(name, call));
    return vol && (await vol.getPath(call));
  } catch (error) {
    if (!(error instanceof LibvirtError)) throw error;
    return { unseen: `the pool '${poolName}' does not tell where its volume '${name}' lies: ${error.message}` };
  }
}

interface Node {
  driver?: unknown;
  filename?: unknown;
  pool?: unknown;
  image?: unknown;
  file?: Node;
}

/** The same of what a header, or QEMU, calls an image: a path, or its options as `rbd:…` or `json:{…}`. */
export function nameOfFilename(filename: string): string | null {
  if (filename.startsWith('/')) return filename;
  const [, rbd] = /^rbd:([^:@]+)/.exec(filename) ?? [];
  if (rbd !== undefined) return rbdName(rbd);
  if (!filename.startsWith('json:')) return null;
  let node = JSON.parse(filename.slice('json:'.length)) as Node;
  while (node.file) node = node.file;
  if (node.driver === 'rbd') return rbdName(`${String(node.pool)}/${String(node.image)}`);
  return typeof node.filename === 'string' && node.filename.startsWith('/') ? node.filename : null;
}
