// Data and holes on their way: as a Readable, and into a file.
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { StreamChunk } from '../../libvirt';
import { onAbort } from '../../libvirt/on-abort';

/** A source of data and holes; the signal ends it, and what it has set up goes with it. */
export type Chunks = (signal: AbortSignal) => AsyncIterable<StreamChunk>;

const ZEROS_BYTES = 1024 * 1024;

/** The bytes alone, holes as zeros. Nothing begins before the first read. */
export function readableOf(chunks: Chunks, signal: AbortSignal | undefined): Readable {
  return new ChunkReadable(chunks, signal);
}

class ChunkReadable extends Readable {
  readonly #controller = new AbortController();
  readonly #chunks: AsyncIterator<StreamChunk>;
  readonly #stopListening: () => void;
  /** What is left of a hole. */
  #zeros = 0;

  constructor(chunks: Chunks, signal: AbortSignal | undefined) {
    super({ highWaterMark: ZEROS_BYTES });
    this.#chunks = chunks(this.#controller.signal)[Symbol.asyncIterator]();
    const abort = () => this.destroy(signal?.reason);
    this.#stopListening = onAbort(signal, abort);
    if (signal?.aborted) abort();
  }

  override _read(): void {
    this.#next().then(
      (bytes) => this.push(bytes),
      (error) => this.destroy(error),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stopListening();
    this.#controller.abort(error ?? undefined);
    const ended = this.#chunks.return?.() ?? Promise.resolve();
    ended.then(
      () => done(error),
      () => done(error),
    );
  }

  async #next(): Promise<Uint8Array | null> {
    while (this.#zeros === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) return null;
      if (!('hole' in value)) return value;
      this.#zeros = value.hole;
    }
    const length = Math.min(this.#zeros, ZEROS_BYTES);
    this.#zeros -= length;
    return Buffer.alloc(length);
  }
}

/** Writes them into a file that is empty, holes as holes. */
export async function writeSparse(
  file: FileHandle,
  chunks: AsyncIterable<StreamChunk>,
  report: (done: number) => void,
): Promise<void> {
  let offset = 0;
  for await (const chunk of chunks) {
    if ('hole' in chunk) offset += chunk.hole;
    else {
      await file.write(chunk, 0, chunk.length, offset);
      offset += chunk.length;
    }
    report(offset);
  }
  await file.truncate(offset);
}

const BLOCK_BYTES = 64 * 1024;

/** What a plug-in reads knows no holes: whole blocks of zeros become some. */
export async function* findHoles(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<StreamChunk> {
  const zeros = Buffer.alloc(BLOCK_BYTES);
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; at += BLOCK_BYTES) {
      const block = chunk.subarray(at, at + BLOCK_BYTES);
      yield zeros.subarray(0, block.length).equals(block) ? { hole: block.length } : block;
    }
  }
}
