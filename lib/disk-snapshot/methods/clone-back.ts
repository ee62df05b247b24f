// Going back to a clone: the image becomes a clone of it. Made beside the image and put in its place at once, so that
// whenever it is interrupted there is one or the other, whole.

import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { copyFile, lstat, open, rename, rm } from 'node:fs/promises';
import { LocalImages } from '../images/local-images';
import { imageUsers, usersAmong } from '../images/users';
import type { MethodContext } from '../types';
import { clonePlaces, refuse } from './clone-file';
import type { RevertContext } from './method';
import type { ReflinkState } from './reflink';

type Context = MethodContext<{ source?: string }> & { state: unknown };

/**
 * @returns whom the image belongs to, and how
 * @throws DiskSnapshotError DISK_NOT_FOUND where the disk is another image by now, NOT_FOUND without the clone, IN_USE where
 * others need the image as it is; nothing is touched
 */
export async function checkCloneBack(c: Context): Promise<Stats> {
  const { image, clone } = clonePlaces(c);
  refuseOtherDisk(c, image);
  const [of, from] = await Promise.all([image, clone].map((path) => lstat(path).catch(() => null)));
  if (!from?.isFile()) throw refuse(c, 'NOT_FOUND', `${clone} is no file any more`);
  if (!isClone(from, c.state as ReflinkState)) {
    throw refuse(
      c,
      'NOT_FOUND',
      `${clone} has ${from.size} bytes, and is not the clone that was made: somebody has changed or replaced it`,
    );
  }
  if (!of?.isFile()) throw refuse(c, 'NOT_FOUND', `${image} is no regular file`);
  await refuseNeeded(c, image);
  await refuseInside(c, image, clone);
  return of;
}

/** Whether that is the file that was made, as far as its size tells: nobody has a reason to write to it. */
export const isClone = (found: Stats, { size }: ReflinkState): boolean =>
  found.isFile() && (size === undefined || found.size === size);

/** What was snapshot inside the image since it was cloned lies nowhere else. */
async function refuseInside(c: Context, image: string, clone: string): Promise<void> {
  const { format } = c.state as { format?: unknown };
  if (format !== 'qcow2') return;
  const images = new LocalImages();
  const [inImage, inClone] = await Promise.all(
    [image, clone].map(
      async (path) => (await images.inspect(path, { signal: c.signal, format }))?.internalSnapshots ?? [],
    ),
  );
  const lost = inImage?.filter((name) => !inClone?.includes(name)) ?? [];
  if (lost.length === 0) return;
  throw refuse(
    c,
    'IN_USE',
    `inside ${image} lie snapshots that its clone does not hold (${lost.join(', ')}). Delete them first`,
  );
}

export function refuseOtherDisk(c: Context, image: string): void {
  if (c.disk.sourcePath === image) return;
  throw refuse(c, 'DISK_NOT_FOUND', `the disk is ${c.disk.sourcePath} by now, and this is a snapshot of ${image}`);
}

export async function refuseNeeded(c: Context, image: string): Promise<void> {
  const uuid = c.domain.getUUIDString();
  const known = await imageUsers(c.domain.connection, { signal: c.signal });
  const file = await known.sameFile(image);
  const users = await usersAmong(
    known,
    [image],
    (user) => user.uuid !== uuid || user.disk !== c.disk.target || (user.as === 'snapshot' && user.inside !== file),
  );
  if (users.length === 0) return;
  const who = users.map(({ guest, disk, snapshot }) =>
    snapshot === null ? `${guest} (${disk})` : `${guest} (snapshot ${snapshot})`,
  );
  throw refuse(c, 'IN_USE', `${image} is needed as it is by ${who.join(', ')}`);
}

export function refuseRunning(c: Context): void {
  if (c.active) throw refuse(c, 'GUEST_ACTIVE', 'the guest runs. Shut it down, or pass force: true');
}

/** Refused as by {@link checkCloneBack}, and while the guest runs; nothing was touched then. */
export async function cloneBack(c: Context & Pick<RevertContext, 'begin'>): Promise<void> {
  refuseRunning(c);
  const { image, clone } = clonePlaces(c);
  const of = await checkCloneBack(c);
  const fresh = `${image}.${randomUUID()}`;
  try {
    await copyFile(clone, fresh, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    const file = await open(fresh, 'r+');
    try {
      await file.chown(of.uid, of.gid);
      await file.chmod(of.mode & 0o7777);
      await file.sync();
    } finally {
      await file.close();
    }
    await c.begin();
    await rename(fresh, image);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}
