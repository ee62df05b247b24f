// Reading and exporting snapshots: the bytes that the guest saw, from this host and as from another one. Judged by
// qemu-img, cmp, du, the processes that are left, and e2fsck.
import { execFile, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync, readdirSync, writeFileSync } from 'node:fs';
import fs, { mkdir, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { snapshotDisks } from '../../lib/disk-snapshot/create';
import { findDiskSnapshot } from '../../lib/disk-snapshot/list';
import { diagnose } from '../../lib/disk-snapshot/look/diagnose';
import type { DiskSnapshotSet } from '../../lib/disk-snapshot/types';
import { type Connection, connect } from '../../lib/libvirt';
import { PrivateLibvirtd, TestGuest, verifyConsistency } from '../../lib/testing';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { BareDomain, fill, qemuImg } from './bare-domain';

jest.setTimeout(120_000);
const exec = promisify(execFile);
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

let daemon: PrivateLibvirtd;
let remoteUri: string;
let directory: string;
const at = (name: string) => join(directory, name);

beforeAll(async () => {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address() as { port: number };
  await new Promise((closed) => free.close(closed));
  daemon = await PrivateLibvirtd.start({
    configuration: [
      'listen_tls = 0',
      'listen_tcp = 1',
      'auth_tcp = "none"',
      'listen_addr = "127.0.0.1"',
      `tcp_port = "${port}"`,
    ],
    args: ['--listen'],
  });
  remoteUri = `qemu+tcp://127.0.0.1:${port}/system`;
});
afterAll(() => daemon.close());
beforeEach(async () => {
  directory = await temporaryDirectory('read');
});
afterEach(() => rm(directory, { recursive: true }));

async function checksum(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest('hex');
}
/** What qemu-img makes of the image, as the other opinion. */
async function converted(path: string): Promise<string> {
  await qemuImg('convert', '-O', 'raw', path, at('other'));
  const sum = await checksum(createReadStream(at('other')));
  await rm(at('other'));
  return sum;
}
async function readersLeft(): Promise<string[]> {
  const { stdout } = await exec('ps', ['-eo', 'args']);
  return stdout.split('\n').filter((line) => /^qemu-(nbd|img) /.test(line) && line.includes(directory));
}

describe.each([
  ['this host', () => daemon.uri],
  ['another host', () => remoteUri],
])('from %s', (_where, uri) => {
  let conn: Connection;
  let vm: BareDomain;
  let set: DiskSnapshotSet;
  /** The middle of three layers: it lies on one, and another on it. */
  let source: string;

  beforeEach(async () => {
    conn = await connect(uri());
    vm = await BareDomain.define(conn, at('vm'));
    await fill(await vm.source('vda'), 7, 0, 3);
    await vm.layers(2);
    source = await vm.source('vda');
    set = await snapshotDisks(vm.domain, { name: 'cut', quiesce: 'never' });
    await fill(await vm.source('vda'), 99, 0, 8); // after the cut
  });
  afterEach(async () => {
    await vm.remove();
    expect(await conn.listAllStoragePools()).toEqual([]);
    await conn.close();
    expect(await readersLeft()).toEqual([]);
    expect((await readdir(at('vm'))).filter((name) => name.includes('read'))).toEqual([]);
  });

  test('read gives what the guest saw, through the whole chain', async () => {
    expect(await checksum(set.read('vda'))).toBe(await converted(source));
  });

  test("as 'file' it gives the bytes of the image alone", async () => {
    const bytes = set.disks[0]?.read({ as: 'file' }) as AsyncIterable<Uint8Array>;
    expect(await checksum(bytes)).toBe(await checksum(createReadStream(source)));
  });

  test('where its image is gone, that is said', async () => {
    await rename(source, `${source}.away`);
    const gone = { code: 'NOT_FOUND', disk: 'vda', message: expect.stringContaining(`${source} is gone`) };
    await expect(set.read('vda').toArray()).rejects.toMatchObject(gone);
    await expect(set.disks[0]?.export(at('copy'))).rejects.toMatchObject(gone);
    await rename(`${source}.away`, source);
  });

  test('read while the guest runs', async () => {
    await vm.domain.create();
    expect(await checksum(set.read('vda'))).toBe(await converted(source));
  });

  test.each(['raw', 'qcow2'] as const)('exports as %s, holes kept, with progress', async (format) => {
    const progress: number[] = [];
    await set.disks[0]?.export(at('out'), {
      format,
      onProgress: ({ phase, done, total }) => {
        expect(phase).toBe('copy');
        expect(done).toBeLessThanOrEqual(total);
        progress.push(done);
      },
    });
    const info = JSON.parse(await qemuImg('info', '--output=json', at('out'))) as Record<string, unknown>;
    expect(info).toMatchObject({ format, 'virtual-size': 64 * MIB });
    expect(info).not.toHaveProperty('backing-filename');
    expect(await converted(at('out'))).toBe(await converted(source));
    const { blocks, mode } = await stat(at('out'));
    expect(blocks * 512).toBeLessThan(8 * MIB);
    expect(mode & 0o777).toBe(0o600);
    expect(progress.length).toBeGreaterThan(0);
    expect(await readdir(directory)).toEqual(['out', 'vm']);
  });

  test('an export never overwrites, and leaves nothing when aborted', async () => {
    await writeFile(at('mine'), 'mine');
    await expect(set.disks[0]?.export(at('mine'))).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    expect(await readFile(at('mine'), 'utf8')).toBe('mine');

    await expect(set.disks[0]?.export(at('nowhere/x'))).rejects.toMatchObject({ code: 'NOT_FOUND' });

    const controller = new AbortController();
    const reason = new Error('enough');
    const exporting = set.disks[0]?.export(at('out'), {
      signal: controller.signal,
      format: 'raw',
      onProgress: () => controller.abort(reason),
    });
    await expect(exporting).rejects.toBe(reason);
    expect(await readdir(directory)).toEqual(['mine', 'vm']);
  });

  test.each(['raw', 'qcow2'] as const)('an export as %s whose process is killed leaves nothing', async (format) => {
    const reader = spawn(process.execPath, [join(__dirname, 'reader.cjs'), uri(), 'vm', 'cut', format, at('out')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(reader, 'exit');
    await once(reader.stdout as Readable, 'data');
    reader.kill('SIGKILL');
    await ended;
    expect(await readdir(directory)).toEqual(['vm']);
    await diagnose(vm.domain, { fix: true }); // the copy that the host made for it
  });

  test('where a file cannot be without a name, it has one of its own until it is complete', async () => {
    const open = fs.open.bind(fs);
    const opening = jest.spyOn(fs, 'open').mockImplementation(async (path, flags, mode) => {
      if (path === directory && flags !== 'r') throw Object.assign(new Error('not supported'), { code: 'EISDIR' });
      return open(path, flags, mode);
    });
    const names = new Set<string>();
    const onProgress = () => {
      for (const name of readdirSync(directory)) names.add(name);
    };
    await set.disks[0]?.export(at('out'), { format: 'raw', onProgress });
    opening.mockRestore();
    expect([...names].sort()).toEqual([expect.stringMatching(/^\.out\.[0-9a-f]{12}$/), 'vm']);
    expect(await checksum(createReadStream(at('out')))).toBe(await converted(source));
    expect(await readdir(directory)).toEqual(['out', 'vm']);
  });

  test.each(['raw', 'qcow2'] as const)('no space for an export as %s: said, and nothing is left', async (format) => {
    await mkdir(at('small'));
    await exec('mount', ['-t', 'tmpfs', '-o', 'size=1M', 'none', at('small')]);
    try {
      const message = expect.stringContaining('free some space');
      const refused = { name: 'DiskSnapshotError', code: 'NO_SPACE', message };
      await expect(set.disks[0]?.export(at('small/out'), { format })).rejects.toMatchObject(refused);
      expect(await readdir(at('small'))).toEqual([]);
      // What has no name any more is gone, too.
      const { bfree, blocks } = await fs.statfs(at('small'));
      expect(bfree).toBe(blocks);
    } finally {
      await exec('umount', [at('small')]);
    }
    await rm(at('small'), { recursive: true });
  });

  test('a file that appeared meanwhile stays', async () => {
    const onProgress = () => {
      if (!existsSync(at('out'))) writeFileSync(at('out'), 'mine');
    };
    await expect(set.disks[0]?.export(at('out'), { onProgress })).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    expect(await readFile(at('out'), 'utf8')).toBe('mine');
    expect(await readdir(directory)).toEqual(['out', 'vm']);
  });

  test('a reader that stops leaves nothing; while it reads, nothing is deleted', async () => {
    for await (const chunk of set.read('vda')) {
      expect(chunk.length).toBeGreaterThan(0);
      await expect(set.delete()).rejects.toMatchObject({ code: 'IN_USE', outcome: 'unchanged', disk: 'vda' });
      break;
    }
    await set.delete();
    await expect(checksum(set.read('vda'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a signal ends a reader with its reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const reading = set.read('vda', { signal: controller.signal });
    reading.once('data', () => controller.abort(reason));
    await expect(checksum(reading)).rejects.toBe(reason);
  });

  test('a slow reader costs no memory, however big the disk', async () => {
    const path = at('big.raw');
    await writeFile(path, '');
    await truncate(path, 20 * GIB);
    const big = await BareDomain.define(conn, at('big'), { raw: { type: 'file', path } });
    const cut = await snapshotDisks(big.domain, { name: 'cut', quiesce: 'never' });
    const before = process.memoryUsage().rss;
    let most = 0;
    let read = 0;
    const reading = cut.read('vda');
    const closed = new Promise((resolve) => reading.once('close', resolve));
    for await (const chunk of reading) {
      read += chunk.length;
      most = Math.max(most, process.memoryUsage().rss);
      if (read > 2 * GIB) break;
    }
    await closed; // who leaves the loop does not wait for it
    expect(most - before).toBeLessThan(200 * MIB);
    await big.remove();
  });
});

describe('a snapshot that QEMU cannot serve, or not to the end', () => {
  let conn: Connection;
  let vm: BareDomain;
  let set: DiskSnapshotSet;
  let source: string;
  beforeEach(async () => {
    conn = await daemon.connect();
    vm = await BareDomain.define(conn, at('vm'));
    source = await vm.source('vda');
    await fill(source, 7, 0, 16);
    set = await snapshotDisks(vm.domain, { name: 'cut', quiesce: 'never' });
  });
  afterEach(async () => {
    await vm.remove();
    await conn.close();
    expect(await readersLeft()).toEqual([]);
  });
  const reason = (code: string, text: string) => ({ code, disk: 'vda', message: expect.stringContaining(text) });

  test('for somebody writes to the image: IN_USE', async () => {
    const writer = spawn('qemu-io', ['-f', 'qcow2', source], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(writer.stdout, 'data'); // its prompt: it has the image open
    const ended = once(writer, 'exit');
    try {
      // Its end is seen by its exit, or by its socket, whichever comes first.
      const many = Array.from({ length: 10 }, () => set.read('vda').toArray());
      for (const one of await Promise.allSettled(many))
        expect(one).toMatchObject({ status: 'rejected', reason: reason('IN_USE', 'lock') });
      await expect(set.disks[0]?.export(at('copy'))).rejects.toMatchObject(reason('IN_USE', 'lock'));
      expect(existsSync(at('copy'))).toBe(false);
    } finally {
      writer.stdin.end();
      await ended;
    }
    expect(await checksum(set.read('vda'))).toBe(await converted(source));
  });

  test('for the image is damaged: QEMU says why', async () => {
    await writeFile(source, 'no image any more');
    await expect(set.read('vda').toArray()).rejects.toMatchObject(reason('OPERATION_FAILED', 'qcow2'));
    await expect(set.disks[0]?.export(at('copy'))).rejects.toMatchObject(reason('OPERATION_FAILED', 'qcow2'));
  });

  test('for it is killed', async () => {
    const reading = set.read('vda');
    await once(reading, 'readable');
    const { stdout } = await exec('pgrep', ['--parent', `${process.pid}`, 'qemu-nbd']);
    process.kill(Number(stdout), 'SIGKILL');
    await expect(reading.toArray()).rejects.toMatchObject(reason('OPERATION_FAILED', 'qemu-nbd'));
  });
});

test('what is exported of a quiesced guest that runs is clean', async () => {
  await using guest = await TestGuest.boot();
  const set = await snapshotDisks(guest.domain, { quiesce: 'required' });
  for (const disk of set.disks) {
    await disk.export(at(disk.disk));
    expect(await verifyConsistency(at(disk.disk))).toMatchObject({ clean: true, sound: true });
    await pipeline(disk.read(), createWriteStream(at(`${disk.disk}.raw`)));
    expect(await verifyConsistency(at(`${disk.disk}.raw`))).toMatchObject({ clean: true, sound: true });
  }
  const found = await findDiskSnapshot(guest.domain, set.name);
  await found?.delete();
});

test.each([
  ['this host', () => daemon.uri],
  ['another host', () => remoteUri],
])('the copy of a reader that was killed is told, and removed by a fix, from %s', async (_where, uri) => {
  const conn = await connect(uri());
  const vm = await BareDomain.define(conn, at('vm'));
  await vm.layers(1); // so that the host has to copy
  const others = [
    'libvirt-disksnapshot-read-mine',
    `libvirt-disksnapshot-read-${randomUUID()}.1.2.${randomUUID()}.host`,
  ];
  for (const name of others) await writeFile(join(at('vm'), name), '');
  const copies = async () =>
    (await vm.files()).filter((name) => /^libvirt-disksnapshot-read-/.test(name) && !others.includes(name));
  const ofOthers = { code: 'LEFT_COPY', message: expect.stringContaining('on host'), fixable: false, fixed: false };

  await snapshotDisks(vm.domain, { name: 'cut', quiesce: 'never' });
  const reader = spawn(process.execPath, [join(__dirname, 'reader.cjs'), remoteUri, 'vm', 'cut', 'hold'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(reader, 'exit');
  await once(reader.stdout as Readable, 'data');
  expect(await copies()).toHaveLength(1);
  expect(await diagnose(vm.domain, { fix: true })).toMatchObject([ofOthers]); // it is being read
  expect(await copies()).toHaveLength(1);
  reader.kill('SIGKILL');
  await ended;

  const left = { code: 'LEFT_COPY', message: expect.stringContaining(`process ${reader.pid}`), fixable: true };
  const inAnyOrder = expect.arrayContaining([ofOthers, { ...left, fixed: false }].map(expect.objectContaining));
  const found = await diagnose(vm.domain);
  expect(found).toHaveLength(2);
  expect(found).toEqual(inAnyOrder);
  expect(await copies()).toHaveLength(1);
  const mended = await diagnose(vm.domain, { fix: true });
  expect(mended.find(({ fixable }) => fixable)).toMatchObject({ ...left, fixed: true });
  expect(await vm.files()).toEqual(expect.arrayContaining(others));
  expect(await copies()).toEqual([]);
  expect(await diagnose(vm.domain)).toMatchObject([ofOthers]);
  expect(await conn.listAllStoragePools()).toEqual([]);
  await vm.remove();
  await conn.close();
});

test('a wrong disk or option is an error of the Readable', async () => {
  const conn = await daemon.connect();
  const vm = await BareDomain.define(conn, at('vm'));
  const set = await snapshotDisks(vm.domain, { quiesce: 'never' });
  await expect(checksum(set.read('vdz'))).rejects.toMatchObject({ code: 'DISK_NOT_FOUND' });
  for (const options of [{ as: 'x' }, { how: 'raw' }, { signal: 5 }, null, 5])
    await expect(checksum(set.read('vda', options as never))).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_INVALID_ARG_/),
    });
  await expect(set.disks[0]?.export('relative')).rejects.toThrow(TypeError);
  await vm.remove();
  await conn.close();
});
