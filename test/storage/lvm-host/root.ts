// The LVM host's root file system, kernel and initramfs: made once per user, in a minute, and never written to again.
import { createHash } from 'node:crypto';
import { appendFile, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedDirectory } from '../../../lib/testing/cache';
import { run } from '../../../lib/testing/command';
import { guestImage, pack } from '../../../lib/testing/guest-image';
import { guestKernel, kernelRelease, unpackKernel } from '../../../lib/testing/guest-kernel';
import { HOST_FOLDERS, HOST_PACKAGES, SWITCH_ROOT } from './scripts';

/** Paths of what never changes. */
export interface HostImage {
  kernel: string;
  initramfs: string;
  /** A raw ext4 image. */
  root: string;
}

const SUITE = 'bookworm';
/** Documentation and translations, which nobody reads there. */
const LEFT_OUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*'];
/** libvirt's driver wants them to exist, as in scripts/setup.mjs. */
const USERS = 'libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin\n';
const GROUPS = 'libvirt-qemu:x:64055:\nkvm:x:64056:\n';

let image: Promise<HostImage> | undefined;

export function hostImage(): Promise<HostImage> {
  image ??= buildHostImage();
  return image;
}

async function buildHostImage(): Promise<HostImage> {
  const guest = await guestImage();
  const release = kernelRelease(await guestKernel());
  const [root, boot] = await Promise.all([
    cachedDirectory(`lvm-host-${keyOf(release, HOST_PACKAGES, HOST_FOLDERS)}`, (directory) =>
      buildRoot(release, directory),
    ),
    cachedDirectory(`lvm-boot-${keyOf(guest.initramfs, SWITCH_ROOT)}`, (directory) =>
      buildInitramfs(guest.initramfs, directory),
    ),
  ]);
  return { kernel: guest.kernel, initramfs: join(boot, 'initramfs.gz'), root: join(root, 'root.img') };
}

const keyOf = (...parts: unknown[]) => createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);

async function buildRoot(release: string, directory: string): Promise<void> {
  const root = join(directory, 'root');
  const options = ['--aptopt=Apt::Install-Recommends "false"', ...LEFT_OUT.map((p) => `--dpkgopt=path-exclude=${p}`)];
  const include = `--include=${HOST_PACKAGES.join(',')}`;
  await run('mmdebstrap', ['--quiet', '--variant=essential', include, ...options, SUITE, root]);
  const kernel = join(directory, 'kernel');
  await mkdir(kernel);
  await unpackKernel(release, kernel);
  await run('cp', ['--archive', join(kernel, 'lib', 'modules'), join(root, 'usr', 'lib')]);
  await run('chroot', [root, 'depmod', release]);
  for (const folder of HOST_FOLDERS) await mkdir(join(root, folder));
  await appendFile(join(root, 'etc', 'passwd'), USERS);
  await appendFile(join(root, 'etc', 'group'), GROUPS);
  const unused = ['-E', 'lazy_itable_init=0,lazy_journal_init=0', '-O', '^has_journal', '-m', '0'];
  await run('mke2fs', ['-q', '-t', 'ext4', ...unused, '-d', root, join(directory, 'root.img'), '2G']);
  for (const folder of [root, kernel]) await rm(folder, { recursive: true });
}

/** The kernel unpacks archives that follow each other into one root. */
async function buildInitramfs(guest: string, directory: string): Promise<void> {
  const target = join(directory, 'initramfs.gz');
  const root = join(directory, 'root');
  await mkdir(root);
  await writeFile(join(root, 'switch-root'), SWITCH_ROOT, { mode: 0o755 });
  const more = join(directory, 'more.gz');
  await pack(root, more);
  await copyFile(guest, target);
  await run('sh', ['-c', 'cat "$1" >>"$2"', 'sh', more, target]);
  await rm(root, { recursive: true });
  await rm(more);
}
