// Whether a file can be cloned shows in no property of it: nocow beside cow, an XFS made without reflink.
import { constants, copyFile, open } from 'node:fs/promises';

/** open(2): a file without a name, which goes with its descriptor; Node does not name the flag. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/**
 * Clones `image` into a file in `folder` that nobody sees, and that nothing can leave behind.
 *
 * @throws Error of the system where a file there cannot be a clone of it
 */
export async function tryClone(image: string, folder: string): Promise<void> {
  const file = await open(folder, O_TMPFILE | constants.O_RDWR, 0o600);
  try {
    await copyFile(image, `/proc/self/fd/${file.fd}`, constants.COPYFILE_FICLONE_FORCE);
  } finally {
    await file.close();
  }
}
