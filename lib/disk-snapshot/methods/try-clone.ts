// Whether a file can be cloned shows in no property of it: nocow beside cow, an XFS made without reflink.
import { constants, copyFile } from 'node:fs/promises';
import { openNameless, pathOf } from '../nameless-file';

/**
 * Clones `image` into a file in `folder` that nobody sees, and that nothing can leave behind.
 *
 * @throws Error of the system where a file there cannot be a clone of it
 */
export async function tryClone(image: string, folder: string): Promise<void> {
  const file = await openNameless(folder);
  try {
    await copyFile(image, pathOf(file.fd), constants.COPYFILE_FICLONE_FORCE);
  } finally {
    await file.close();
  }
}
