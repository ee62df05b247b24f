// The test guest's kernel and initramfs: Debian's cloud kernel, busybox and the real qemu-ga, about 12 MiB, made once.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { copyFile, cp, mkdir, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { cachedDirectory } from './cache';
import { run, toolEnvironment } from './command';
import { guestKernel } from './guest-kernel';
import { GUEST_MODULES, GUEST_SCRIPTS } from './guest-scripts';

export interface GuestImage {
  kernel: string;
  initramfs: string;
}

let image: Promise<GuestImage> | undefined;

/** The paths of kernel and initramfs. The first call of a user takes some seconds and the network; later ones look them up. */
export function guestImage(): Promise<GuestImage> {
  image ??= buildGuestImage().catch((error: unknown) => {
    image = undefined;
    throw error;
  });
  return image;
}

/** To be raised with every change to how the image is made: what lies in the cache is of its own recipe. */
const RECIPE = 2;

async function buildGuestImage(): Promise<GuestImage> {
  if (process.arch !== 'x64') throw new Error(`the test guest needs an x86-64 host; this one is ${process.arch}`);
  const kernel = await guestKernel();
  const busybox = await locate('busybox');
  const agent = await locate('qemu-ga');
  const key = createHash('sha256').update(JSON.stringify([RECIPE, basename(kernel), GUEST_SCRIPTS, GUEST_MODULES]));
  for (const program of [busybox, agent]) key.update(await readFile(program));
  const initramfs = await cachedDirectory(`initramfs-${key.digest('hex').slice(0, 16)}`, async (directory) => {
    const root = join(directory, 'root');
    await fillRoot(root, kernel, busybox, agent);
    await pack(root, join(directory, 'initramfs.gz'));
    await rm(root, { recursive: true });
  });
  return { kernel: join(kernel, 'vmlinuz'), initramfs: join(initramfs, 'initramfs.gz') };
}

/** Resolves with the path of a program, or rejects with the package that has it. */
async function locate(program: string): Promise<string> {
  for (const folder of (toolEnvironment().PATH ?? '').split(':')) {
    const path = await realpath(join(folder, program)).catch(() => undefined);
    if (path !== undefined) return path;
  }
  await run(program, ['--help']);
  throw new Error(`${program} was not found`);
}

async function fillRoot(root: string, kernel: string, busybox: string, agent: string): Promise<void> {
  for (const folder of ['bin', 'sbin', 'dev', 'proc', 'sys', 'mnt', 'run', 'tmp', 'etc', 'lib/modules', 'var']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await copyFile(busybox, join(root, 'bin/busybox'));
  for (const applet of (await run(busybox, ['--list'])).stdout.split('\n').filter(Boolean)) {
    const folder = applet === 'init' ? 'sbin' : 'bin';
    if (applet !== 'busybox') await symlink('/bin/busybox', join(root, folder, applet));
  }
  for (const module of GUEST_MODULES)
    await copyFile(join(kernel, `${module}.ko`), join(root, `lib/modules/${module}.ko`));
  await copyFile(agent, join(root, 'bin/qemu-ga'));
  for (const library of await librariesOf(agent)) {
    await mkdir(join(root, dirname(library)), { recursive: true });
    // What ldd names is a link to the versioned file: the guest needs the file under the name that the loader asks for.
    await cp(library, join(root, library), { dereference: true });
  }
  // Relative: the packing below follows it, and must not leave the root for the host's own /run.
  await symlink('../run', join(root, 'var/run'));
  for (const [path, text] of Object.entries(GUEST_SCRIPTS)) {
    await mkdir(join(root, dirname(path)), { recursive: true });
    await writeFile(join(root, path), text, { mode: 0o755 });
  }
}

async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await run('ldd', [program]);
  return stdout.split('\n').flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

/** A gzip'ed cpio archive of a folder, owned by root whoever builds it. */
export async function pack(root: string, target: string): Promise<void> {
  const paths = ['.', ...(await readdir(root, { recursive: true })).sort()];
  const cpio = spawn('cpio', ['--create', '--null', '--format=newc', '--owner=+0:+0', '--quiet'], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exit = new Promise<void>((resolve, reject) => {
    cpio.on('error', reject);
    cpio.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`cpio failed with exit code ${code}`))));
  });
  cpio.stdin.end(paths.join('\0'));
  await Promise.all([exit, pipeline(cpio.stdout, createGzip({ level: 1 }), createWriteStream(target))]);
}
