// The bytes of volumes, through libvirt's streams: read piece by piece, and brought back where they differ.
import { finished } from 'node:stream/promises';
import type { Connection, StorageVol } from '../../libvirt';
import { BLOCK } from './logical-volumes';

/**
 * libvirt queues without limit what a host sends and nobody takes: a piece is asked for when the one before it is done with.
 */
const PIECE = 8 * 1024 * 1024;

export interface CopyOptions {
  /** Bytes, of both. */
  size: number;
  /** Whether blocks that are equal already may be written as well: it takes fewer streams, and space of the snapshot. */
  mayRewrite: boolean;
  /** Before the first block is written. */
  begin(): Promise<void>;
  signal: AbortSignal;
  progress(done: number, total: number): void;
}

/** All of a volume, in order. */
export async function* contentOf(conn: Connection, vol: StorageVol, size: number, signal: AbortSignal) {
  for (const { offset, length } of pieces(size)) yield await read(conn, vol, offset, length, signal);
}

/**
 * Makes `to` equal to `from` by writing the blocks that differ. A block that differs from its snapshot has been copied aside
 * already, so that writing it takes no more of the snapshot's space, however often it is done. But libvirt looks through the
 * whole pool after each stream it wrote, which takes LVM a tenth of a second or more, and lets nobody write beside it: where
 * there is space for them, equal blocks between others are written too, so that a piece takes one stream.
 */
export async function copyDifferences(conn: Connection, from: StorageVol, to: StorageVol, options: CopyOptions) {
  const { size, mayRewrite, signal, progress } = options;
  let begun: Promise<void> | undefined;
  progress(0, size);
  for (const { offset, length } of pieces(size)) {
    const [wanted, found] = await Promise.all([from, to].map((vol) => read(conn, vol, offset, length, signal)));
    if (!wanted || !found) continue;
    const runs = [...differences(wanted, found)];
    for (const { start, end } of mayRewrite ? joined(runs) : runs) {
      signal.throwIfAborted();
      begun ??= options.begin();
      await begun;
      await write(conn, to, offset + start, wanted.subarray(start, end));
    }
    progress(offset + length, size);
  }
}

interface Run {
  start: number;
  end: number;
}

/** The runs of blocks in which two pieces of the same length differ. */
export function* differences(one: Buffer, other: Buffer): Generator<Run> {
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

/** One run from the start of the first to the end of the last. */
export function joined(runs: readonly Run[]): Run[] {
  const [first, last] = [runs[0], runs.at(-1)];
  return first && last ? [{ start: first.start, end: last.end }] : [];
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
  writable.end(data);
  await finished(writable);
}
