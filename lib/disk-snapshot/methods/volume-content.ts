// The bytes of volumes, through libvirt's streams: read piece by piece, and brought back where they differ.
import type { Connection, StorageVol } from '../../libvirt';

/**
 * libvirt queues without limit what a host sends and nobody takes: a piece is asked for when the one before it is done with.
 */
const PIECE = 8 * 1024 * 1024;
/** The smallest that LVM copies aside, and that file systems write. */
const BLOCK = 4096;

export interface CopyOptions {
  /** Bytes, of both. */
  size: number;
  signal: AbortSignal;
  progress(done: number, total: number): void;
}

/** All of a volume, in order. */
export async function* contentOf(conn: Connection, vol: StorageVol, size: number, signal: AbortSignal) {
  for (const { offset, length } of pieces(size)) yield await read(conn, vol, offset, length, signal);
}

/**
 * Makes `to` equal to `from` by writing nothing but the blocks that differ. A block that differs from its snapshot has been
 * copied aside already, so that writing it takes no more of the snapshot's space, however often it is done.
 */
export async function copyDifferences(conn: Connection, from: StorageVol, to: StorageVol, options: CopyOptions) {
  const { size, signal, progress } = options;
  progress(0, size);
  for (const { offset, length } of pieces(size)) {
    const [wanted, found] = await Promise.all([from, to].map((vol) => read(conn, vol, offset, length, signal)));
    if (!wanted || !found) continue;
    for (const { start, end } of differences(wanted, found)) {
      signal.throwIfAborted();
      await write(conn, to, offset + start, wanted.subarray(start, end));
    }
    progress(offset + length, size);
  }
}

/** The runs of blocks in which two pieces of the same length differ. */
export function* differences(one: Buffer, other: Buffer): Generator<{ start: number; end: number }> {
  if (one.equals(other)) return;
  let start = -1;
  for (let at = 0; at < one.length; at += BLOCK) {
    const end = Math.min(at + BLOCK, one.length);
    const differs = one.compare(other, at, end, at, end) !== 0;
    if (differs && start < 0) start = at;
    if (differs || start < 0) continue;
    yield { start, end: at };
    start = -1;
  }
  if (start >= 0) yield { start, end: one.length };
}

function* pieces(size: number) {
  for (let offset = 0; offset < size; offset += PIECE) yield { offset, length: Math.min(PIECE, size - offset) };
}

async function read(conn: Connection, vol: StorageVol, offset: number, length: number, signal: AbortSignal) {
  const stream = await conn.streamNew({ signal });
  await vol.download(stream, offset, length, { signal });
  const chunks: Buffer[] = [];
  for await (const chunk of stream.readable({ signal })) chunks.push(chunk);
  const data = Buffer.concat(chunks);
  if (data.length === length) return data;
  throw new RangeError(`${vol.getName()} gave ${data.length} bytes at ${offset}, where ${length} were asked for`);
}

/** To its end, whatever the caller does: half a block would be neither the old nor the new. */
async function write(conn: Connection, vol: StorageVol, offset: number, data: Buffer): Promise<void> {
  const stream = await conn.streamNew();
  await vol.upload(stream, offset, data.length);
  const writable = stream.writable();
  await new Promise<void>((resolve, reject) => writable.once('error', reject).end(data, resolve));
}
