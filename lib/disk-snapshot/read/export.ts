// A snapshot as one file of its own: made under another name, complete or not there at all.
import { randomBytes } from 'node:crypto';
import { link, lstat, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { invalidType, invalidValue } from '../argument';
import { DiskSnapshotError } from '../errors';
import { tell } from '../progress';
import type { ExportOptions } from '../types';
import { writeSparse } from './chunks';
import { convertQemuImage } from './qemu-image';
import { beginReading } from './readers';
import { type Place, sourceOf } from './source';
import { readFlattened, readVolume } from './volume';

/**
 * Writes what the guest saw into a new file on this machine, holes kept.
 *
 * @throws DiskSnapshotError FILE_EXISTS, NO_SPACE, PERMISSION_DENIED, NOT_FOUND …; nothing is left behind
 */
export async function exportSnapshot(place: Place, path: string, options: ExportOptions): Promise<void> {
  const { format = 'qcow2', signal, onProgress } = options;
  if (typeof path !== 'string') throw invalidType('path', 'a string', path);
  if (!isAbsolute(path) || path.includes('\0')) throw invalidValue('path', 'an absolute path', path);
  if (format !== 'raw' && format !== 'qcow2') throw invalidValue('options.format', "'raw' or 'qcow2'", format);
  if (await exists(path)) throw taken(path);
  if (!(await exists(dirname(path)))) {
    throw new DiskSnapshotError('NOT_FOUND', `the folder ${dirname(path)} does not exist: make it first`);
  }
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  const report = (done: number, total: number) => tell(onProgress, { phase: 'copy', disk: place.disk, done, total });
  const end = beginReading(place.setId, place.disk, signal);
  try {
    await writeTo(place, temporary, format, signal, report);
    await publish(temporary, path);
  } finally {
    end();
    await unlink(temporary).catch(() => {}); // published, or never made
  }
}

async function writeTo(
  place: Place,
  path: string,
  format: 'raw' | 'qcow2',
  signal: AbortSignal | undefined,
  report: (done: number, total: number) => void,
): Promise<void> {
  const source = await sourceOf(place, signal);
  const total = source.virtualSize;
  const percent = (done: number) => report(Math.floor((total * done) / 100), total);
  if (source.kind === 'image') return convertQemuImage(source.image, { path, format }, signal, percent);

  const ended = signal ?? new AbortController().signal;
  const { connection } = place.domain;
  const isRaw = source.kind === 'method' || source.format === 'raw';
  const chunks =
    source.kind === 'method'
      ? source.chunks(ended)
      : isRaw
        ? readVolume(connection, source.path, ended)
        : readFlattened(connection, source, format, ended);
  const written = isRaw && format === 'qcow2' ? `${path}.raw` : path;
  try {
    const file = await open(written, 'wx', 0o600);
    try {
      await writeSparse(file, chunks, (done) => report(done, Math.max(done, total)));
      signal?.throwIfAborted();
    } finally {
      await file.close();
    }
    if (written === path) return;
    const node = { driver: 'file', filename: written };
    const raw = { file: node, format: 'raw', internalSnapshot: null, secret: null };
    await convertQemuImage(raw, { path, format }, signal);
  } finally {
    if (written !== path) await unlink(written).catch(() => {}); // may not have been made
  }
}

/** Under its own name when all of it is on stable storage; a file that appeared meanwhile stays. */
async function publish(temporary: string, path: string): Promise<void> {
  const file = await open(temporary, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw taken(path);
    if (code !== 'EPERM' && code !== 'ENOTSUP') throw error;
    await rename(temporary, path); // a file system without hard links
  }
}

const exists = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  );

const taken = (path: string) =>
  new DiskSnapshotError('FILE_EXISTS', `${path} exists: choose another name, or move the file away`);
