// A stream of libvirt as one of Node: backpressure, ends, errors, holes.
import { Duplex } from 'node:stream';
import { argumentError } from './errors';
import { StreamRecvFlagsValues } from './generated/constants';
import { onAbort } from './on-abort';
import type { Hole, Stream, StreamChunk } from './stream';

/** How a stream of Node is made of one of libvirt. */
export interface NodeStreamOptions {
  /** Holes are {@link Hole}s of their own, in object mode, instead of zeros. Default: false. */
  sparse?: boolean | undefined;
  /** Destroys the stream with `signal.reason`, and aborts libvirt's. */
  signal?: AbortSignal | undefined;
}

/** The most that every libvirtd takes in one message of a stream. */
const MESSAGE_BYTES = 262_120;
/** How much waits here, in either direction. */
const QUEUE_MESSAGES = 4;
/** What virStreamRecvFlags returns where a hole comes next. */
const AT_HOLE = -3;

export function nodeStream(
  stream: Stream,
  sides: { readable: boolean; writable: boolean },
  options: NodeStreamOptions,
): Duplex {
  return new NodeStream(stream, sides, options);
}

const isHole = (chunk: unknown): chunk is Hole =>
  typeof chunk === 'object' && chunk !== null && 'hole' in chunk && typeof chunk.hole === 'number';

class NodeStream extends Duplex {
  readonly #stream: Stream;
  readonly #sparse: boolean;
  readonly #stopListening: () => void;
  #finished: Promise<void> | undefined;

  constructor(stream: Stream, sides: { readable: boolean; writable: boolean }, options: NodeStreamOptions) {
    const { sparse = false, signal } = options;
    super({
      ...sides,
      objectMode: sparse,
      highWaterMark: sparse ? QUEUE_MESSAGES : QUEUE_MESSAGES * MESSAGE_BYTES,
      decodeStrings: true,
      allowHalfOpen: false,
    });
    this.#stream = stream;
    this.#sparse = sparse;
    const abort = () => this.destroy(signal?.reason);
    this.#stopListening = onAbort(signal, abort);
    if (signal?.aborted) abort();
  }

  override _read(): void {
    this.#receive().then(
      (chunk) => this.push(chunk),
      (error) => this.#readFailed(error),
    );
  }

  /** Our own finish ends a read that waits: the stream is over then, and nothing has failed unless the finish does. */
  #readFailed(error: Error): void {
    if (this.#finished === undefined) this.destroy(error);
    else
      this.#finished.then(
        () => this.push(null),
        () => this.destroy(error),
      );
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#finish().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stopListening();
    const end = this.#finished ?? this.#stream.abort();
    // Whatever became of it: the error that destroys is the one to be told.
    end.then(
      () => done(error),
      () => done(error),
    );
  }

  #finish(): Promise<void> {
    this.#finished ??= this.#stream.finish();
    return this.#finished;
  }

  async #receive(): Promise<StreamChunk | null> {
    const data = Buffer.allocUnsafeSlow(MESSAGE_BYTES);
    for (;;) {
      const count = this.#sparse
        ? await this.#stream.recvFlags(data, StreamRecvFlagsValues.STOP_AT_HOLE)
        : await this.#stream.recv(data);
      if (count === AT_HOLE) {
        const hole = Number(await this.#stream.recvHole());
        if (hole > 0) return { hole };
      } else if (count === 0) {
        await this.#finish();
        return null;
      } else {
        // A few bytes shall not hold the memory of many.
        return count < data.length / 2 ? Buffer.from(data.subarray(0, count)) : data.subarray(0, count);
      }
    }
  }

  async #send(chunk: unknown): Promise<void> {
    if (isHole(chunk)) {
      await this.#stream.sendHole(chunk.hole);
      return;
    }
    if (!(chunk instanceof Uint8Array))
      throw argumentError('ERR_INVALID_ARG_TYPE', 'A chunk for a stream must be a Uint8Array, or { hole: bytes }');
    for (let sent = 0; sent < chunk.length; ) {
      sent += await this.#stream.send(chunk.subarray(sent, sent + MESSAGE_BYTES));
    }
  }
}
