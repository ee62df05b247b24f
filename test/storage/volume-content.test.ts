// Bytes that are brought back into a volume through libvirt's streams: all of them, or the call fails. On a pool of files; the
// files themselves judge.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import type { Connection, StoragePool } from '../../lib';
import { copyDifferences } from '../../lib/disk-snapshot/methods/volume-content';
import { PrivateLibvirtd } from '../../lib/testing';
import { run } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { element, formatXml } from '../../lib/xml/document';

jest.setTimeout(60_000);
const MIB = 1024 * 1024;
const SIZE = 20 * MIB;

let daemon: PrivateLibvirtd;
let conn: Connection;
let directory: string;
/** A file system of 2 MiB. */
let small: string;
beforeAll(async () => {
  directory = await temporaryDirectory('volumes');
  small = join(directory, 'small');
  await mkdir(small);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=2M', 'tmpfs', small]); // before the daemon, which sees what was mounted then
  daemon = await PrivateLibvirtd.start();
  conn = await daemon.connect();
});
afterAll(async () => {
  await conn?.close();
  await daemon?.close();
  await run('umount', [small]);
  await rm(directory, { recursive: true });
});

let begun: number;
let done: number[];
beforeEach(() => {
  begun = 0;
  done = [];
});
const options = (signal = new AbortController().signal) => ({
  size: SIZE,
  mayRewrite: false,
  begin: async () => void begun++,
  signal,
  progress: (bytes: number) => void done.push(bytes),
});

function pool(name: string, path: string): Promise<StoragePool> {
  const target = element('target', {}, element('path', {}, path));
  return conn.storagePoolCreateXML(formatXml(element('pool', { type: 'dir' }, element('name', {}, name), target)));
}
/** What the guest had, and what it has now: blocks differ at both ends of the first piece, and within the last. */
async function contents(): Promise<{ wanted: Buffer; found: Buffer }> {
  const wanted = Buffer.alloc(SIZE, 1);
  const found = Buffer.from(wanted);
  for (const at of [0, 8 * MIB - 4096, 19 * MIB]) found.fill(2, at, at + 4096);
  await writeFile(join(directory, 'from'), wanted);
  return { wanted, found };
}
const volume = async (of: StoragePool, name: string) => {
  await of.refresh();
  return of.storageVolLookupByName(name);
};

test('what differs is written, after it was said that it begins; where nothing differs, it does not begin', async () => {
  const { wanted, found } = await contents();
  await writeFile(join(directory, 'to'), found);
  const files = await pool('files', directory);
  const [from, to] = [await volume(files, 'from'), await volume(files, 'to')];
  await copyDifferences(conn, from, to, options());
  expect((await readFile(join(directory, 'to'))).equals(wanted)).toBe(true);
  expect(begun).toBe(1);
  expect(done.at(-1)).toBe(SIZE);
  await copyDifferences(conn, from, to, options());
  expect(begun).toBe(1);
  await files.destroy();
});

test('where the storage takes no more, the call fails', async () => {
  await contents();
  await run('truncate', ['--size', String(SIZE), join(small, 'to')]);
  const [files, full] = [await pool('files', directory), await pool('full', small)];
  const work = copyDifferences(conn, await volume(files, 'from'), await volume(full, 'to'), options());
  await expect(work).rejects.toMatchObject({ name: 'LibvirtError', message: expect.stringMatching(/No space left/) });
  expect(done.at(-1)).toBe(0);
  await files.destroy();
  await full.destroy();
  await rm(join(small, 'to'));
});

test('an abort before the first difference ends it, and nothing was written', async () => {
  const { found } = await contents();
  await writeFile(join(directory, 'to'), found);
  const files = await pool('files', directory);
  const work = copyDifferences(
    conn,
    await volume(files, 'from'),
    await volume(files, 'to'),
    options(AbortSignal.abort(new Error('enough'))),
  );
  await expect(work).rejects.toThrow('enough');
  expect((await readFile(join(directory, 'to'))).equals(found)).toBe(true);
  expect(begun).toBe(0);
  await files.destroy();
});

test('an upload of more than was announced fails', async () => {
  await writeFile(join(directory, 'to'), Buffer.alloc(SIZE));
  const files = await pool('files', directory);
  const to = await volume(files, 'to');
  const stream = await conn.streamNew();
  await to.upload(stream, 0, MIB);
  const writable = stream.writable();
  writable.end(Buffer.alloc(3 * MIB, 7));
  await expect(finished(writable)).rejects.toMatchObject({ name: 'LibvirtError' });
  await files.destroy();
});
