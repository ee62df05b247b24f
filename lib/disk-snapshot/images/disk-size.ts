// How large a disk is to its guest; and the volume behind a disk of type volume.
import type { Connection, Domain, StorageVol } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { child, parseXml } from '../../xml/document';
import type { MethodDisk } from '../types';
import { orAbsent } from './absent';

/** In bytes. */
export async function diskSize(domain: Domain, disk: MethodDisk, call: CallOptions = {}): Promise<number> {
  // Of a guest that is off, virDomainGetBlockInfo fails for a volume: "missing storage backend for 'volume' storage".
  const vol = await volumeOfDisk(domain.connection, disk, call);
  const { capacity } = await (vol?.getInfo(call) ?? domain.getBlockInfo(disk.target, call));
  return Number(capacity);
}

/** Null: the disk is of another type, or its pool or volume is not there. */
export async function volumeOfDisk(
  conn: Connection,
  disk: MethodDisk,
  call: CallOptions = {},
): Promise<StorageVol | null> {
  if (disk.type !== 'volume') return null;
  const { pool, volume } = child(parseXml(disk.xml), 'source')?.attributes ?? {};
  if (pool === undefined || volume === undefined) return null;
  const found = await orAbsent(conn.storagePoolLookupByName(pool, call));
  return found && orAbsent(found.storageVolLookupByName(volume, call));
}
