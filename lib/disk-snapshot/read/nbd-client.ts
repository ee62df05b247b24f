// The part of the NBD protocol that reading needs: fixed newstyle negotiation, structured replies, block status.
// https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
import type { Socket } from 'node:net';
import { DiskSnapshotError } from '../errors';

const MAGIC = { options: 0x49484156454f5054n, reply: 0x0003e889045565a9n, request: 0x25609513, chunk: 0x668e33ef };
const OPTION = { go: 7, structuredReply: 8, setMetaContext: 10 };
const REPLY = { ack: 1, info: 3, metaContext: 4, error: 0x8000_0000 };
const INFO_EXPORT = 0;
const COMMAND = { read: 0, disconnect: 2, blockStatus: 7 };
const CHUNK = { data: 1, hole: 2, blockStatus: 5, error: 0x8000 };
const CHUNK_DONE = 1;
const STATE_ZERO = 2;
const CONTEXT = 'base:allocation';

/** A stretch of the export. */
export interface Extent {
  length: number;
  /** Reads as zeros. */
  zero: boolean;
}

interface Chunk {
  type: number;
  done: boolean;
  payload: Buffer;
}

function bytesOf(...fields: readonly (readonly [size: 2 | 4 | 8, value: number | bigint])[]): Buffer {
  const buffer = Buffer.alloc(fields.reduce((sum, [size]) => sum + size, 0));
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 8) buffer.writeBigUInt64BE(BigInt(value), at);
    else buffer.writeUIntBE(Number(value), at, size);
    at += size;
  }
  return buffer;
}

/** One connection to an export, asked one thing at a time. */
export class NbdClient {
  /** Of the export, in bytes. */
  size = 0;
  #cookie = 0n;
  /** For the read that waits. */
  #wake = () => {};

  private constructor(private readonly socket: Socket) {
    const wake = () => this.#wake();
    socket.on('readable', wake).on('close', wake);
    socket.on('error', () => {}); // it is told by the read that meets it
  }

  /** Negotiates the default export; the socket is connected. */
  static async open(socket: Socket): Promise<NbdClient> {
    const client = new NbdClient(socket);
    await client.#negotiate();
    return client;
  }

  /** What the stretch from `offset` consists of; covers at least its beginning, and never more. */
  async extents(offset: number, length: number): Promise<Extent[]> {
    const extents: Extent[] = [];
    let left = length;
    for (const { type, payload } of await this.#ask(COMMAND.blockStatus, offset, length)) {
      if (type !== CHUNK.blockStatus) continue;
      for (let at = 4; at + 8 <= payload.length && left > 0; at += 8) {
        const covered = Math.min(payload.readUInt32BE(at), left);
        extents.push({ length: covered, zero: (payload.readUInt32BE(at + 4) & STATE_ZERO) !== 0 });
        left -= covered;
      }
    }
    if (extents.length === 0) throw broken('block status without an extent');
    return extents;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const data = Buffer.alloc(length);
    for (const { type, payload } of await this.#ask(COMMAND.read, offset, length)) {
      // A hole is zero already.
      if (type === CHUNK.data) payload.copy(data, Number(payload.readBigUInt64BE()) - offset, 8);
    }
    return data;
  }

  /** Says goodbye; the server then ends the connection. */
  disconnect(): void {
    if (this.socket.writable) this.socket.end(this.#request(COMMAND.disconnect, 0, 0));
  }

  async #negotiate(): Promise<void> {
    const greeting = await this.#take(18);
    if (greeting.readBigUInt64BE(8) !== MAGIC.options) throw broken('no NBD server');
    this.socket.write(bytesOf([4, 3])); // fixed newstyle, no zeroes
    await this.#option(OPTION.structuredReply, Buffer.alloc(0));
    const query = Buffer.from(CONTEXT);
    await this.#option(OPTION.setMetaContext, Buffer.concat([bytesOf([4, 0], [4, 1], [4, query.length]), query]));
    for (const { type, payload } of await this.#option(OPTION.go, bytesOf([4, 0], [2, 0]))) {
      if (type !== REPLY.info || payload.readUInt16BE() !== INFO_EXPORT) continue;
      this.size = Number(payload.readBigUInt64BE(2));
    }
  }

  async #option(option: number, data: Buffer): Promise<{ type: number; payload: Buffer }[]> {
    this.socket.write(Buffer.concat([bytesOf([8, MAGIC.options], [4, option], [4, data.length]), data]));
    const replies: { type: number; payload: Buffer }[] = [];
    for (;;) {
      const head = await this.#take(20);
      if (head.readBigUInt64BE() !== MAGIC.reply) throw broken('an unexpected answer to an option');
      const type = head.readUInt32BE(12);
      const payload = await this.#take(head.readUInt32BE(16));
      if (type >= REPLY.error) throw broken(`option ${option} refused: ${payload.toString() || type}`);
      if (type === REPLY.ack) return replies;
      replies.push({ type, payload });
    }
  }

  #request(command: number, offset: number, length: number): Buffer {
    this.#cookie++;
    return bytesOf([4, MAGIC.request], [2, 0], [2, command], [8, this.#cookie], [8, offset], [4, length]);
  }

  async #ask(command: number, offset: number, length: number): Promise<Chunk[]> {
    this.socket.write(this.#request(command, offset, length));
    const chunks: Chunk[] = [];
    for (;;) {
      const chunk = await this.#chunk();
      if (chunk.type >= CHUNK.error) {
        const text = chunk.payload.subarray(6, 6 + chunk.payload.readUInt16BE(4)).toString();
        throw broken(`at byte ${offset}: ${text || `error ${chunk.payload.readUInt32BE()}`}`);
      }
      chunks.push(chunk);
      if (chunk.done) return chunks;
    }
  }

  async #chunk(): Promise<Chunk> {
    const head = await this.#take(20);
    if (head.readUInt32BE() !== MAGIC.chunk || head.readBigUInt64BE(8) !== this.#cookie)
      throw broken('an unexpected answer');
    const payload = await this.#take(head.readUInt32BE(16));
    return { type: head.readUInt16BE(6), done: (head.readUInt16BE(4) & CHUNK_DONE) !== 0, payload };
  }

  async #take(count: number): Promise<Buffer> {
    if (count === 0) return Buffer.alloc(0);
    for (;;) {
      const bytes: Buffer | null = this.socket.read(count);
      if (bytes?.length === count) return bytes;
      if (bytes !== null || this.socket.readableEnded || this.socket.destroyed) {
        throw this.socket.errored ?? broken('the server ended the connection');
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function broken(what: string): DiskSnapshotError {
  return new DiskSnapshotError('OPERATION_FAILED', `QEMU's NBD server: ${what}`);
}
