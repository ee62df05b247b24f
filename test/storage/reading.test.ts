// Reading what is hard to read: a disk in which a guest has forged a header, a disk that is full, a plug-in that reads by itself.
// Judged by the bytes of the files.
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Connection, registerSnapshotMethod, type SnapshotMethod, snapshotDisks } from '../../lib';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { BareDomain, qemuImg } from '../guest/bare-domain';
import { FarDaemon } from './far';

jest.setTimeout(180_000);
const MIB = 1024 * 1024;

let far: FarDaemon;
let directory: string;
beforeAll(async () => {
  far = await FarDaemon.start();
});
afterAll(() => far?.close());
beforeEach(async () => {
  directory = await temporaryDirectory('reading');
});
afterEach(() => rm(directory, { recursive: true }));

const at = (name: string) => join(directory, name);
async function checksum(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest('hex');
}

describe.each([
  ['this host', () => far.daemon.connect()],
  ['another host', () => far.connect()],
])('from %s', (_where, connect) => {
  let conn: Connection;
  beforeEach(async () => {
    conn = await connect();
  });
  afterEach(() => conn.close());

  test('a raw disk in which the guest wrote a header that names a file of the host is read as raw', async () => {
    await writeFile(at('secret'), 'the secret of the host '.repeat(50_000));
    const image = at('disk.raw');
    await qemuImg('create', '-q', '-f', 'qcow2', '-b', at('secret'), '-F', 'raw', image, '2M');
    const forged = await open(image, constants.O_RDWR);
    await forged.truncate(4 * MIB);
    await forged.close();
    const vm = await BareDomain.define(conn, at('vm'), { raw: { type: 'file', path: image } });
    const set = await snapshotDisks(vm.domain, {
      disks: { vda: { method: 'qemu', source: at('top') } },
      quiesce: 'never',
    });
    const expected = await readFile(image);
    const [disk] = set.disks;
    expect(disk).toMatchObject({ format: 'raw', virtualSize: 4 * MIB });

    const read = Buffer.concat((await disk?.read().toArray()) ?? []);
    expect(read.includes('the secret')).toBe(false);
    expect(read.equals(expected)).toBe(true);
    for (const format of ['raw', 'qcow2'] as const) {
      await disk?.export(at('out'), { format });
      await qemuImg('convert', '-f', format, '-O', 'raw', at('out'), at('out.raw'));
      expect((await readFile(at('out.raw'))).equals(expected)).toBe(true);
      for (const name of ['out', 'out.raw']) await rm(at(name));
    }
    await set.delete();
    await vm.remove();
    expect((await readdir(directory)).sort()).toEqual(['disk.raw', 'secret', 'vm']);
  });

  test('a slow reader of a disk that is full costs no more memory than a fast one', async () => {
    const path = at('full.raw');
    const file = await open(path, 'w');
    const block = Buffer.alloc(MIB);
    for (let i = 0; i < 384; i++) await file.write(block.fill((i % 251) | 1));
    await file.close();
    const vm = await BareDomain.define(conn, at('vm'), { raw: { type: 'file', path } });
    const disks = { vda: { method: 'qemu', source: at('top') } };
    const set = await snapshotDisks(vm.domain, { disks, quiesce: 'never' });
    const before = process.memoryUsage().rss;
    let most = 0;
    const slowly = async function* (bytes: AsyncIterable<Buffer>) {
      for await (const chunk of bytes) {
        for (let turn = 0; turn < 20; turn++) await nextTurn();
        most = Math.max(most, process.memoryUsage().rss);
        yield chunk;
      }
    };
    expect(await checksum(slowly(set.read('vda')))).toBe(await checksum(createReadStream(path)));
    expect(most - before).toBeLessThan(192 * MIB);
    await set.delete();
    await vm.remove();
  });
});

describe('a plug-in that reads by itself', () => {
  /** What it gives, piece by piece; it counts what was taken. */
  class Reading implements SnapshotMethod {
    readonly method = 'reading';
    readonly interfaceVersion = 1;
    readonly needs = 'any';
    taken = 0;
    destroyed = 0;
    failsAt = Number.POSITIVE_INFINITY;
    constructor(readonly pieces: readonly Buffer[]) {}
    parse = () => ({});
    plan = async () => ({ problems: [], creates: [], bytes: 0 });
    prepare = async () => ({});
    cut = async () => ({});
    undo = async () => undefined;
    exists = async () => true;
    delete = async () => undefined;
    revert = async () => undefined;
    backupSource = async () => ({ source: '<source file="/nowhere"/>', format: 'raw', modifiedDisk: null });
    read(): Readable {
      const plugin = this;
      let next = 0;
      return new Readable({
        highWaterMark: MIB,
        read() {
          plugin.taken = next + 1;
          if (next === plugin.failsAt) this.destroy(new Error('the array is on fire'));
          else this.push(plugin.pieces[next++] ?? null);
        },
        destroy(error, done) {
          plugin.destroyed++;
          done(error);
        },
      });
    }
  }
  const pieces = Array.from({ length: 64 }, (_, i) => Buffer.alloc(MIB, i % 3 === 0 ? 0 : i));
  const whole = createHash('sha256').update(Buffer.concat(pieces)).digest('hex');
  let plugin: Reading;
  let registration: Disposable;
  let conn: Connection;
  let vm: BareDomain;
  beforeEach(async () => {
    plugin = new Reading(pieces);
    registration = registerSnapshotMethod(plugin);
    conn = await far.daemon.connect();
    await mkdir(at('vm'));
    vm = await BareDomain.define(conn, at('vm'));
  });
  afterEach(async () => {
    await vm.remove();
    await conn.close();
    registration[Symbol.dispose]();
  });
  const take = () => snapshotDisks(vm.domain, { disks: { vda: 'reading' }, quiesce: 'never' });

  test('gives its bytes, and they are exported in either format, zeros as holes', async () => {
    const set = await take();
    expect(await checksum(set.read('vda'))).toBe(whole);
    for (const format of ['raw', 'qcow2'] as const) {
      await set.disks[0]?.export(at(format), { format });
      await qemuImg('convert', '-f', format, '-O', 'raw', at(format), at('copy'));
      expect(await checksum(createReadStream(at('copy')))).toBe(whole);
      await rm(at('copy'));
    }
    const { 'actual-size': bytes } = JSON.parse(await qemuImg('info', '--output=json', at('raw')));
    expect(bytes).toBeLessThan(48 * MIB);
    expect((await readdir(directory)).sort()).toEqual(['qcow2', 'raw', 'vm']);
  });

  test('is asked for no more than is read, and told when nobody reads on', async () => {
    const set = await take();
    const reading = set.read('vda');
    const closed = new Promise((resolve) => reading.once('close', resolve));
    for await (const _ of reading) break;
    await closed;
    expect(plugin.taken).toBeLessThan(10);
    expect(plugin.destroyed).toBe(1);
  });

  test('fails: the error is typed, says which method it was, and no export is left', async () => {
    plugin.failsAt = 20;
    const set = await take();
    const failed = {
      name: 'DiskSnapshotError',
      code: 'OPERATION_FAILED',
      disk: 'vda',
      message: expect.stringMatching(/method reading failed in read\(\): the array is on fire/),
    };
    await expect(checksum(set.read('vda'))).rejects.toMatchObject(failed);
    await expect(set.disks[0]?.export(at('out'))).rejects.toMatchObject(failed);
    expect(await readdir(directory)).toEqual(['vm']);
  });
});
