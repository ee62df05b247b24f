// Clones on another host: libvirt makes them, through a pool of the image's folder. It clones raw images only, and no other
// call of it tells beforehand whether a file system can.
import { dirname } from 'node:path';
import { DiskSnapshotError } from '../errors';
import { type PoolImages, withFolderPool } from '../images/pool-images';
import { usersOf } from '../images/users';
import type { MethodContext } from '../types';
import { refuseNeeded, refuseOtherDisk, refuseRunning } from './clone-back';
import { clonePlaces } from './clone-file';
import type { Cloner, ReflinkState } from './reflink';
import { refusal } from './refusal';

type Context = MethodContext<unknown>;

/** Clones that somebody else made since we looked: they are not taken back. */
const foreign = new WeakSet<ReflinkState>();

export const reflinkRemote: Cloner = {
  async check(c, { image, clone, format }) {
    if (format !== 'raw') {
      const why = `${image} is ${format} on another host, where libvirt clones raw images only. Use method qemu`;
      throw refusal(c, 'METHOD_UNSUPPORTED', why);
    }
    const folder = dirname(image);
    if (dirname(clone) !== folder) {
      const why = `on another host libvirt clones within one folder only: ${clone} is not in ${folder}, beside ${image}. Name a place there, or leave out source`;
      throw refusal(c, 'METHOD_UNSUPPORTED', why);
    }
    if (!(await exists(c, clone))) return;
    const why = `${clone} exists, and nothing is overwritten. Choose another name, or remove it if nobody needs it`;
    throw refusal(c, 'FILE_EXISTS', why);
  },

  /** Not here: whoever is killed at it would leave the clone. */
  attempt: async () => undefined,
  expected: () => null,

  /** Clones once and removes it again: whether the file system can do it shows in no other way. */
  async prepare(c, state) {
    await makeClone(c, state);
    await inFolder(c, state.clone, async (images) => {
      state.size = (await images.inspect(state.clone, { signal: c.signal, format: 'raw' }))?.length ?? 0;
      await images.remove(state.clone);
    });
  },

  async cut(c) {
    await makeClone(c, c.state);
    return c.state;
  },
  /** libvirt has no call for it. */
  settle: async () => undefined,
  exists: (c) => exists(c, c.state.clone, c.state.size),
  delete: remove,
  async undo(c) {
    if (!foreign.has(c.state)) await remove(c);
  },

  async checkRevert(c) {
    const { image, clone } = clonePlaces(c);
    refuseOtherDisk(c, image);
    if (!(await exists(c, clone))) throw refusal(c, 'NOT_FOUND', `its clone ${clone} is not there`);
    if (!(await exists(c, clone, c.state.size))) {
      throw refusal(c, 'NOT_FOUND', `${clone} is not the clone that was made: somebody has changed or replaced it`);
    }
    await refuseNeeded(c, image);
  },

  /** The image is made anew as a clone of the clone: until then, it is the clone that holds the data. */
  async revert(c) {
    refuseRunning(c);
    await reflinkRemote.checkRevert(c);
    const { image, clone } = c.state;
    await c.begin();
    await inFolder(c, image, async (images) => {
      await images.remove(image);
      await images.reflink(clone, image);
    });
  },
};

async function makeClone(c: Context, state: ReflinkState): Promise<void> {
  const { image, clone } = state;
  await inFolder(c, clone, async (images) => {
    await images.reflink(image, clone).catch((error: unknown) => {
      if (!(error instanceof DiskSnapshotError)) throw error;
      if (error.code === 'FILE_EXISTS') foreign.add(state);
      if (error.code !== 'OPERATION_FAILED') throw refusal(c, error.code, error.message, error);
      const why = `${clone} cannot be a clone of ${image}: ${error.message}. Both must lie on one btrfs or XFS, and be both nocow or neither (lsattr)`;
      throw refusal(c, 'METHOD_UNSUPPORTED', why, error);
    });
  });
}

/** @param size of the clone that was made, where it is known */
const exists = (c: Context, clone: string, size?: number) =>
  inFolder(c, clone, async (images) => {
    const found = await images.inspect(clone, { signal: c.signal, format: 'raw' });
    return found !== null && (size === undefined || found.length === size);
  });

/** A clone that another domain uses stays: libvirt would remove it beneath a running guest. */
async function remove(c: Context & { state: ReflinkState }): Promise<void> {
  const { clone } = c.state;
  const users = await usersOf(c.domain.connection, clone, c);
  if (users.length > 0) {
    const names = users.map(({ guest, disk }) => `${guest} (${disk})`).join(', ');
    throw refusal(c, 'IN_USE', `its clone ${clone} is in use by ${names}. Detach it there first`);
  }
  await inFolder(c, clone, (images) => images.remove(clone));
}

function inFolder<T>(c: Context, path: string, work: (images: PoolImages) => Promise<T>): Promise<T> {
  const folder = dirname(path);
  return withFolderPool(c.domain.connection, folder, {}, (images) => {
    if (images !== null) return work(images);
    throw refusal(c, 'PERMISSION_DENIED', `no storage pool can be had for ${folder} on that host. Make one`);
  });
}
