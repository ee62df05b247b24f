// Makes a fresh clone ready: Debian packages, QEMU's user, /dev/kvm, npm's packages, the addon, dist, the test guest.
// Each step looks first and does only what is missing. It uses nothing but Node, because it runs before anything is there.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { note, step } from './console.mjs';
import { dist } from './dist.mjs';
import { newest } from './files.mjs';
import { answers, dependency, printed, root, run } from './process.mjs';

const PACKAGES = [
  // to build the addon
  ...['g++', 'make', 'python3', 'pkg-config', 'libvirt-dev'],
  // to run guests
  ...['libvirt-daemon', 'libvirt-daemon-driver-qemu', 'libvirt-clients', 'qemu-system-x86', 'qemu-utils', 'tini'],
  // to build the test guest and to judge its disks
  ...['busybox-static', 'cpio', 'qemu-guest-agent', 'e2fsprogs', 'util-linux', 'mount'],
];

/** What the tests of the methods need beyond that: file systems that clone, logical volumes, a Ceph cluster, the root of another host. */
export const STORAGE_PACKAGES = [
  ...['btrfs-progs', 'xfsprogs', 'mmdebstrap'],
  ...['lvm2', 'thin-provisioning-tools'],
  ...['ceph-mon', 'ceph-osd', 'ceph-common', 'qemu-block-extra', 'libvirt-daemon-driver-storage-rbd'],
];

/** What all tests need: also a browser, a daemon that asks who is there, shells that complete. */
export const TEST_PACKAGES = [
  ...STORAGE_PACKAGES,
  ...['chromium', 'fonts-dejavu-core'],
  ...['libsasl2-modules', 'openssl', 'sasl2-bin'],
  ...['fish', 'zsh'],
];

/** What `npm run test:asan` and its like need beyond that. */
export const SANITIZER_PACKAGES = ['cmake', 'valgrind'];

const asRoot = process.getuid?.() === 0;

/** @param {{ packages?: string[], examples?: boolean }} [more] further Debian packages that the caller needs; the examples that are tested */
export async function setup(more = {}) {
  await debianPackages([...PACKAGES, ...(more.packages ?? [])]);
  await qemuUser();
  await kvmDevice();
  await npmPackages();
  await addon();
  await dist();
  await guestImage();
  if (more.examples) await managerExample();
}

async function debianPackages(wanted) {
  if (!answers('dpkg-query', ['--version'])) {
    note(`This is no Debian: setup installs nothing. It needs what Debian calls ${wanted.join(', ')}.`);
    return;
  }
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholders are dpkg-query's own.
  const format = '--showformat=${Package} ${db:Status-Status}\n';
  const present = printed('dpkg-query', ['--show', format, ...wanted]).split('\n');
  const missing = wanted.filter((name) => !present.includes(`${name} installed`));
  if (missing.length === 0) return;
  const install = ['apt-get', 'install', '--yes', '--no-install-recommends', ...missing];
  if (!asRoot && !answers('sudo', ['-n', 'true'])) {
    throw new Error(
      `Some Debian packages are missing. Install them, then run this again:\n  sudo ${install.join(' ')}`,
    );
  }
  await step(`Debian packages ${missing.join(' ')}`, async () => {
    const environment = ['env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C'];
    const [file, ...args] = asRoot ? environment : ['sudo', '-n', ...environment];
    // A fresh image has no package lists, an old one has lists that name files which are gone.
    const known = missing.every((name) => answers('apt-cache', ['show', '--quiet', name]));
    if (!known) await run(file, [...args, 'apt-get', 'update']);
    await run(file, [...args, ...install]).catch(async (error) => {
      if (!known) throw error;
      await run(file, [...args, 'apt-get', 'update']);
      await run(file, [...args, ...install]);
    });
  });
}

/** Debian's libvirt, as root, refuses to start without them; the package that makes them brings systemd with it. */
async function qemuUser() {
  if (!asRoot || answers('getent', ['passwd', 'libvirt-qemu'])) return;
  await step('the user libvirt-qemu and the group kvm, as Debian’s libvirt-daemon-system makes them', async () => {
    for (const group of ['kvm', 'libvirt-qemu']) {
      if (!answers('getent', ['group', group])) await run('groupadd', ['--system', group]);
    }
    const home = ['--home-dir', '/var/lib/libvirt', '--no-create-home', '--shell', '/usr/sbin/nologin'];
    await run('useradd', ['--system', '--gid', 'kvm', '--groups', 'libvirt-qemu', ...home, 'libvirt-qemu']);
  });
}

/**
 * Without udev, /dev/kvm belongs to root alone. libvirt then finds KVM as root and misses it as QEMU’s user, and asks QEMU
 * again for every device of a guest: a minute and a half per start.
 */
async function kvmDevice() {
  if (!asRoot || !existsSync('/dev/kvm')) return;
  const { mode, gid } = statSync('/dev/kvm');
  if (gid !== 0 || (mode & 0o006) === 0o006 || !answers('getent', ['group', 'kvm'])) return;
  await step('/dev/kvm: group kvm, mode 660, as udev would have set it', async () => {
    await run('chgrp', ['kvm', '/dev/kvm']);
    await run('chmod', ['660', '/dev/kvm']);
  });
}

export async function npmPackages(folder = '') {
  if (npmIsCurrent(folder)) return;
  await step(`npm ci${folder && ` in ${folder}`}`, async () => {
    // No dependency needs its scripts, and npm would build the addon by itself, in its own way.
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', args, { cwd: join(root, folder) });
  });
}

/** A package of its own, that depends on this one. */
async function managerExample() {
  const folder = join('examples', 'manager');
  await npmPackages(folder);
  await step(`${folder}, built`, async () => {
    await run(process.execPath, [dependency('typescript', 'bin', 'tsc'), '-p', join(folder, 'tsconfig.build.json')]);
  });
}

/** npm notes what it installed in a lock file of its own; optional packages of other platforms are not in it. */
function npmIsCurrent(folder) {
  const inside = join(root, folder, 'node_modules', '.package-lock.json');
  if (!existsSync(inside)) return false;
  const wanted = JSON.parse(readFileSync(join(root, folder, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(inside, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || (path in present ? present[path].version === version : optional === true),
  );
}

export async function addon() {
  const built = join(root, 'build', 'Release');
  const binary = existsSync(built) ? readdirSync(built).find((name) => name.endsWith('.node')) : undefined;
  const sources = newest(join(root, 'native'), join(root, 'binding.gyp'));
  if (binary !== undefined && statSync(join(built, binary)).mtimeMs >= sources) return;
  await step('the addon', async () => {
    await run(process.execPath, [dependency('node-gyp', 'bin', 'node-gyp.js'), 'rebuild', '--jobs', 'max']);
  });
}

async function guestImage() {
  const testing = (name) => createRequire(import.meta.url)(join(root, 'dist', 'testing', name));
  await step('the test guest’s kernel and initramfs', () =>
    testing('guest-image.js')
      .guestImage()
      .then(() => {}),
  );
  await step('what runs guests here', () => testing('accelerator.js').accelerator());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await setup();
    note('Everything is ready.');
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
