// Clones on this machine: FICLONE as ourselves, into a file that we have made before, so that nothing is overwritten.
import { constants } from 'node:fs';
import { copyFile, lstat, open, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '../errors';
import { fileSystemOf } from '../images/file-system';
import { checkCloneBack, cloneBack, isClone } from './clone-back';
import { clonePlaces, removeClone } from './clone-file';
import type { Cloner } from './reflink';
import { refusal } from './refusal';
import { tryClone } from './try-clone';

/** The mode of a clone's place until the cut. */
const PRIVATE = 0o600;

export const reflinkLocal: Cloner = {
  async check(c, { image, clone }, fileSystem) {
    const folder = dirname(clone);
    const [of, there] = await Promise.all([stat(image), stat(folder).catch(() => null)]);
    if (there === null) throw refusal(c, 'NOT_FOUND', `the folder ${folder} does not exist`);
    if (of.dev !== there.dev) {
      const why = `${image} and ${folder} lie on different file systems or mounts, between which nothing is cloned`;
      throw refusal(c, 'METHOD_UNSUPPORTED', why);
    }
    const found = await fileSystemOf(folder);
    if (found !== fileSystem) {
      throw refusal(c, 'METHOD_UNSUPPORTED', `${folder} lies on ${found}, not on ${fileSystem}; use method qemu`);
    }
    if ((await lstat(clone).catch(() => null)) === null) return;
    const why = `${clone} exists, and nothing is overwritten. Choose another name, or remove it if nobody needs it`;
    throw refusal(c, 'FILE_EXISTS', why);
  },

  async attempt(c, { image, clone }) {
    await tryClone(image, dirname(clone)).catch((error: unknown) => {
      const why = `${clone} cannot be a clone of ${image}: ${messageOf(error)}. Is one of them nocow (lsattr)?`;
      throw refusal(c, 'METHOD_UNSUPPORTED', why, error);
    });
  },

  expected: (state) => ({ ...state, isExpected: true }),

  async prepare(_, { clone }) {
    await (await open(clone, 'wx', PRIVATE)).close();
  },

  async cut(c) {
    const { image, clone } = c.state;
    await copyFile(image, clone, constants.COPYFILE_FICLONE_FORCE).catch((error: unknown) => {
      throw refusal(c, 'OPERATION_FAILED', `the clone ${clone} failed: ${messageOf(error)}`, error);
    });
    return { ...c.state, size: (await stat(clone)).size };
  },

  async settle({ state: { clone } }) {
    for (const path of [clone, dirname(clone)]) {
      const file = await open(path, 'r');
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    }
  },

  /** What was only expected is removed where it is what `prepare` makes. */
  async undo(c) {
    const { clone } = clonePlaces(c);
    if (c.state.isExpected) {
      const found = await lstat(clone).catch(() => null);
      if (!found?.isFile() || found.size > 0 || (found.mode & 0o777) !== PRIVATE) return;
    }
    await rm(clone, { force: true });
  },

  exists: ({ state }) =>
    lstat(state.clone).then(
      (found) => isClone(found, state),
      () => false,
    ),
  delete: removeClone,
  checkRevert: async (c) => void (await checkCloneBack(c)),
  revert: cloneBack,
};
