// Image files through libvirt's storage pools: for folders that belong to one, for remote hosts, and for callers who
// have no rights of their own there.
import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
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
import { orAbsent, orNoVolume } from './absent';
import type { ImageInfo, Images, NewOverlay } from './image';

const TEMPORARY = 'libvirt-disksnapshot-';

/** Pools whose volumes are files in a folder. Never logical: destroying such a pool deactivates its volume group. */
const FOLDER_POOLS: ReadonlySet<string | undefined> = new Set(['dir', 'fs', 'netfs', 'vstorage']);

/**
 * Callers of one folder share a temporary pool, and whoever is done first ends it: it is then made anew. And libvirt looks
 * through no pool while somebody makes an image in it.
 */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 10;

/** Whether it is there for the moment only, ours or another's. */
export const isTemporary = (pool: StoragePool): boolean => pool.getName().startsWith(TEMPORARY);

/** The active pool whose target is this folder, or null. */
export async function poolOfFolder(conn: Connection, folder: string, options: CallOptions): Promise<PoolImages | null> {
  const find = async (call: CallOptions) => {
    const pool = await orAbsent(conn.storagePoolLookupByTargetPath(folder, call));
    // One that is there for the moment only may be gone before it has told what it is.
    if (pool === null || isTemporary(pool)) return pool;
    const { attributes } = parseXml(await pool.getXMLDesc(call));
    return FOLDER_POOLS.has(attributes.type) ? pool : null;
  };
  const pool = await find(options);
  if (pool === null) return null;
  // Somebody's pool made for the moment: it may go when they are done, and is then made anew.
  if (isTemporary(pool)) return temporaryPool(conn, folder, options);
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
  const open = () =>
    patiently(
      async () => (await find()) ?? (await conn.storagePoolCreateXML(xml)),
      // Somebody else was first, and may be done already.
      async (e) => e instanceof LibvirtError && e.code === ErrorNumber.OPERATION_FAILED && e.message.includes(name),
    );
  try {
    options.signal?.throwIfAborted();
    await open();
  } catch (e) {
    if (e instanceof LibvirtError) return null;
    throw e;
  }
  return new PoolImages(conn, `a temporary pool on ${folder}`, open, async () => end(await find()));
}

/** Ends the temporary pool of this folder that somebody left who died. Whoever lives and works in it makes it anew. */
export async function endTemporaryPool(conn: Connection, folder: string, options: CallOptions): Promise<void> {
  const pool = await orAbsent(conn.storagePoolLookupByTargetPath(folder, options));
  if (pool && isTemporary(pool)) await end(pool);
}

async function end(pool: StoragePool | null): Promise<void> {
  await pool?.destroy().catch(async (e: unknown) => {
    if (!(await isEnded(pool, e)) && !isAtWork(e)) throw e;
  });
}

/** What libvirt says of a pool that has been ended, or is being ended. */
const ENDED: ReadonlySet<number> = new Set([ErrorNumber.NO_STORAGE_POOL, ErrorNumber.OPERATION_INVALID]);

/** Again and again where `passes` says that what is in the way goes by itself. */
async function patiently<T>(work: () => Promise<T>, passes: (e: unknown) => Promise<boolean>): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (e) {
      if (performance.now() > end || !(await passes(e))) throw e;
      await delay(PAUSE_MS);
    }
  }
}

/** What libvirt says of a pool that is not there, or not active, and of its volumes. */
export const isOfEndedPool = (e: unknown): boolean => e instanceof LibvirtError && ENDED.has(e.code);

/** Whether a temporary pool has been ended, or is just being ended or begun, by somebody else. A pool of its own nobody ends for us. */
async function isEnded(pool: StoragePool, e: unknown): Promise<boolean> {
  return isTemporary(pool) && isOfEndedPool(e) && !(await pool.isActive().catch(() => false));
}

/** Somebody else makes an image in it: they end it when they are done. */
function isAtWork(e: unknown): boolean {
  return e instanceof LibvirtError && e.code === ErrorNumber.INTERNAL_ERROR && /asynchronous jobs/.test(e.message);
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
  const listed = await describeListed(conn, path, options);
  return listed && readVolume(listed);
}

function describeListed(conn: Connection, path: string, options: CallOptions): Promise<XmlElement | null> {
  return patiently(
    async () => {
      const vol = await orAbsent(conn.storageVolLookupByPath(path, options));
      return vol && parseXml(await vol.getXMLDesc(options));
    },
    // Its pool has just been ended: the next look finds it in another one, or nowhere.
    async (e) => isOfEndedPool(e),
  );
}

/** The image files of one folder of that host. */
export class PoolImages implements Images {
  constructor(
    private readonly conn: Connection,
    readonly through: string,
    private readonly open: () => Promise<StoragePool>,
    private readonly release: () => Promise<void>,
  ) {}

  async inspect(path: string, options: CallOptions & { format?: string | undefined } = {}): Promise<ImageInfo | null> {
    const { format, ...call } = options;
    return this.inPool(path, async (pool) => {
      const vol = await volume(pool, path, call);
      return vol && readVolume(parseXml(await vol.getXMLDesc(call)), format);
    });
  }

  /** The volume, or null; its handle stays good while the pool is there, also one that was made anew. */
  volume(path: string, options: CallOptions = {}): Promise<StorageVol | null> {
    return this.inPool(path, (pool) => volume(pool, path, options));
  }

  async createOverlay({ path, backing, virtualSize }: NewOverlay, options: CallOptions = {}): Promise<void> {
    const below = [element('path', {}, backing.path), element('format', { type: backing.format })];
    await this.inPool(path, async (pool) => {
      const permissions = await this.accessTo(pool, backing.path, dirname(path), options);
      const target = [element('format', { type: 'qcow2' }), ...permissions, element('compat', {}, '1.1')];
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
      await pool.storageVolCreateXML(xml, options);
    });
  }

  /**
   * Makes the raw image `to` share the blocks of `from`, both in this folder, or fails: never a copy. Of other formats libvirt
   * makes none, because qemu-img makes those.
   */
  async reflink(from: string, to: string, options: CallOptions = {}): Promise<void> {
    if (dirname(from) !== dirname(to)) {
      throw new DiskSnapshotError(
        'INVALID_ARGUMENT',
        `${to} is not in the folder of ${from}, of which it is to be a clone`,
      );
    }
    await this.inPool(to, async (pool) => {
      const image = await volume(pool, from, options);
      if (image === null) throw new DiskSnapshotError('NOT_FOUND', `${from}, which is to be cloned, is not there`);
      const found = parseXml(await image.getXMLDesc(options));
      const size = { unit: 'bytes' };
      const xml = formatXml(
        element(
          'volume',
          { type: 'file' },
          element('name', {}, basename(to)),
          element('capacity', size, textOf(child(found, 'capacity'))),
          // Otherwise libvirt writes zeros into all of it before it clones.
          element('allocation', size, '0'),
          element('target', {}, element('format', { type: 'raw' }), ...accessOf(found)),
        ),
      );
      await pool.storageVolCreateXMLFrom(xml, image, { ...options, flags: StorageVolCreateFlags.REFLINK });
    });
  }

  async remove(path: string, options: CallOptions = {}): Promise<void> {
    await this.inPool(path, async (pool) => {
      const vol = await volume(pool, path, options);
      if (vol) await orNoVolume(vol.delete(options));
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

  private async accessTo(pool: StoragePool, path: string, folder: string, options: CallOptions): Promise<XmlElement[]> {
    const vol = dirname(path) === folder ? await volume(pool, path, options) : null;
    const found = vol ? parseXml(await vol.getXMLDesc(options)) : await describeListed(this.conn, path, options);
    return found ? accessOf(found) : [];
  }

  /** Works on the pool: anew where others end it, later where they make an image in it. */
  async inPool<T>(path: string, work: (pool: StoragePool) => Promise<T>): Promise<T> {
    let pool: StoragePool | undefined;
    try {
      return await patiently(
        async () => {
          pool = await this.open();
          return await work(pool);
        },
        async (e) => isAtWork(e) || (pool !== undefined && (await isEnded(pool, e))),
      );
    } catch (e) {
      if (
        e instanceof LibvirtError &&
        (e.code === ErrorNumber.STORAGE_VOL_EXIST || /already exists|already in use|File exists/.test(e.message))
      ) {
        const advice = 'choose another name, or move the file away';
        throw new DiskSnapshotError('FILE_EXISTS', `${path} exists: ${advice}`, { cause: e });
      }
      throw translate(e);
    }
  }
}

/** A pool lists what it saw at its last refresh: a file that is not listed may be there nevertheless. */
async function volume(pool: StoragePool, path: string, options: CallOptions): Promise<StorageVol | null> {
  const look = () => orNoVolume(pool.storageVolLookupByName(basename(path), options));
  const listed = await look();
  if (listed !== null) return listed;
  await pool.refresh(options);
  return look();
}

/** libvirt probes the format: of a raw image it believes what the guest wrote into it, so its word on that is not taken. */
function readVolume(xml: XmlElement, format?: string): ImageInfo {
  const text = (...path: string[]) => {
    const found = child(xml, ...path);
    return found && textOf(found);
  };
  const length = Number(text('physical') ?? text('allocation'));
  const rest = { actualSize: Number(text('allocation')), length, internalSnapshots: null, damaged: false };
  if (format === 'raw') return { format, virtualSize: length, backing: null, ...rest };
  const below = text('backingStore', 'path');
  return {
    format: child(xml, 'target', 'format')?.attributes.type ?? 'raw',
    virtualSize: Number(text('capacity')),
    backing:
      below === undefined
        ? null
        : { path: below, format: child(xml, 'backingStore', 'format')?.attributes.type ?? null },
    ...rest,
  };
}

/** Owner and mode of a volume without the security label, which libvirt sets for each guest. */
function accessOf(vol: XmlElement): XmlElement[] {
  const permissions = child(vol, 'target', 'permissions');
  if (!permissions) return [];
  const kept = ['mode', 'owner', 'group'].map((name) => child(permissions, name)).filter((e) => e !== undefined);
  return [element('permissions', {}, ...kept)];
}
