// What becomes true in a folder, without asking again and again.
import { once } from 'node:events';
import { watch } from 'node:fs';

/**
 * Resolves when `isSo` says so; it is asked again when something changes in the folder. The iterator of `node:fs/promises` loses
 * what comes while its consumer is at work.
 */
export async function inFolder(folder: string, isSo: () => boolean): Promise<void> {
  const watcher = watch(folder);
  try {
    while (!isSo()) await once(watcher, 'change');
  } finally {
    watcher.close();
  }
}
