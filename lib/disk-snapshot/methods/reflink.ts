// Methods `btrfs` and `reflink`: the file system clones the image in an instant, sharing its blocks. FICLONE as ourselves
// for images on this machine, of any format; through libvirt for raw ones on another. QEMU must have flushed what it holds,
// which it does when the guest is frozen or paused.
import { constants } from 'node:fs';
import { copyFile, lstat, open, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathSource } from '../../xml/disk';
import { formatXml } from '../../xml/document';
import { defaultOverlayPath } from '../element/name';
import { DiskSnapshotError, type DiskSnapshotErrorCode, messageOf } from '../errors';
import { isLocal } from '../images/images-for';
import type { MethodContext, MethodDisk, SnapshotMethod } from '../types';
import { cloneBack } from './clone-back';
import { clonePlaces, removeClone } from './clone-file';
import {
  checkRemote,
  cloneRemote,
  existsRemote,
  removeRemote,
  revertRemote,
  tryRemote,
  undoRemote,
} from './reflink-remote';

export interface ReflinkData {
  /** The clone. Default: beside the image, named as an overlay would be. */
  source?: string;
}
export interface ReflinkState {
  image: string;
  clone: string;
  format: string;
  /** Written down before the clone was made: what lies there need not be ours. */
  isExpected?: true;
}

type Context = MethodContext<ReflinkData>;

/** statfs(2) names file systems by number. */
const FILE_SYSTEMS: Readonly<Record<'btrfs' | 'reflink', { magic: number; name: string }>> = {
  btrfs: { magic: 0x9123683e, name: 'btrfs' },
  reflink: { magic: 0x58465342, name: 'XFS' },
};

export function reflink(
  method: 'btrfs' | 'reflink',
): SnapshotMethod<ReflinkData, ReflinkState> & { expects(c: Context): Promise<ReflinkState | null> } {
  return {
    method,
    interfaceVersion: 1,
    needs: 'frozen',
    parse: () => ({}),

    async plan(c) {
      const { clone } = await placesOf(method, c);
      return { problems: [], creates: [clone], bytes: 0 }; // shared until one of them changes
    },

    async expects(c) {
      if (!(await isLocal(c.domain.connection, c))) return null;
      return { ...(await placesOf(method, c)), format: c.disk.format ?? 'raw', isExpected: true };
    },

    async prepare(c) {
      const state: ReflinkState = { ...(await placesOf(method, c)), format: c.disk.format ?? 'raw' };
      if (await isLocal(c.domain.connection, c)) await reserve(c, state);
      else await tryRemote(c, state);
      return state;
    },

    async cut(c) {
      if (!(await isLocal(c.domain.connection))) await cloneRemote(c, c.state);
      else
        await clone(c.state).catch((error: unknown) => {
          throw refuse(c, 'OPERATION_FAILED', `the clone ${c.state.clone} failed: ${messageOf(error)}`, error);
        });
      return c.state;
    },

    undo: async (c) => ((await isLocal(c.domain.connection)) ? undoLocal(c) : undoRemote(c, c.state)),
    exists: async (c) => ((await isLocal(c.domain.connection)) ? isFile(c.state.clone) : existsRemote(c, c.state)),
    delete: async (c) => ((await isLocal(c.domain.connection)) ? removeClone(c) : removeRemote(c, c.state)),

    async revert(c) {
      if (!(await isLocal(c.domain.connection))) return revertRemote(c, c.state);
      await cloneBack(c);
    },

    backupSource: async ({ state }) => ({
      source: formatXml(pathSource('file', state.clone)),
      format: state.format,
      modifiedDisk: null,
    }),
  };
}

function refuse(
  c: { domain: Context['domain']; disk: MethodDisk },
  code: DiskSnapshotErrorCode,
  why: string,
  cause?: unknown,
) {
  const guest = c.domain.getName();
  return new DiskSnapshotError(code, `${guest}: disk ${c.disk.target}: ${why}`, { guest, disk: c.disk.target, cause });
}

/** Where image and clone lie, after everything that can be known before the cut was checked. */
async function placesOf(method: 'btrfs' | 'reflink', c: Context): Promise<{ image: string; clone: string }> {
  const { sourcePath: image, type } = c.disk;
  if (image === null || type !== 'file') {
    throw refuse(c, 'METHOD_UNSUPPORTED', `method ${method} clones image files; this disk is of type ${type}`);
  }
  const clone = c.data.source ?? defaultOverlayPath(image, c.name);
  if (!(await isLocal(c.domain.connection, c))) {
    await checkRemote(c, { image, clone });
    return { image, clone };
  }
  const folder = dirname(clone);
  const [of, there] = await Promise.all([stat(image), stat(folder).catch(() => null)]);
  if (there === null) throw refuse(c, 'NOT_FOUND', `the folder ${folder} does not exist`);
  if (of.dev !== there.dev) {
    throw refuse(
      c,
      'METHOD_UNSUPPORTED',
      `${image} and ${folder} lie on different file systems or mounts, between which nothing is cloned`,
    );
  }
  const { magic, name } = FILE_SYSTEMS[method];
  if ((await statfs(folder)).type >>> 0 !== magic) {
    throw refuse(c, 'METHOD_UNSUPPORTED', `${folder} does not lie on ${name}; use method qemu`);
  }
  if (await lstat(clone).catch(() => null)) {
    throw refuse(
      c,
      'FILE_EXISTS',
      `${clone} exists, and nothing is overwritten. Choose another name, or remove it if nobody needs it`,
    );
  }
  return { image, clone };
}

/**
 * Makes the file, so that from now on it is ours to overwrite and to remove; and clones once: what may forbid it (nocow
 * beside cow) shows in no property.
 */
async function reserve(c: Context, state: ReflinkState): Promise<void> {
  await (await open(state.clone, 'wx', 0o600)).close();
  try {
    await clone(state);
  } catch (error) {
    await rm(state.clone, { force: true });
    const why = `${state.clone} cannot be a clone of ${state.image}: ${messageOf(error)}. Is one of them nocow (lsattr)?`;
    throw refuse(c, 'METHOD_UNSUPPORTED', why, error);
  }
}

/** What was only expected is removed where it is what `reserve` makes: an empty file, private, or one like the image. */
async function undoLocal(c: Context & { state: ReflinkState }): Promise<void> {
  const { image, clone } = clonePlaces(c);
  if (c.state.isExpected) {
    const [there, of] = await Promise.all([lstat(clone).catch(() => null), stat(image)]);
    const isEmpty = there?.size === 0 && (there.mode & 0o777) === 0o600;
    const isLike = there?.size === of.size && there.mode === of.mode;
    if (!there?.isFile() || !(isEmpty || isLike)) return;
  }
  await rm(clone, { force: true });
}

const isFile = (path: string) =>
  lstat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** FICLONE into the file that we reserved, and never a copy byte by byte. */
async function clone({ image, clone: path }: ReflinkState): Promise<void> {
  await copyFile(image, path, constants.COPYFILE_FICLONE_FORCE);
}
