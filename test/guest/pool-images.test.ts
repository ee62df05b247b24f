// Image files through libvirt's storage pools, against a daemon with a storage driver; judged by qemu-img and the pools' own
// lists.
import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, chown, mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { snapshotDisks } from '../../lib/disk-snapshot/create';
import type { Images } from '../../lib/disk-snapshot/images/image';
import { imagesFor } from '../../lib/disk-snapshot/images/images-for';
import { temporaryPool } from '../../lib/disk-snapshot/images/pool-images';
import { readFlattened, readVolume } from '../../lib/disk-snapshot/read/volume';
import type { Connection } from '../../lib/libvirt';
import { PrivateLibvirtd } from '../../lib/testing';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { element, formatXml } from '../../lib/xml/document';
import { BareDomain, qemuImg } from './bare-domain';

jest.setTimeout(60_000);
const MIB = 1024 * 1024;

let daemon: PrivateLibvirtd;
let conn: Connection;
let directory: string;
const at = (name: string) => join(directory, name);
const pools = async () => (await conn.listAllStoragePools()).map((pool) => pool.getName());

beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
  conn = await daemon.connect();
});
afterAll(async () => {
  await conn.close();
  await daemon.close();
});
beforeEach(async () => {
  directory = await temporaryDirectory('pool');
  await qemuImg('create', '-q', '-f', 'qcow2', at('base'), '10M');
});
afterEach(async () => {
  for (const pool of await conn.listAllStoragePools()) await pool.destroy();
  await rm(directory, { recursive: true });
});

function pool(name: string, path: string) {
  const xml = element(
    'pool',
    { type: 'dir' },
    element('name', {}, name),
    element('target', {}, element('path', {}, path)),
  );
  return conn.storagePoolCreateXML(formatXml(xml));
}
const overlay = (name: string) => ({
  path: at(name),
  backing: { path: at('base'), format: 'qcow2' },
  virtualSize: 10 * MIB,
});

/** What every way of working with images promises. */
async function expectWorking(images: Images): Promise<void> {
  await chmod(at('base'), 0o640);
  await chown(at('base'), 65534, 65534);

  expect(await images.folderExists(directory)).toBe(true);
  expect(await images.freeSpace(directory)).toBeGreaterThan(0);
  expect(await images.inspect(at('nothing'))).toBeNull();
  await images.createOverlay(overlay('top <&> \'"'));

  const made = at('top <&> \'"');
  expect(JSON.parse(await qemuImg('info', '--output=json', made))).toMatchObject({
    format: 'qcow2',
    'virtual-size': 10 * MIB,
    'backing-filename': at('base'),
    'backing-filename-format': 'qcow2',
    'format-specific': { data: { compat: '1.1' } },
  });
  expect(await images.inspect(made)).toMatchObject({
    format: 'qcow2',
    virtualSize: 10 * MIB,
    backing: { path: at('base'), format: 'qcow2' },
  });

  // Made by somebody else since the pool last looked.
  await writeFile(at('foreign'), 'data');
  for (const name of ['top <&> \'"', 'foreign']) {
    await expect(images.createOverlay(overlay(name))).rejects.toMatchObject({ code: 'FILE_EXISTS' });
  }
  expect(await images.inspect(at('foreign'))).not.toBeNull();

  await images.remove(made);
  await images.remove(made);
  expect(await images.inspect(made)).toBeNull();
}

test('a folder that is a pool is worked on through it', async () => {
  const mine = await pool('mine', directory);

  const images = await imagesFor(conn, at('x'));
  expect(images?.through).toBe("pool 'mine'");
  if (images) await expectWorking(images);
  await images?.createOverlay(overlay('kept'));
  await images?.close();

  expect(await pools()).toEqual(['mine']);
  expect((await mine.listAllVolumes()).map((volume) => volume.getName())).toContain('kept');
  expect(await stat(at('kept'))).toMatchObject({ uid: 65534, gid: 65534 });
  expect((await stat(at('kept'))).mode & 0o777).toBe(0o640);
});

test('a folder that is none is worked on by ourselves, where libvirt is on this machine', async () => {
  const images = await imagesFor(conn, at('x'));

  expect(images?.through).toBe('this process');
  if (images) await expectWorking(images);
  expect(await pools()).toEqual([]);
});

test('or through a pool that ends with the work, and may be shared or ended by others meanwhile', async () => {
  const images = await temporaryPool(conn, directory, {});
  expect(await pools()).toHaveLength(1);
  if (images) await expectWorking(images);

  const second = await temporaryPool(conn, directory, {});
  await second?.close();
  expect(await pools()).toEqual([]);
  await images?.createOverlay(overlay('after'));
  expect(await pools()).toHaveLength(1);

  await images?.close();
  await images?.close();
  expect(await pools()).toEqual([]);
});

test('callers at the same time end it for each other at any moment, and none notices', async () => {
  const others = await Promise.all([daemon.connect(), daemon.connect()]);
  const caller = async (use: Connection, me: number) => {
    for (let round = 0; round < 10; round++) {
      const images = await temporaryPool(use, directory, {});
      const mine = overlay(`by ${me}.${round}`);
      await images?.createOverlay(mine);
      expect(await images?.inspect(mine.path)).toMatchObject({ format: 'qcow2' });
      expect(await images?.freeSpace(directory)).toBeGreaterThan(0);
      await images?.remove(mine.path);
      await expect(stat(mine.path)).rejects.toMatchObject({ code: 'ENOENT' });
      await images?.close();
    }
  };
  await Promise.all([conn, ...others, conn].map(caller));
  expect(await pools()).toEqual([]);
  await Promise.all(others.map((other) => other.close()));
});

test('what is read through it is read whole, whoever ends it meanwhile', async () => {
  const data = randomBytes(MIB);
  for (const at of [0, 1, 2]) await writeAt('disk', data, at * 100 * MIB);
  await qemuImg('create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', at('disk'), at('over'));
  let ending = true;
  const ender = (async () => {
    for (; ending; await nextTurn()) await (await temporaryPool(conn, directory, {}))?.close();
  })();
  const signal = AbortSignal.timeout(30_000);
  for (const chunks of [
    readVolume(conn, at('disk'), signal),
    readFlattened(conn, { path: at('over'), format: 'qcow2' }, 'raw', signal),
  ]) {
    const wanted = createHash('sha256').update(await readFile(at('disk')));
    const hash = createHash('sha256');
    for await (const chunk of chunks) hash.update('hole' in chunk ? Buffer.alloc(chunk.hole) : chunk);
    expect(hash.digest('hex')).toBe(wanted.digest('hex'));
  }
  ending = false;
  await ender;
  expect(await pools()).toEqual([]);
  expect((await readdir(directory)).sort()).toEqual(['base', 'disk', 'over']);
});

async function writeAt(name: string, data: Buffer, position: number): Promise<void> {
  await using file = await open(at(name), constants.O_RDWR | constants.O_CREAT);
  await file.write(data, 0, data.length, position);
}

test('never a pool over devices', async () => {
  for (const folder of ['/dev', '/dev/mapper', '/proc', '/sys/block']) {
    expect(await temporaryPool(conn, folder, {})).toBeNull();
  }
});

test('a snapshot and its deletion in a pool keep the list of volumes right', async () => {
  const folder = at('vm');
  await mkdir(folder);
  const mine = await pool('mine', folder);
  const vm = await BareDomain.define(conn, folder);
  await mine.refresh();
  const volumes = async () => (await mine.listAllVolumes()).map((volume) => volume.getName()).sort();
  try {
    await vm.domain.create();
    const set = await snapshotDisks(vm.domain, { name: 's1', quiesce: 'never' });
    expect(await volumes()).toEqual(['vda.qcow2', 'vda.s1']);

    await set.delete();
    expect(await volumes()).toEqual(['vda.qcow2']);
    expect(await vm.files()).toEqual(['vda.qcow2']);
  } finally {
    await vm.remove();
  }
});
