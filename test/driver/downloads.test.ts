// Volumes are downloaded in parts, so that a slow consumer finds no more than one piled up. What comes is what lies there.
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  type Connection,
  type Flags,
  type StoragePool,
  StorageVolDownloadFlags,
  type Stream,
  type StreamChunk,
} from '../../lib/libvirt';
import { PrivateLibvirtd } from '../../lib/testing';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { showFigures } from '../figures';

jest.setTimeout(120_000);
const MIB = 1024 * 1024;
/** What the addon asks for at a time. */
const PART = 32 * MIB;

let daemon: PrivateLibvirtd;
let conn: Connection;
let pool: StoragePool;
let directory: string;
const figures: object[] = [];
beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
  conn = await daemon.connect();
  directory = await temporaryDirectory('downloads');
  pool = await conn.storagePoolCreateXML(
    `<pool type='dir'><name>p</name><target><path>${directory}</path></target></pool>`,
  );
});
afterAll(async () => {
  showFigures('A dense volume and a slow consumer', figures);
  await conn?.close();
  await daemon?.close();
  await rm(directory, { recursive: true, force: true });
});

/** A file of this size that holds bytes of its own at these places, and holes elsewhere. */
async function file(name: string, size: number, places: readonly (readonly [at: number, length: number])[]) {
  const handle = await open(join(directory, name), 'w');
  await handle.truncate(size);
  for (const [at, length] of places) {
    for (let done = 0; done < length; done += MIB) {
      const bytes = randomBytes(Math.min(MIB, length - done));
      await handle.write(bytes, 0, bytes.length, at + done);
    }
  }
  await handle.sync();
  await handle.close();
  await pool.refresh();
}

async function downloading(
  name: string,
  offset = 0,
  length = 0,
  flags: Flags<'StorageVolDownloadFlags'> = 0,
): Promise<Stream> {
  const stream = await conn.streamNew();
  const volume = await pool.storageVolLookupByName(name);
  await volume.download(stream, offset, length, flags);
  return stream;
}

async function checksum(chunks: AsyncIterable<StreamChunk>): Promise<string> {
  const hash = createHash('sha256');
  const zeros = Buffer.alloc(MIB);
  for await (const chunk of chunks) {
    if (chunk instanceof Uint8Array) hash.update(chunk);
    else for (let left = chunk.hole; left > 0; left -= MIB) hash.update(zeros.subarray(0, Math.min(left, MIB)));
  }
  return hash.digest('hex');
}
const lying = (name: string, start: number, end: number) =>
  checksum(createReadStream(join(directory, name), { start, end: end - 1 }));

test('memory stays flat, however slow the consumer', async () => {
  const size = 384 * MIB;
  await file('dense', size, [[0, size]]);
  const stream = await downloading('dense');
  const before = process.memoryUsage.rss();
  let most = 0;
  const hash = createHash('sha256');
  let sinceRest = 0;
  for await (const chunk of stream.readable()) {
    hash.update(chunk);
    most = Math.max(most, process.memoryUsage.rss() - before);
    // The host needs 1 ms for a MiB: it would be done before us by far.
    sinceRest += chunk.length;
    if (sinceRest < MIB) continue;
    sinceRest = 0;
    await delay(5);
  }
  figures.push({ volume: size / MIB, 'grown by (MiB)': Math.round(most / MIB) });
  expect(hash.digest('hex')).toBe(await lying('dense', 0, size));
  // Some 60 MiB: a part, and what waits in JavaScript. Without parts: nearly all of the volume.
  expect(most).toBeLessThan(160 * MIB);
});

describe('what comes is what lies there', () => {
  const size = 3 * PART + 12345;
  beforeAll(async () => {
    await file('v', size, [[0, size]]);
    await file('exact', PART, [[0, PART]]);
    await file('empty', 0, []);
  });

  test.each<[string, string, number, number, number]>([
    ['the whole volume', 'v', 0, 0, size],
    ['from within the first part to the end', 'v', 1000, 0, size - 1000],
    ['one part', 'v', 7, PART, PART],
    ['a byte less than a part', 'v', 7, PART - 1, PART - 1],
    ['a byte more than a part', 'v', 7, PART + 1, PART + 1],
    ['two parts, and the second ends where the volume goes on', 'v', PART, 2 * PART, 2 * PART],
    ['beyond the end, of which there is nothing', 'v', 2 * PART, 5 * PART, size - 2 * PART],
    ['a volume that ends with a part', 'exact', 0, 0, PART],
    ['nothing at all', 'empty', 0, 0, 0],
  ])('%s', async (_what, name, offset, length, comes) => {
    const stream = await downloading(name, offset, length);
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream.readable()) chunks.push(chunk);
    expect(chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(comes);
    const sum = createHash('sha256').update(Buffer.concat(chunks)).digest('hex');
    expect(sum).toBe(comes === 0 ? createHash('sha256').digest('hex') : await lying(name, offset, offset + comes));
  });

  test.each<[string, number, (readonly [number, number])[]]>([
    [
      'a hole across the end of a part',
      2 * PART,
      [
        [0, PART - MIB],
        [PART + MIB, PART - MIB],
      ],
    ],
    ['a hole that begins with a part', 2 * PART, [[0, PART]]],
    ['a hole that ends with a part', 2 * PART, [[PART, PART]]],
    [
      'holes over many parts, and little between them',
      40 * PART,
      [
        [0, MIB],
        [20 * PART, MIB],
        [39 * PART, PART],
      ],
    ],
    ['data after a hole that a part ended in', 4 * PART, [[PART + 4096, 2 * PART]]],
    ['nothing but a hole', 20 * PART, []],
  ])('holes: %s', async (_what, total, places) => {
    await file('holes', total, places);
    const sparse = await downloading('holes', 0, 0, StorageVolDownloadFlags.SPARSE_STREAM);
    let holes = 0;
    const sum = checksum(
      (async function* () {
        for await (const chunk of sparse.readable({ sparse: true }) as AsyncIterable<StreamChunk>) {
          if (!(chunk instanceof Uint8Array)) holes += chunk.hole;
          yield chunk;
        }
      })(),
    );
    expect(await sum).toBe(await lying('holes', 0, total));
    expect(holes).toBe(total - places.reduce((bytes, [, length]) => bytes + length, 0));
    // Only a stretch of it, in the middle of everything; and once with holes that are read as zeros.
    const [offset, length] = [PART - 4096, Math.min(total - PART, 2 * PART)];
    const part = await downloading('holes', offset, length, StorageVolDownloadFlags.SPARSE_STREAM);
    expect(await checksum(part.readable({ sparse: true }))).toBe(await lying('holes', offset, offset + length));
    const zeros = await downloading('holes', offset, length, StorageVolDownloadFlags.SPARSE_STREAM);
    expect(await checksum(zeros.readable())).toBe(await lying('holes', offset, offset + length));
  });

  test('a volume that goes away meanwhile is an error, not an end', async () => {
    await file('short-lived', 2 * PART, [[0, 2 * PART]]);
    const stream = await downloading('short-lived');
    const data = Buffer.alloc(262_120);
    let come = 0;
    while (come < PART) come += await stream.recv(data.subarray(0, Math.min(data.length, PART - come)));
    await rm(join(directory, 'short-lived'));
    const next = stream.recv(data);
    await expect(next).rejects.toMatchObject({ name: 'LibvirtError' });
    await expect(stream.finish()).rejects.toMatchObject({ name: 'LibvirtError' });
  });

  test('an abort between two parts ends it', async () => {
    const stream = await downloading('v');
    const data = Buffer.alloc(262_120);
    let come = 0;
    while (come < PART) come += await stream.recv(data.subarray(0, Math.min(data.length, PART - come)));
    await stream.abort();
    await expect(stream.recv(data)).rejects.toThrow('the stream has been finished or aborted');
  });
});
