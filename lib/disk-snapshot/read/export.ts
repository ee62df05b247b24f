// A snapshot as one file of its own: complete, or not there at all.
import type { FileHandle } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { invalidType, invalidValue } from '../argument';
import { tell } from '../progress';
import { fail } from '../system-error';
import type { ExportOptions } from '../types';
import { writeSparse } from './chunks';
import { NewFile } from './new-file';
import { type ConvertTarget, convertQemuImage } from './qemu-image';
import { beginReading } from './readers';
import { type Place, placed, sourceOf } from './source';
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
  const report = (done: number, total: number) => tell(onProgress, { phase: 'copy', disk: place.disk, done, total });
  const file = await NewFile.at(path);
  const end = beginReading(place.setId, place.disk, signal);
  try {
    await writeTo(place, { file: file.handle, path, format }, signal, report).catch((error: unknown) => {
      throw placed(error, place);
    });
    await file.publish();
  } finally {
    end();
    await file.close();
  }
}

async function writeTo(
  place: Place,
  target: ConvertTarget,
  signal: AbortSignal | undefined,
  report: (done: number, total: number) => void,
): Promise<void> {
  const source = await sourceOf(place, signal);
  const total = source.virtualSize;
  const percent = (done: number) => report(Math.floor((total * done) / 100), total);
  if (source.kind === 'image') return convertQemuImage(source.image, target, signal, percent);

  const ended = signal ?? new AbortController().signal;
  const { connection } = place.domain;
  const isRaw = source.kind === 'method' || source.format === 'raw';
  const chunks =
    source.kind === 'method'
      ? source.chunks(ended)
      : isRaw
        ? readVolume(connection, source.path, ended)
        : readFlattened(connection, source, target.format, ended);
  const write = async (file: FileHandle) => {
    await writeSparse(file, chunks, (done) => report(done, Math.max(done, total))).catch((error: unknown) => {
      throw (error as NodeJS.ErrnoException).syscall === 'write' ? fail('write', target.path, error) : error;
    });
    signal?.throwIfAborted();
  };
  if (!isRaw || target.format === 'raw') return write(target.file);
  const raw = await NewFile.at(target.path); // never published
  try {
    await write(raw.handle);
    await convertQemuImage(RAW, target, signal, () => undefined, raw.handle);
  } finally {
    await raw.close();
  }
}

const RAW = { file: { driver: 'file' }, format: 'raw', internalSnapshot: null, secret: null };
