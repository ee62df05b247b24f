// Folders that are slow to make and never change: made once per user, found again by a name that tells their content.
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `$XDG_CACHE_HOME/libvirt-disksnapshot`, by default below `~/.cache`. Deleting it costs the next boot half a minute. */
export function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'libvirt-disksnapshot');
}

/**
 * The cached folder `name`, filled by `build` where it does not exist yet.
 *
 * The folder appears complete or not at all, because it is filled under another name and then renamed: processes that
 * build at the same time may do the work twice, but never see each other's half.
 */
export async function cachedDirectory(name: string, build: (directory: string) => Promise<void>): Promise<string> {
  const wanted = join(cacheDirectory(), name);
  if (await exists(wanted)) return wanted;
  await mkdir(cacheDirectory(), { recursive: true });
  const unfinished = await mkdtemp(join(cacheDirectory(), '.unfinished-'));
  try {
    await build(unfinished);
    await rename(unfinished, wanted);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Another process was first: rename refuses to replace its folder.
    if (!(await exists(wanted))) throw error;
  }
  return wanted;
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
