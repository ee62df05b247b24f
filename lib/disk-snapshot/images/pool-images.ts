// Image files through libvirt's storage pools: for folders that belong to one, for remote hosts, and for callers who
// have no rights of their own there.
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import {
  type Connection,
  ErrorNumber,
  LibvirtError,
  type StoragePool,
  type StorageVol,
  StorageVolCreateFlags,
} from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { child, element, formatXml, parseXml, textOf, type XmlElement } from '../../xml/document';
import { DiskSnapshotError } from '../errors';
import { translate } from '../facade';
import { orAbsent } from './absent';
import type { ImageInfo, Images, NewOverlay } from './image';

const TEMPORARY = 'libvirt-disksnapshot-';

/** Pools whose volumes are files in a folder. Never logical: destroying such a pool deactivates its volume group. */
const FOLDER_POOLS: ReadonlySet<string | undefined> = new Set(['dir', 'fs', 'netfs', 'vstorage']);

/** The active pool whose target is this folder, or null. */
export async function poolOfFolder(conn: Connection, folder: string, options: CallOptions): Promise<PoolImages | null> {
  const find = async (call: CallOptions) => {
    const pool = await orAbsent(conn.storagePoolLookupByTargetPath(folder, call));
    if (pool === null) return null;
    const { attributes } = parseXml(await pool.getXMLDesc(call));
    return FOLDER_POOLS.has(attributes.type) ? pool : null;
  };
  const pool = await find(options);
  if (pool === null) return null;
  // Somebody's pool made for the moment: it may go when they are done, and is then made anew.
  if (pool.getName().startsWith(TEMPORARY)) return temporaryPool(conn, folder, options);
  return new PoolImages(
    conn,
    `pool '${pool.getName()}'`,
    async () => (await find({})) ?? pool,
    async () => {},
  );
}

/** A directory pool for as long as the result is open; null where this driver has no pools or we may not make one. */
export async function temporaryPool(
  conn: Connection,
  folder: string,
  options: CallOptions,
): Promise<PoolImages | null> {
  if (/^\/(dev|proc|sys)(\/|$)/.test(folder)) return null;
  // One name per folder, and libvirt allows one pool per folder: callers at the same time share it.
  const name = TEMPORARY + createHash('sha256').update(folder).digest('hex').slice(0, 16);
  const xml = formatXml(
    element('pool', { type: 'dir' }, element('name', {}, name), element('target', {}, element('path', {}, folder))),
  );
  const find = () => orAbsent(conn.storagePoolLookupByName(name));
  // Without the caller's signal: it is used again when an aborted operation takes back what it did.
  const open = async () => (await find()) ?? conn.storagePoolCreateXML(xml);
  try {
    options.signal?.throwIfAborted();
    await open();
  } catch (e) {
    if (e instanceof LibvirtError) return null;
    throw e;
  }
  return new PoolImages(conn, `a temporary pool on ${folder}`, open, async () => {
    const pool = await find();
    if (pool !== null) await orAbsent(pool.destroy());
  });
}

/** Works on a folder through its pool, or through one made for the moment; null: none can be had. */
export async function withFolderPool<T>(
  conn: Connection,
  folder: string,
  options: CallOptions,
  work: (images: PoolImages | null) => Promise<T>,
): Promise<T> {
  const images = (await poolOfFolder(conn, folder, options)) ?? (await temporaryPool(conn, folder, options));
  try {
    return await work(images);
  } finally {
    await images?.close();
  }
}

/** Reads the header of any volume that a pool lists; null where none does. */
export async function inspectVolume(conn: Connection, path: string, options: CallOptions): Promise<ImageInfo | null> {
  const vol = await orAbsent(conn.storageVolLookupByPath(path, options));
  return vol && readVolume(parseXml(await vol.getXMLDesc(options)));
}

/** The image files of one folder of that host. */
export class PoolImages implements Images {
  constructor(
    private readonly conn: Connection,
    readonly through: string,
    private readonly open: () => Promise<StoragePool>,
    private readonly release: () => Promise<void>,
  ) {}

  async inspect(path: string, options: CallOptions = {}): Promise<ImageInfo | null> {
    return this.inPool(path, async (pool) => {
      const vol = await volume(pool, path, options);
      return vol && readVolume(parseXml(await vol.getXMLDesc(options)));
    });
  }

  async createOverlay({ path, backing, virtualSize }: NewOverlay, options: CallOptions = {}): Promise<void> {
    const base = await orAbsent(this.conn.storageVolLookupByPath(backing.path, options));
    const permissions = base && child(parseXml(await base.getXMLDesc(options)), 'target', 'permissions');
    const below = [element('path', {}, backing.path), element('format', { type: backing.format })];
    const target = [
      element('format', { type: 'qcow2' }),
      ...(permissions ? [accessOf(permissions)] : []),
      element('compat', {}, '1.1'),
    ];
    const xml = formatXml(
      element(
        'volume',
        { type: 'file' },
        element('name', {}, basename(path)),
        element('capacity', { unit: 'bytes' }, String(virtualSize)),
        element('allocation', {}, '0'),
        element('target', {}, ...target),
        element('backingStore', {}, ...below),
      ),
    );
    await this.inPool(path, (pool) => pool.storageVolCreateXML(xml, options));
  }

  /**
   * Makes the raw image `to`, in this folder, share the blocks of `from`, or fails: never a copy. Of other formats libvirt
   * makes none, because qemu-img makes those.
   */
  async reflink(from: string, to: string, options: CallOptions = {}): Promise<void> {
    const image = await this.inPool(from, () => this.conn.storageVolLookupByPath(from, options));
    const found = parseXml(await image.getXMLDesc(options));
    const permissions = child(found, 'target', 'permissions');
    const size = { unit: 'bytes' };
    const xml = formatXml(
      element(
        'volume',
        { type: 'file' },
        element('name', {}, basename(to)),
        element('capacity', size, textOf(child(found, 'capacity'))),
        // Otherwise libvirt writes zeros into all of it before it clones.
        element('allocation', size, '0'),
        element('target', {}, element('format', { type: 'raw' }), ...(permissions ? [accessOf(permissions)] : [])),
      ),
    );
    await this.inPool(to, (pool) =>
      pool.storageVolCreateXMLFrom(xml, image, { ...options, flags: StorageVolCreateFlags.REFLINK }),
    );
  }

  async remove(path: string, options: CallOptions = {}): Promise<void> {
    await this.inPool(path, async (pool) => {
      const vol = await volume(pool, path, options);
      if (vol) await orAbsent(vol.delete(options));
    });
  }

  /** The files of the folder, as the host finds them now. */
  async names(options: CallOptions = {}): Promise<string[]> {
    return this.inPool('the folder', async (pool) => {
      await pool.refresh(options);
      return (await pool.listAllVolumes(options)).map((vol) => vol.getName());
    });
  }

  async folderExists(folder: string, options: CallOptions = {}): Promise<boolean> {
    const target = await this.inPool(folder, async (pool) =>
      child(parseXml(await pool.getXMLDesc(options)), 'target', 'path'),
    );
    return target !== undefined && textOf(target) === folder;
  }

  async freeSpace(folder: string, options: CallOptions = {}): Promise<number | null> {
    return this.inPool(folder, async (pool) => {
      await pool.refresh(options);
      return Number((await pool.getInfo(options)).available);
    });
  }

  async close(): Promise<void> {
    await this.release();
  }

  private async inPool<T>(path: string, work: (pool: StoragePool) => Promise<T>): Promise<T> {
    try {
      return await work(await this.open()).catch(async (e: unknown) => {
        // Whoever shared a temporary pool with us has just ended it.
        if (e instanceof LibvirtError && e.code === ErrorNumber.NO_STORAGE_POOL) return work(await this.open());
        throw e;
      });
    } catch (e) {
      if (e instanceof LibvirtError && (e.code === ErrorNumber.STORAGE_VOL_EXIST || /already exists/.test(e.message))) {
        const advice = 'choose another name, or move the file away';
        throw new DiskSnapshotError('FILE_EXISTS', `${path} exists: ${advice}`, { cause: e });
      }
      throw translate(e);
    }
  }
}

/** A pool lists what it saw at its last refresh: a file that is not listed may be there nevertheless. */
async function volume(pool: StoragePool, path: string, options: CallOptions): Promise<StorageVol | null> {
  const look = () => orAbsent(pool.storageVolLookupByName(basename(path), options));
  const listed = await look();
  if (listed !== null) return listed;
  await pool.refresh(options);
  return look();
}

function readVolume(xml: XmlElement): ImageInfo {
  const text = (...path: string[]) => {
    const found = child(xml, ...path);
    return found && textOf(found);
  };
  const below = text('backingStore', 'path');
  return {
    format: child(xml, 'target', 'format')?.attributes.type ?? 'raw',
    virtualSize: Number(text('capacity')),
    actualSize: Number(text('allocation')),
    length: Number(text('physical') ?? text('allocation')),
    backing:
      below === undefined
        ? null
        : { path: below, format: child(xml, 'backingStore', 'format')?.attributes.type ?? null },
    internalSnapshots: null,
    damaged: false,
  };
}

/** Owner and mode without the security label, which libvirt sets for each guest. */
function accessOf(permissions: XmlElement): XmlElement {
  const kept = ['mode', 'owner', 'group'].map((name) => child(permissions, name)).filter((e) => e !== undefined);
  return element('permissions', {}, ...kept);
}
