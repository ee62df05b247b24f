// Snapshots as files: of several disks all, or none.
import { rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DiskSnapshot } from '../index';
import { usageError } from './failure';
import type { Output } from './output';
import type { Session } from './session';

export type Format = 'raw' | 'qcow2';
export interface ExportedFile {
  disk: string;
  path: string;
  format: Format;
}

/** One disk goes into the file named, or, as several do, into the folder as GUEST-SNAPSHOT-DISK.FORMAT. */
export async function placesFor(path: string, disks: readonly DiskSnapshot[], format: Format): Promise<ExportedFile[]> {
  const place = resolve(path);
  const [only, second] = disks;
  if (await isFolder(place)) return disks.map((snapshot) => inFolder(place, snapshot, format));
  if (only && !second) return [{ disk: only.disk, path: place, format }];
  throw usageError(`${place} is no folder; ${disks.length} disks need one`);
}

export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

function inFolder(folder: string, { set, disk }: DiskSnapshot, format: Format): ExportedFile {
  const name = [set.guest, set.name, disk].map((part) => part.replaceAll('/', '_')).join('-');
  return { disk, path: join(folder, `${name}.${format}`), format };
}

/** Leaves no file where one of them failed. */
export async function exportAll(
  session: Session,
  disks: readonly DiskSnapshot[],
  files: readonly ExportedFile[],
): Promise<void> {
  const written: string[] = [];
  try {
    for (const [at, { path, format }] of files.entries()) {
      await disks[at]?.export(path, { format, ...session.operation });
      written.push(path);
    }
    session.signal.throwIfAborted();
  } catch (error) {
    for (const path of written) await rm(path, { force: true });
    throw error;
  }
}

export const listFiles = (output: Output, files: readonly ExportedFile[]): string =>
  output.table(
    ['Disk', 'Format', 'File'],
    files.map(({ disk, format, path }) => [disk, format, path]),
  );
