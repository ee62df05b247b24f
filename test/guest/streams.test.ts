// Streams of volumes through a daemon: bytes, holes, errors, ends. Judged by checksums, du, and the daemon's open files.
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, readlink, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import {
  type Connection,
  type StorageVol,
  StorageVolDownloadFlags,
  StorageVolUploadFlags,
  type Stream,
  type StreamChunk,
} from '../../lib/libvirt';
import { PrivateLibvirtd } from '../../lib/testing';
import { temporaryDirectory } from '../../lib/testing/scratch';

jest.setTimeout(60_000);
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

let daemon: PrivateLibvirtd;
let conn: Connection;
let directory: string;
const at = (name: string) => join(directory, name);

beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
  conn = await daemon.connect();
});
afterAll(async () => {
  await conn.close();
  await daemon.close();
});
beforeEach(async () => {
  directory = await temporaryDirectory('streams');
  await conn.storagePoolCreateXML(`<pool type='dir'><name>p</name><target><path>${directory}</path></target></pool>`);
});
afterEach(async () => {
  await (await conn.storagePoolLookupByName('p')).destroy();
  await rm(directory, { recursive: true });
});

async function volume(name: string): Promise<StorageVol> {
  const pool = await conn.storagePoolLookupByName('p');
  await pool.refresh();
  return pool.storageVolLookupByName(name);
}

/** A file of this size that holds `data` at these places, and nothing else. */
async function sparseFile(name: string, size: number, data: readonly (readonly [number, Buffer])[]): Promise<void> {
  const file = await open(at(name), 'w');
  await file.truncate(size);
  for (const [position, bytes] of data) await file.write(bytes, 0, bytes.length, position);
  await file.sync();
  await file.close();
}

async function downloading(name: string, flags: number = 0): Promise<Stream> {
  const stream = await conn.streamNew();
  await (await volume(name)).download(stream, 0, 0, flags);
  return stream;
}

async function checksum(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

/** What the daemon has open below our folder. */
async function openInDaemon(): Promise<string[]> {
  const folder = `/proc/${daemon.pid}/fd`;
  const links = await Promise.all((await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => '')));
  return links.filter((path) => path.startsWith(directory));
}

/** The daemon closes what belonged to a stream a moment after the stream has ended. */
async function closedInDaemon(): Promise<void> {
  while ((await openInDaemon()).length > 0) await (await volume('v')).getInfo();
}

test('a download has the bytes of the volume', async () => {
  await sparseFile('v', 20 * MIB + 1, [
    [0, randomBytes(5 * MIB)],
    [17 * MIB, randomBytes(3 * MIB + 1)],
  ]);
  const stream = await downloading('v');
  expect(await checksum(stream.readable())).toBe(await checksum(createReadStream(at('v'))));
  await closedInDaemon();
});

test('a part of a volume: offset and length', async () => {
  const bytes = randomBytes(MIB);
  await sparseFile('v', MIB, [[0, bytes]]);
  const stream = await conn.streamNew();
  await (await volume('v')).download(stream, 1000, 5000n);
  expect(Buffer.concat(await stream.readable().toArray())).toEqual(bytes.subarray(1000, 6000));
});

test('10 GiB with holes: down and up again in seconds, the holes kept, memory flat', async () => {
  const data = randomBytes(2 * MIB);
  await sparseFile('v', 10 * GIB, [
    [0, data],
    [5 * GIB, data],
  ]);
  await sparseFile('copy', 10 * GIB, []);
  const source = await downloading('v', StorageVolDownloadFlags.SPARSE_STREAM);
  const target = await conn.streamNew();
  await (await volume('copy')).upload(target, 0, 0, StorageVolUploadFlags.SPARSE_STREAM);

  let holes = 0;
  let most = 0;
  const before = process.memoryUsage.rss();
  const start = performance.now();
  await pipeline(
    source.readable({ sparse: true }),
    async function* (chunks: AsyncIterable<StreamChunk>) {
      for await (const chunk of chunks) {
        most = Math.max(most, process.memoryUsage.rss() - before);
        if ('hole' in chunk) holes += chunk.hole;
        yield chunk;
      }
    },
    target.writable({ sparse: true }),
  );

  // Some tens of ms and 10 MiB; to send 10 GiB of zeros takes longer, to hold them more.
  expect(performance.now() - start).toBeLessThan(5_000);
  expect(most).toBeLessThan(64 * MIB);
  expect(holes).toBe(10 * GIB - 2 * data.length);
  for (const start of [0, 5 * GIB]) {
    const part = { start, end: start + 4 * MIB };
    expect(await checksum(createReadStream(at('copy'), part))).toBe(await checksum(createReadStream(at('v'), part)));
  }
  const { size, blocks } = await stat(at('copy'));
  expect(size).toBe(10 * GIB);
  expect(blocks * 512).toBeLessThan(8 * MIB);
});

test('without sparse, holes are zeros', async () => {
  await sparseFile('v', 8 * MIB, [[4 * MIB, randomBytes(100)]]);
  const stream = await downloading('v', StorageVolDownloadFlags.SPARSE_STREAM);
  expect(await checksum(stream.readable())).toBe(await checksum(createReadStream(at('v'))));
});

test('what is written has arrived when the Writable has finished', async () => {
  const bytes = randomBytes(3 * MIB + 7);
  await sparseFile('v', bytes.length, []);
  const stream = await conn.streamNew();
  await (await volume('v')).upload(stream, 0, bytes.length);
  await pipeline(Readable.from([bytes.subarray(0, 10), bytes.subarray(10)], { objectMode: false }), stream.writable());
  expect(await checksum(createReadStream(at('v')))).toBe(await checksum(Readable.from([bytes])));
});

test('a consumer that stops aborts the stream: nothing stays open', async () => {
  await sparseFile('v', 64 * MIB, [[0, randomBytes(64 * MIB)]]);
  const stream = await downloading('v');
  for await (const chunk of stream.readable()) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  await closedInDaemon();
  await expect(stream.recv(Buffer.alloc(10))).rejects.toThrow('the stream has been finished or aborted');
  await expect(stream.abort()).rejects.toThrow('the stream has been finished or aborted');
});

test('a signal ends a stream with its reason', async () => {
  await sparseFile('v', 64 * MIB, [[0, randomBytes(64 * MIB)]]);
  const controller = new AbortController();
  const reason = new Error('enough');
  const stream = await downloading('v');
  const readable = stream.readable({ signal: controller.signal });
  readable.once('data', () => controller.abort(reason));
  await expect(readable.toArray()).rejects.toBe(reason);
  await closedInDaemon();
});

test('closing the connection ends a stream that waits', async () => {
  const own = await daemon.connect();
  await sparseFile('v', MIB, []);
  const vol = await (await own.storagePoolLookupByName('p')).storageVolLookupByName('v').catch(async () => {
    await (await own.storagePoolLookupByName('p')).refresh();
    return (await own.storagePoolLookupByName('p')).storageVolLookupByName('v');
  });
  const stream = await own.streamNew();
  await vol.upload(stream, 0, 0);
  const waiting = expect(stream.recv(Buffer.alloc(1))).rejects.toThrow();
  await own.close();
  await waiting;
});

test('writing beyond the length is an error of the host, told at the end', async () => {
  await sparseFile('v', MIB, []);
  const stream = await conn.streamNew();
  await (await volume('v')).upload(stream, 0, 100);
  const writable = stream.writable();
  await expect(pipeline(Readable.from([randomBytes(MIB)], { objectMode: false }), writable)).rejects.toMatchObject({
    name: 'LibvirtError',
  });
});

test('what is no buffer is refused', async () => {
  const stream = await conn.streamNew();
  await expect(stream.recv('x' as never)).rejects.toMatchObject({
    code: 'ERR_INVALID_ARG_TYPE',
    message: "The argument 'data' of virStreamRecv must be a Uint8Array",
  });
});
