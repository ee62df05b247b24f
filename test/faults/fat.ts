// A file system that cannot be frozen, in the guest: with it mounted a freeze is not whole, and cuts that follow each other need
// a pause as well. On a loop device in memory, so that none of the disks is another than without it.
import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cachedDirectory } from '../../lib/testing/cache';
import { guestKernel, kernelRelease, unpackKernel } from '../../lib/testing/guest-kernel';
import type { Laboratory } from './laboratory';

/** In the order in which they have to be inserted. */
const MODULES = ['nls_cp437', 'nls_ascii', 'fat', 'vfat'] as const;

export async function mountFat(lab: Laboratory): Promise<void> {
  const folder = await modules();
  for (const module of MODULES) {
    await lab.guestFile(`/run/${module}.ko`, await readFile(join(folder, `${module}.ko`)));
    await lab.sh(`grep -q '^${module} ' /proc/modules || insmod /run/${module}.ko`);
  }
  await lab.sh(`set -e
    mkdir -p /fat
    head -c 1048576 /dev/zero >/run/fat.img
    mkdosfs /run/fat.img >/dev/null
    mount -t vfat -o loop,iocharset=ascii /run/fat.img /fat`);
}

export async function unmountFat(lab: Laboratory): Promise<void> {
  await lab.sh("grep -q ' /fat ' /proc/mounts && umount /fat || true");
}

/** The test guest's own kernel has them, but it does without. */
async function modules(): Promise<string> {
  const release = kernelRelease(await guestKernel());
  return cachedDirectory(`fat-${release}`, async (directory) => {
    const root = await mkdtemp(join(directory, 'root-'));
    await unpackKernel(release, root);
    const files = await readdir(join(root, 'lib', 'modules', release), { recursive: true });
    for (const module of MODULES) {
      const file = files.find((path) => basename(path) === `${module}.ko`);
      if (file === undefined) throw new Error(`the kernel ${release} has no module ${module}`);
      await copyFile(join(root, 'lib', 'modules', release, file), join(directory, `${module}.ko`));
    }
    await rm(root, { recursive: true });
  });
}
