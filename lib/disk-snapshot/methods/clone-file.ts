// Removing a clone that a record names. Metadata is open to everybody who manages the domain, so a record may name any
// file: only what is such a clone, and what no domain needs, is removed.
import { lstat, rm } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { defaultOverlayPath } from '../element/name';
import { DiskSnapshotError, type DiskSnapshotErrorCode } from '../errors';
import { usersOf } from '../images/users';
import type { MethodContext } from '../types';

type Context = MethodContext<{ source?: string }> & { state: unknown };

/**
 * Removes the clone; done twice is success.
 *
 * @throws DiskSnapshotError OPERATION_FAILED where the record names something that is no clone of this snapshot, IN_USE
 * where a domain needs the file; nothing was touched then.
 */
export async function removeClone(c: Context): Promise<void> {
  const { clone: path } = clonePlaces(c);
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found === null) return;
  if (!found.isFile()) throw refuse(c, 'OPERATION_FAILED', `${path} is no regular file, as a clone would be`);
  const users = await usersOf(c.domain.connection, path, { signal: c.signal });
  if (users.length > 0) {
    const who = users.map(({ guest, disk }) => `disk ${disk} of ${guest}`).join(', ');
    throw refuse(c, 'IN_USE', `${path} is needed by ${who}`);
  }
  await rm(path, { force: true });
}

/**
 * The recorded paths, if the clone's is the one that this snapshot was given.
 *
 * @throws DiskSnapshotError OPERATION_FAILED
 */
export function clonePlaces(c: Context): { image: string; clone: string } {
  const { image, clone } = (c.state ?? {}) as Readonly<Record<string, unknown>>;
  if (!isPlainPath(image) || !isPlainPath(clone) || image === clone) {
    throw refuse(c, 'OPERATION_FAILED', 'its record names no image and clone');
  }
  if (clone !== (c.data.source ?? defaultOverlayPath(image, c.name))) {
    throw refuse(c, 'OPERATION_FAILED', `its record names ${clone}, which is not where its clone was to be`);
  }
  return { image, clone };
}

const isPlainPath = (path: unknown): path is string =>
  typeof path === 'string' && !path.includes('\0') && isAbsolute(path);

export function refuse(c: Context, code: DiskSnapshotErrorCode, why: string): DiskSnapshotError {
  const where = { guest: c.domain.getName(), disk: c.disk.target, snapshot: c.name };
  const message = `${where.guest}: disk ${where.disk}: snapshot ${where.snapshot}: ${why}. Nothing was touched`;
  return new DiskSnapshotError(code, message, where);
}
