// Images that we cannot open ourselves, on whatever host: as volumes of a storage pool, through libvirt alone.
import { dirname } from 'node:path';
import {
  type Connection,
  ErrorNumber,
  LibvirtError,
  type StorageVol,
  StorageVolDownloadFlags,
  type StreamChunk,
} from '../../libvirt';
import { child, element, formatXml, parseXml } from '../../xml/document';
import { DiskSnapshotError } from '../errors';
import { temporaryPool } from '../images/pool-images';
import { copyName } from './copy-name';

/**
 * libvirt queues what the host sends, read or not: a download is asked for in parts, so that a slow reader costs no more
 * memory than one part.
 */
const PART_BYTES = 64 * 1024 * 1024;
const LONGEST_HOLE = 2 ** 40;

/** The bytes of the file itself. */
export async function* readVolume(conn: Connection, path: string, signal: AbortSignal): AsyncGenerator<StreamChunk> {
  const { vol, close } = await volumeOf(conn, path, signal);
  try {
    yield* download(vol, signal);
  } finally {
    await close();
  }
}

/** The image with all that lies below it, as one image of `format`; what is not that already, the host copies into a volume. */
export async function* readFlattened(
  conn: Connection,
  path: string,
  format: 'raw' | 'qcow2',
  signal: AbortSignal,
): AsyncGenerator<StreamChunk> {
  const { vol, close } = await volumeOf(conn, path, signal);
  try {
    const own = parseXml(await vol.getXMLDesc({ signal }));
    const isWhole = child(own, 'backingStore') === undefined;
    if (isWhole && child(own, 'target', 'format')?.attributes.type === format) {
      yield* download(vol, signal);
      return;
    }
    const pool = await vol.storagePoolLookupByVolume({ signal });
    const { capacity } = await vol.getInfo({ signal });
    const xml = formatXml(
      element(
        'volume',
        { type: 'file' },
        element('name', {}, copyName()),
        element('capacity', { unit: 'bytes' }, String(capacity)),
        element('allocation', {}, '0'),
        element('target', {}, element('format', { type: format })),
      ),
    );
    // Not given up half way: what it makes has to be removed.
    const flat = await pool.storageVolCreateXMLFrom(xml, vol);
    try {
      signal.throwIfAborted();
      yield* download(flat, signal);
    } finally {
      await flat.delete();
    }
  } finally {
    await close();
  }
}

async function volumeOf(
  conn: Connection,
  path: string,
  signal: AbortSignal,
): Promise<{ vol: StorageVol; close(): Promise<void> }> {
  const find = () =>
    conn.storageVolLookupByPath(path, { signal }).catch((e: unknown) => {
      if (e instanceof LibvirtError && ABSENT.has(e.code)) return null;
      throw e;
    });
  const listed = await find();
  if (listed) return { vol: listed, close: async () => undefined };
  const images = await temporaryPool(conn, dirname(path), { signal });
  try {
    await images?.inspect(path, { signal }); // the pool looks again
    const vol = await find();
    if (vol && images) return { vol, close: () => images.close() };
  } catch (error) {
    await images?.close();
    throw error;
  }
  await images?.close();
  throw new DiskSnapshotError(
    'PERMISSION_DENIED',
    `${path} can be read neither by this process nor through a storage pool: make its folder a pool, or read it on its host`,
  );
}

const ABSENT: ReadonlySet<number> = new Set([
  ErrorNumber.NO_SUPPORT,
  ErrorNumber.NO_STORAGE_POOL,
  ErrorNumber.NO_STORAGE_VOL,
]);

async function* download(vol: StorageVol, signal: AbortSignal): AsyncGenerator<StreamChunk> {
  let part = PART_BYTES;
  for (let offset = 0; ; ) {
    const stream = await vol.connection.streamNew({ signal });
    await vol.download(stream, offset, part, { flags: StorageVolDownloadFlags.SPARSE_STREAM, signal });
    const start = offset;
    let onlyHoles = true;
    for await (const chunk of stream.readable({ sparse: true, signal }) as AsyncIterable<StreamChunk>) {
      offset += 'hole' in chunk ? chunk.hole : chunk.length;
      yield chunk;
      if ('hole' in chunk) continue;
      onlyHoles = false;
      // Behind a long hole the data comes in small parts again.
      if (part > PART_BYTES) break;
    }
    if (offset === start) return;
    part = onlyHoles ? Math.min(part * 2, LONGEST_HOLE) : PART_BYTES;
  }
}
