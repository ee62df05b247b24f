// Image files made, read and deleted by ourselves, judged by qemu-img and the file system.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { LocalImages } from '../../lib/disk-snapshot/images/local-images';

const MIB = 1024 * 1024;
const images = new LocalImages();
let folder: string;
const at = (name: string) => join(folder, name);
const qemuImg = (...args: string[]) => execFileSync('qemu-img', args, { encoding: 'utf8' });
const info = (path: string) => JSON.parse(qemuImg('info', '--output=json', path));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'local-images-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('an overlay names its backing file and the format, is of its size, and passes the check', async () => {
  qemuImg('create', '-q', '-f', 'raw', at('base.img'), '10M');

  await images.createOverlay({
    path: at('top.qcow2'),
    backing: { path: at('base.img'), format: 'raw' },
    virtualSize: 10 * MIB,
  });

  expect(info(at('top.qcow2'))).toMatchObject({
    format: 'qcow2',
    'virtual-size': 10 * MIB,
    'backing-filename': at('base.img'),
    'backing-filename-format': 'raw',
    'format-specific': { data: { compat: '1.1' } },
  });
  expect(qemuImg('check', at('top.qcow2'))).toContain('No errors were found');
  expect(readdirSync(folder).sort()).toEqual(['base.img', 'top.qcow2']);
});

test('names with blanks, commas, colons and quotes are names', async () => {
  const base = at('a,b: "c" \'d\' $(e) é.qcow2');
  const top = at('json:{"x":1},backing_file=x');
  qemuImg('create', '-q', '-f', 'qcow2', base, '1M');

  await images.createOverlay({ path: top, backing: { path: base, format: 'qcow2' }, virtualSize: MIB });

  expect((await images.inspect(top))?.backing).toEqual({ path: base, format: 'qcow2' });
});

test.each([
  ['644', '644'],
  ['600', '600'],
  ['440', '640'],
  ['777', '664'],
])('a base of mode %s gives an overlay of mode %s, with its owner', async (mode, expected) => {
  qemuImg('create', '-q', '-f', 'raw', at('base.img'), '1M');
  chmodSync(at('base.img'), mode);

  await images.createOverlay({ path: at('top'), backing: { path: at('base.img'), format: 'raw' }, virtualSize: MIB });

  expect((statSync(at('top')).mode & 0o7777).toString(8)).toBe(expected);
  expect(statSync(at('top')).uid).toBe(statSync(at('base.img')).uid);
});

test('a file that exists is never touched, nor what a symbolic link leads to', async () => {
  qemuImg('create', '-q', '-f', 'raw', at('base.img'), '1M');
  writeFileSync(at('precious'), 'data');
  symlinkSync(at('nowhere'), at('link'));
  const backing = { path: at('base.img'), format: 'raw' };

  for (const name of ['precious', 'link']) {
    await expect(images.createOverlay({ path: at(name), backing, virtualSize: MIB })).rejects.toMatchObject({
      code: 'FILE_EXISTS',
      outcome: 'unchanged',
      message: expect.stringContaining(at(name)),
    });
  }

  expect(readFileSync(at('precious'), 'utf8')).toBe('data');
  expect(existsSync(at('nowhere'))).toBe(false);
});

test('of many callers for one name exactly one gets it', async () => {
  qemuImg('create', '-q', '-f', 'raw', at('base.img'), '1M');
  const overlay = { path: at('top'), backing: { path: at('base.img'), format: 'raw' }, virtualSize: MIB };

  const results = await Promise.allSettled(Array.from({ length: 8 }, () => images.createOverlay(overlay)));

  expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1);
  expect(qemuImg('check', at('top'))).toContain('No errors');
});

test('what failed or was aborted leaves no file', async () => {
  qemuImg('create', '-q', '-f', 'raw', at('base.img'), '1M');
  const backing = { path: at('base.img'), format: 'raw' };
  const abort = new AbortController();
  const pending = images.createOverlay({ path: at('a'), backing, virtualSize: MIB }, { signal: abort.signal });
  const reason = new Error('enough');
  abort.abort(reason);

  await expect(pending).rejects.toBe(reason);
  await expect(images.createOverlay({ path: at('b'), backing, virtualSize: -1 })).rejects.toMatchObject({
    code: 'OPERATION_FAILED',
  });
  const gone = { path: at('missing'), format: 'raw' };
  await expect(images.createOverlay({ path: at('c'), backing: gone, virtualSize: MIB })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining(at('missing')),
  });

  expect(readdirSync(folder)).toEqual(['base.img']);
});

test('inspect tells format, size, backing and internal snapshots, and null where there is no file', async () => {
  qemuImg('create', '-q', '-f', 'qcow2', at('base.qcow2'), '3M');
  qemuImg('snapshot', '-c', 'before', at('base.qcow2'));

  expect(await images.inspect(at('base.qcow2'))).toEqual({
    format: 'qcow2',
    virtualSize: 3 * MIB,
    actualSize: expect.any(Number),
    length: expect.any(Number),
    backing: null,
    internalSnapshots: ['before'],
    damaged: false,
  });
  expect(await images.inspect(at('nothing'))).toBeNull();
});

test('a raw image whose content looks like a qcow2 is raw, when the format is said', async () => {
  qemuImg('create', '-q', '-f', 'qcow2', '-u', '-b', '/etc/passwd', '-F', 'raw', at('disguised.img'), '1M');

  expect(await images.inspect(at('disguised.img'), { format: 'raw' })).toMatchObject({ format: 'raw', backing: null });
});

test('remove deletes a file, twice is success, and only regular files are files', async () => {
  writeFileSync(at('file'), '');
  mkdirSync(at('folder'));
  symlinkSync(at('folder'), at('link'));

  await images.remove(at('file'));
  await images.remove(at('file'));

  for (const name of ['folder', 'link']) {
    await expect(images.remove(at(name))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
  expect(readdirSync(folder).sort()).toEqual(['folder', 'link']);
});

test('folders and their free space', async () => {
  expect(await images.folderExists(folder)).toBe(true);
  expect(await images.folderExists(at('nothing'))).toBe(false);
  expect(await images.freeSpace(folder)).toBeGreaterThan(0);
  expect(await images.freeSpace(at('nothing'))).toBeNull();
});
