// Images that we cannot open ourselves, on whatever host: as volumes of a storage pool, through libvirt alone.
import { dirname } from 'node:path';
import { type Connection, type StorageVol, StorageVolDownloadFlags, type StreamChunk } from '../../libvirt';
import { child, element, formatXml, parseXml } from '../../xml/document';
import { DiskSnapshotError } from '../errors';
import { orAbsent } from '../images/absent';
import { isOfEndedPool, isTemporary, temporaryPool } from '../images/pool-images';
import { copyName } from './copy-name';

/**
 * libvirt queues what the host sends, read or not: a download is asked for in parts, so that a slow reader costs no more
 * memory than one part.
 */
const PART_BYTES = 64 * 1024 * 1024;
const LONGEST_HOLE = 2 ** 40;
/** Beginnings in a row that came to nothing, because somebody else ended the pool. */
const MOST_ENDS = 100;

/** An image as a volume, and a way to work on it while its pool is there. */
interface Image {
  vol: StorageVol;
  /** Its pool is one that others may end at any moment. */
  isTemporary: boolean;
  use<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** As records and definitions have it: what a pool says of the format is a guess at what a guest may have written. */
export interface VolumeImage {
  path: string;
  format: string;
}

/** The bytes of the file itself. */
export async function* readVolume(conn: Connection, path: string, signal: AbortSignal): AsyncGenerator<StreamChunk> {
  const image = await imageOf(conn, path, signal);
  try {
    yield* download(image, image.vol, signal);
  } finally {
    await image.close();
  }
}

/**
 * The image with all that lies below it, as one image of `format`; what is not that already, the host copies into a volume.
 * It is of no raw image: the host probes what it copies, and would believe what a guest wrote into its disk.
 */
export async function* readFlattened(
  conn: Connection,
  { path, format: stored }: VolumeImage,
  format: 'raw' | 'qcow2',
  signal: AbortSignal,
): AsyncGenerator<StreamChunk> {
  if (stored === 'raw') throw new TypeError(`${path} is raw: it is read as it is`);
  const image = await imageOf(conn, path, signal);
  const { vol, use } = image;
  try {
    const own = parseXml(await use(() => vol.getXMLDesc({ signal })));
    const probed = child(own, 'target', 'format')?.attributes.type;
    if (probed !== stored) {
      throw new DiskSnapshotError(
        'OPERATION_FAILED',
        `${path} is recorded as ${stored}, and its pool takes it for ${probed}: it is not read through the pool. Read it on its host`,
      );
    }
    const isWhole = child(own, 'backingStore') === undefined;
    if (isWhole && stored === format) {
      yield* download(image, vol, signal);
      return;
    }
    const { capacity } = await use(() => vol.getInfo({ signal }));
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
    const flat = await use(async () => (await vol.storagePoolLookupByVolume()).storageVolCreateXMLFrom(xml, vol));
    try {
      signal.throwIfAborted();
      yield* download(image, flat, signal);
    } finally {
      await use(() => flat.delete());
    }
  } finally {
    await image.close();
  }
}

async function imageOf(conn: Connection, path: string, signal: AbortSignal): Promise<Image> {
  const listed = await orAbsent(conn.storageVolLookupByPath(path, { signal }));
  const pool = listed && (await orAbsent(listed.storagePoolLookupByVolume({ signal })));
  if (listed && pool && !isTemporary(pool))
    return { vol: listed, isTemporary: false, use: (work) => work(), close: async () => undefined };
  const images = await temporaryPool(conn, dirname(path), { signal });
  try {
    const vol = await images?.volume(path, { signal });
    if (images && vol) {
      return { vol, isTemporary: true, use: (work) => images.inPool(path, work), close: () => images.close() };
    }
  } catch (error) {
    await images?.close();
    throw error;
  }
  await images?.close();
  if (images) throw new DiskSnapshotError('NOT_FOUND', `${path} is gone: bring it back, or delete the snapshot`);
  throw new DiskSnapshotError(
    'PERMISSION_DENIED',
    `${path} can be read neither by this process nor through a storage pool: make its folder a pool, or read it on its host`,
  );
}

async function* download(
  { use, isTemporary: mayEnd }: Image,
  vol: StorageVol,
  signal: AbortSignal,
): AsyncGenerator<StreamChunk> {
  let part = PART_BYTES;
  let ends = 0;
  for (let offset = 0; ; ) {
    const from = offset;
    const length = part;
    const stream = await use(async () => {
      const opened = await vol.connection.streamNew({ signal });
      await vol.download(opened, from, length, { flags: StorageVolDownloadFlags.SPARSE_STREAM, signal });
      return opened;
    });
    let onlyHoles = true;
    try {
      for await (const chunk of stream.readable({ sparse: true, signal }) as AsyncIterable<StreamChunk>) {
        offset += 'hole' in chunk ? chunk.hole : chunk.length;
        ends = 0;
        yield chunk;
        if ('hole' in chunk) continue;
        onlyHoles = false;
        // Behind a long hole the data comes in small parts again.
        if (part > PART_BYTES) break;
      }
    } catch (error) {
      // The addon asks for a long part in several: the pool may have gone between two. The rest is asked for anew.
      if (!mayEnd || !isOfEndedPool(error) || ++ends > MOST_ENDS) throw error;
      continue;
    }
    if (offset === from) return;
    part = onlyHoles ? Math.min(part * 2, LONGEST_HOLE) : PART_BYTES;
  }
}
