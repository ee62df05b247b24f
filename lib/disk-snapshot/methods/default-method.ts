// The method of a disk that nobody chose one for: what its type, format, pool and file system suggest, with the reason in words.
import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Connection } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { messageOf } from '../errors';
import { fileSystemOf } from '../images/file-system';
import { isLocal } from '../images/images-for';
import type { Method, MethodDisk } from '../types';
import { claimsLvm } from './lvm';
import { methods } from './registry';
import { tryClone } from './try-clone';

export interface Suggestion {
  method: Method;
  because: string;
}

/** File systems that clone files, and the method that does it there. */
const CLONING: Readonly<Record<string, 'btrfs' | 'reflink'>> = { btrfs: 'btrfs', XFS: 'reflink' };

/** A clone takes longer the more pieces the image is in, and the guest stands still for it; an overlay always takes the same. */
const LONGEST_CLONE_MS = 1000;

/** @param mayPause whether the guest may be paused, as a clone needs it where the guest does not freeze */
export async function defaultMethod(
  conn: Connection,
  disk: MethodDisk,
  mayPause: boolean,
  call: CallOptions,
): Promise<Suggestion> {
  for (const { method, claims } of methods()) {
    const because = claims?.(disk);
    if (because) return { method: { method }, because };
  }
  const logical = await claimsLvm(conn, disk, call);
  if (logical !== null) return { method: { method: 'lvm' }, because: logical };
  if (disk.type !== 'file' || disk.sourcePath === null) return overlay(disk, '');
  if (!(await isLocal(conn, call))) return overlay(disk, ' on another host');
  return byFileSystem(disk, disk.sourcePath, mayPause);
}

async function byFileSystem(disk: MethodDisk, image: string, mayPause: boolean): Promise<Suggestion> {
  const fileSystem = await fileSystemOf(image);
  if (fileSystem === null) return overlay(disk, ', which this process cannot look at');
  const method = CLONING[fileSystem];
  if (method === undefined || (disk.format ?? 'raw') !== 'raw') return overlay(disk, ` on ${fileSystem}`);
  const but = mayPause ? await whyNotCloned(image) : 'a clone may need a pause, and pause: false forbids it';
  if (but !== null) return overlay(disk, ` on ${fileSystem}, but ${but}`);
  return { method: { method }, because: `a raw image on ${fileSystem}, which clones it in an instant` };
}

function overlay({ format, type }: MethodDisk, where: string): Suggestion {
  const because = `a ${format ?? 'raw'} disk of type ${type}${where}: the guest goes on in an overlay`;
  return { method: { method: 'qemu' }, because };
}

async function whyNotCloned(image: string): Promise<string | null> {
  try {
    if (!(await lstat(image)).isFile()) return 'its path is a link, which a clone could not take the place of';
    const began = performance.now();
    await tryClone(image, dirname(image));
    const took = Math.round(performance.now() - began);
    return took > LONGEST_CLONE_MS ? `a clone of it takes ${took} ms` : null;
  } catch (error) {
    return `it cannot be cloned there: ${messageOf(error)}`;
  }
}
