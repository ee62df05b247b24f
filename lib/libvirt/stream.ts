// virStream: bytes of a volume, a console or a picture, on their way.
import type { Duplex, Readable, Writable } from 'node:stream';
import { Handle, handleClass } from './handle';
import { type NodeStreamOptions, nodeStream } from './node-stream';
import type { CallOptions, FlagsArg } from './options';

/** That many zero bytes that nobody sends: the holes of sparse volumes. */
export interface Hole {
  /** How many bytes. */
  readonly hole: number;
}

/** What a sparse stream consists of. */
export type StreamChunk = Uint8Array | Hole;

/**
 * A stream: made by `streamNew`, connected by `download`, `upload`, `screenshot`, `openConsole` or `openChannel`. Its calls
 * never hold up others of the connection, and wait for data or for room however it was made (`NONBLOCK` adds nothing).
 *
 * libvirt queues what the host sends, whether it is read or not: a consumer that is much slower than the host costs as
 * much memory as it lags behind.
 *
 * @example
 * const stream = await conn.streamNew();
 * await vol.download(stream, 0, 0);
 * for await (const chunk of stream.readable()) process.stdout.write(chunk);
 */
export interface Stream {
  /** virStreamSend: how many bytes were taken: all, or fewer. At most 262,120 at once for old daemons. */
  send(data: Uint8Array, options?: CallOptions): Promise<number>;
  /** virStreamSendHole: `length` bytes that are zero; only where the upload has `SPARSE_STREAM`. */
  sendHole(length: number | bigint, flags?: FlagsArg<never>): Promise<void>;
  /**
   * virStreamRecv: how many bytes were put into `data`; 0: the end. A hole is read as zeros. After a call that was given up
   * by its signal or deadline, what came meanwhile may be missing.
   */
  recv(data: Uint8Array, options?: CallOptions): Promise<number>;
  /** virStreamRecvFlags: the same; with `STOP_AT_HOLE`, -3 where a hole comes next. */
  recvFlags(data: Uint8Array, flags?: FlagsArg<'StreamRecvFlagsValues'>): Promise<number>;
  /** virStreamRecvHole: how many bytes the hole has that the last receive stopped at. */
  recvHole(flags?: FlagsArg<never>): Promise<bigint>;
  /** virStreamFinish: waits until the other end has everything, or tells what went wrong there. Nothing can be done after it. */
  finish(options?: CallOptions): Promise<void>;
  /** virStreamAbort: ends it at once; calls that wait fail. What was written so far may stay. */
  abort(options?: CallOptions): Promise<void>;
}

/** A stream. Made by {@link Connection.streamNew}. */
export class Stream extends Handle {
  private constructor(...made: ConstructorParameters<typeof Handle>) {
    super(...made);
  }
  static {
    handleClass('Stream', Stream, (...made) => new Stream(...made));
  }

  /**
   * What comes, as a Readable of Buffers; with `sparse`, in object mode, of Buffers and {@link Hole}s. It finishes the
   * stream at its end, so that an error of the host is an error of the Readable; destroying it aborts the stream.
   */
  readable(options: NodeStreamOptions = {}): Readable {
    return nodeStream(this, { readable: true, writable: false }, options);
  }

  /**
   * A Writable that sends; with `sparse`, in object mode, also {@link Hole}s. `finish` is emitted when the host has
   * everything; destroying it before aborts the stream.
   */
  writable(options: NodeStreamOptions = {}): Writable {
    return nodeStream(this, { readable: false, writable: true }, options);
  }

  /** Both at once: a console. Ending the writing side ends the stream. */
  duplex(options: NodeStreamOptions = {}): Duplex {
    return nodeStream(this, { readable: true, writable: true }, options);
  }
}
