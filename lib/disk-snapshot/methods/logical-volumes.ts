// Logical volumes as libvirt knows them: volumes of a pool of type logical, which is a volume group of LVM.
import { basename, dirname } from 'node:path';
import { type Connection, LibvirtError, type StoragePool, type StorageVol } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { child, element, formatXml, parseXml, textOf } from '../../xml/document';
import { orAbsent } from '../images/absent';
import { volumeOfDisk } from '../images/disk-size';
import type { MethodDisk } from '../types';

/** A volume that its pool lists. */
export interface LogicalVolume {
  pool: StoragePool;
  /** The volume group. */
  group: string;
  vol: StorageVol;
  path: string;
  /** Bytes that its user sees. */
  capacity: number;
  /** Of a snapshot: the path of what it is a snapshot of. */
  origin: string | null;
}

/** Null: no active pool of type logical lists it. Thin volumes are listed by none. */
export async function logicalVolume(
  conn: Connection,
  path: string,
  call: CallOptions = {},
): Promise<LogicalVolume | null> {
  const vol = await orAbsent(conn.storageVolLookupByPath(path, call));
  if (vol === null) return null;
  const pool = await vol.storagePoolLookupByVolume(call);
  const group = await groupOf(pool, call);
  return group === null ? null : read(pool, group, vol, call);
}

/** The volume of this name, after a look at what the volume group holds now. */
export async function volumeNow(
  pool: StoragePool,
  name: string,
  call: CallOptions = {},
): Promise<LogicalVolume | null> {
  const group = await groupOf(pool, call);
  if (group === null) return null;
  await refresh(pool, call);
  const vol = await orAbsent(pool.storageVolLookupByName(name, call));
  return vol && read(pool, group, vol, call);
}

/** The active pool of type logical in whose folder (`/dev/GROUP`) this path lies. */
export async function groupPool(conn: Connection, path: string, call: CallOptions = {}): Promise<StoragePool | null> {
  const pool = await orAbsent(conn.storagePoolLookupByTargetPath(dirname(path), call));
  return pool && (await groupOf(pool, call)) !== null ? pool : null;
}

/** The path of a disk that could be a logical volume: of type block, or a volume of a pool. */
export async function devicePath(conn: Connection, disk: MethodDisk, call: CallOptions = {}): Promise<string | null> {
  if (disk.type === 'block') return disk.sourcePath && listedPath(disk.sourcePath);
  const vol = await volumeOfDisk(conn, disk, call);
  return vol === null ? null : vol.getPath(call);
}

/**
 * `lvcreate --snapshot` through libvirt. Its allocation must equal its capacity: otherwise libvirt asks for a volume of
 * another virtual size, which lvcreate refuses for snapshots.
 */
export async function createSnapshot(pool: StoragePool, name: string, origin: string, bytes: number): Promise<void> {
  const size = { unit: 'bytes' };
  await pool.storageVolCreateXML(
    formatXml(
      element(
        'volume',
        {},
        element('name', {}, name),
        element('capacity', size, String(bytes)),
        element('allocation', size, String(bytes)),
        element('backingStore', {}, element('path', {}, origin)),
      ),
    ),
  );
}

/** What LVM copies aside at once, in bytes, if nobody asked for more. */
export const BLOCK = 4096;
/** So many blocks' places stand in one block of a table. */
const TABLE = BLOCK / 16;

/** With this many bytes a snapshot never overflows: for each block its copy, a table of where they lie, and a header. */
export function roomForAll(size: number): number {
  const blocks = Math.ceil(size / BLOCK);
  // A table that is full is followed by an empty one.
  const tables = Math.floor(blocks / TABLE) + 1;
  return (1 + tables + blocks) * BLOCK;
}

/**
 * Whether the volume group holds a volume of this name that libvirt does not list, as it does no snapshot whose space
 * overflowed. Nothing in libvirt tells, but the name is taken: a volume of one extent is made and removed again.
 */
export async function isHidden(pool: StoragePool, name: string): Promise<boolean> {
  try {
    const size = element('capacity', { unit: 'bytes' }, '1024');
    const made = await pool.storageVolCreateXML(formatXml(element('volume', {}, element('name', {}, name), size)));
    await made.delete();
    return false;
  } catch (error) {
    if (error instanceof LibvirtError) return isNameTaken(error);
    throw error;
  }
}

export function isNameTaken(error: LibvirtError): boolean {
  return /already exists/.test(error.message);
}

/** Bytes that the volume group had left at libvirt's last look. */
export async function freeBytes(pool: StoragePool, call: CallOptions = {}): Promise<number> {
  return Number((await pool.getInfo(call)).available);
}

/** libvirt's list is that of its last look. While a volume is copied it looks at nothing, and the list stands. */
async function refresh(pool: StoragePool, call: CallOptions): Promise<void> {
  await pool.refresh(call).catch((error: unknown) => {
    if (!(error instanceof LibvirtError) || !/asynchronous jobs/.test(error.message)) throw error;
  });
}

async function groupOf(pool: StoragePool, call: CallOptions): Promise<string | null> {
  const xml = parseXml(await pool.getXMLDesc(call));
  return xml.attributes.type === 'logical' ? textOf(child(xml, 'source', 'name')) || pool.getName() : null;
}

async function read(pool: StoragePool, group: string, vol: StorageVol, call: CallOptions): Promise<LogicalVolume> {
  const xml = parseXml(await vol.getXMLDesc(call));
  return {
    pool,
    group,
    vol,
    path: textOf(child(xml, 'target', 'path')),
    capacity: Number(textOf(child(xml, 'capacity'))),
    origin: textOf(child(xml, 'backingStore', 'path')) || null,
  };
}

// ---- names --------------------------------------------------------------------------------------------------------

/** `/dev/mapper/GROUP-NAME`, in which a hyphen of a name is doubled, as libvirt lists it: `/dev/GROUP/NAME`. */
export function listedPath(path: string): string {
  const [, group, name] = /^\/dev\/mapper\/((?:[^-/]|--)+)-((?:[^-/]|--)+)$/.exec(path) ?? [];
  return group && name ? `/dev/${single(group)}/${single(name)}` : path;
}

/** The same volume by its device-mapper name. */
export function mapperPath(path: string): string {
  const [, group = '', name = ''] = /^\/dev\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  return `/dev/mapper/${double(group)}-${double(name)}`;
}

const single = (name: string) => name.replaceAll('--', '-');
const double = (name: string) => name.replaceAll('-', '--');

/** lvm(8): these stand for parts of other volumes. */
const RESERVED =
  /_(cdata|cmeta|corig|cpool|cvol|imeta|iorig|mimage|mlog|pmspare|rimage|rmeta|tdata|tmeta|vdata|vorigin|wcorig)/;
/** Of a device-mapper name, in which a hyphen counts twice, with the suffix of the snapshot's own store. */
const LONGEST = 127;

/** The name of a snapshot of `origin`, beside it in its volume group. */
export const snapshotName = (origin: string, name: string): string => `${basename(origin)}.${name}`;

/** Why LVM would not take this name; null: it would. */
export function nameFault(group: string, name: string): string | null {
  if (!/^[a-zA-Z0-9+_.][a-zA-Z0-9+_.-]*$/.test(name)) return 'LVM knows no names but of letters, digits and + _ . -';
  const reserved = RESERVED.exec(name)?.[0];
  if (reserved !== undefined) return `LVM keeps '${reserved}' in names for itself`;
  const device = `${double(group)}-${double(name)}-cow`;
  return device.length > LONGEST ? `the device ${device} would have a name of more than ${LONGEST} characters` : null;
}
