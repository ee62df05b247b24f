// Debian's cloud kernel, from its package: downloaded and unpacked, not installed. No boot loader is touched, and root is not needed.
import { chmod, copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cacheDirectory, cachedDirectory } from './cache';
import { run } from './command';
import { GUEST_MODULES } from './guest-scripts';

const PREFIX = 'kernel-';

/** The cached folder with `vmlinuz` and the modules of the test guest. */
export async function guestKernel(): Promise<string> {
  return (await newestCachedKernel()) ?? (await downloadKernel());
}

/** The release of a kernel in such a folder, as `uname -r` says it. */
export function kernelRelease(kernel: string): string {
  return basename(kernel).slice(PREFIX.length);
}

/** Unpacks the whole package of a kernel, with all its modules, into a folder. */
export async function unpackKernel(release: string, target: string): Promise<void> {
  const name = `linux-image-${release}`;
  const download = await mkdtemp(join(target, 'deb-'));
  // apt downloads as the user _apt, and warns where that user cannot write.
  await chmod(target, 0o755);
  await chmod(download, 0o777);
  await run('apt-get', ['download', '--quiet', name], { cwd: download });
  const [archive] = await readdir(download);
  if (archive === undefined) throw new Error(`apt-get download ${name} left no file`);
  await run('dpkg-deb', ['--extract', join(download, archive), target]);
  await rm(download, { recursive: true });
}

async function newestCachedKernel(): Promise<string | undefined> {
  const names = await readdir(cacheDirectory()).catch(() => []);
  const newest = names
    .filter((name) => name.startsWith(PREFIX))
    .sort(new Intl.Collator('en', { numeric: true }).compare)
    .at(-1);
  return newest === undefined ? undefined : join(cacheDirectory(), newest);
}

async function downloadKernel(): Promise<string> {
  const { stdout } = await run('apt-cache', ['depends', 'linux-image-cloud-amd64'], { accept: [0, 100] });
  const release = /Depends: linux-image-(\S+)/.exec(stdout)?.[1];
  if (release === undefined) {
    throw new Error('apt knows no package linux-image-cloud-amd64; run apt-get update, on Debian 12 or later');
  }
  return cachedDirectory(`${PREFIX}${release}`, async (directory) => {
    const root = await mkdtemp(join(directory, 'root-'));
    await unpackKernel(release, root);
    const modules = join(root, 'lib', 'modules', release);
    const files = await readdir(modules, { recursive: true });
    for (const module of GUEST_MODULES) {
      const file = files.find((path) => basename(path) === `${module}.ko`);
      if (file === undefined) throw new Error(`the package of kernel ${release} has no module ${module}.ko`);
      await copyFile(join(modules, file), join(directory, `${module}.ko`));
    }
    await copyFile(join(root, 'boot', `vmlinuz-${release}`), join(directory, 'vmlinuz'));
    await rm(root, { recursive: true });
  });
}
