// Clones on another host: what reflink.ts does as ourselves, done by libvirt through a pool of the image's folder. It clones
// raw images only, and no other libvirt call tells beforehand whether a file system can.
import { dirname } from 'node:path';
import { DiskSnapshotError } from '../errors';
import { type PoolImages, poolOfFolder, temporaryPool } from '../images/pool-images';
import { usersOf } from '../images/users';
import type { MethodContext } from '../types';
import { refusal } from './refusal';

interface Places {
  image: string;
  clone: string;
}
type Context = MethodContext<unknown>;

/** Clones that somebody else made since we looked: they are not taken back. */
const foreign = new WeakSet<Places>();

/** @throws DiskSnapshotError for what is known beforehand */
export async function checkRemote(c: Context, { image, clone }: Places): Promise<void> {
  if ((c.disk.format ?? 'raw') !== 'raw') {
    const why = `${image} is ${c.disk.format} on another host, where libvirt clones raw images only. Use method qemu`;
    throw refusal(c, 'METHOD_UNSUPPORTED', why);
  }
  await inFolder(c, clone, async (images) => {
    if ((await images.inspect(clone, c)) === null) return;
    const why = `${clone} exists, and nothing is overwritten. Choose another name, or remove it if nobody needs it`;
    throw refusal(c, 'FILE_EXISTS', why);
  });
}

/** Clones once and removes it again: whether the file system can do it shows in no other way. */
export async function tryRemote(c: Context, places: Places): Promise<void> {
  await cloneRemote(c, places);
  await inFolder(c, places.clone, (images) => images.remove(places.clone));
}

export async function cloneRemote(c: Context, places: Places): Promise<void> {
  const { image, clone } = places;
  await inFolder(c, clone, async (images) => {
    await images.reflink(image, clone).catch((error: unknown) => {
      if (!(error instanceof DiskSnapshotError)) throw error;
      if (error.code === 'FILE_EXISTS') foreign.add(places);
      if (error.code !== 'OPERATION_FAILED') throw error;
      const why = `${clone} cannot be a clone of ${image}: ${error.message}. Both must lie on one btrfs or XFS, and be both nocow or neither (lsattr)`;
      throw refusal(c, 'METHOD_UNSUPPORTED', why, error);
    });
  });
}

/** A clone that another domain uses stays: libvirt would remove it beneath a running guest. */
export async function removeRemote(c: Context, { clone }: Places): Promise<void> {
  const users = await usersOf(c.domain.connection, clone, c);
  if (users.length > 0) {
    const names = users.map(({ guest, disk }) => `${guest} (${disk})`).join(', ');
    throw refusal(c, 'IN_USE', `its clone ${clone} is in use by ${names}. Detach it there first`);
  }
  await inFolder(c, clone, (images) => images.remove(clone));
}

export async function undoRemote(c: Context, places: Places): Promise<void> {
  if (!foreign.has(places)) await removeRemote(c, places);
}

export function existsRemote(c: Context, { clone }: Places): Promise<boolean> {
  return inFolder(c, clone, async (images) => (await images.inspect(clone, c)) !== null);
}

/** The image is made anew as a clone of the clone: until then, it is the clone that holds the data. */
export async function revertRemote(c: Context, { image, clone }: Places): Promise<void> {
  await inFolder(c, image, async (images) => {
    if ((await images.inspect(clone, c)) === null) throw refusal(c, 'NOT_FOUND', `its clone ${clone} is not there`);
    await images.remove(image);
    await images.reflink(clone, image);
  });
}

async function inFolder<T>(c: Context, path: string, work: (images: PoolImages) => Promise<T>): Promise<T> {
  const folder = dirname(path);
  const conn = c.domain.connection;
  const images = (await poolOfFolder(conn, folder, {})) ?? (await temporaryPool(conn, folder, {}));
  if (images === null) {
    throw refusal(c, 'PERMISSION_DENIED', `no storage pool can be had for ${folder} on that host. Make one`);
  }
  try {
    return await work(images);
  } finally {
    await images.close();
  }
}
