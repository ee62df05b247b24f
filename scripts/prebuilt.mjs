// npm run prebuilt: the binary that the package brings for this platform, in prebuilds/, where node-gyp-build finds it. It is
// the addon that was built, without its symbols. `npm run prebuilt -- --arch arm64` cross-compiles the one of another
// architecture; it needs Debian's g++-aarch64-linux-gnu or its like. On Alpine the same commands make those for musl.
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { step } from './console.mjs';
import { dependency, root, run } from './process.mjs';
import { addon } from './setup.mjs';

const NAME = 'libvirt-disksnapshot';
const ADDON = join('build', 'Release', 'disksnapshot_native.node');

/** What GNU calls the machines that Node runs on. */
const MACHINES = {
  arm: 'arm-linux-gnueabihf',
  arm64: 'aarch64-linux-gnu',
  loong64: 'loongarch64-linux-gnu',
  ppc64: 'powerpc64le-linux-gnu',
  riscv64: 'riscv64-linux-gnu',
  s390x: 's390x-linux-gnu',
  x64: 'x86_64-linux-gnu',
};

export async function prebuilt() {
  await addon();
  await step('the prebuilt binary', () => keep(join(root, ADDON), process.arch, 'strip'));
}

/** In a folder of its own: `build` holds the addon of this machine. */
async function crossBuilt(arch) {
  const machine = MACHINES[arch];
  if (!machine) throw new Error(`--arch is one of ${Object.keys(MACHINES).join(', ')}, not ${arch}`);
  const folder = mkdtempSync(join(tmpdir(), `${NAME}-${arch}-`));
  try {
    for (const part of ['binding.gyp', 'package.json', 'native'])
      cpSync(join(root, part), join(folder, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const tools = { CC: `${machine}-gcc`, CXX: `${machine}-g++`, AR: `${machine}-ar` };
    const args = [dependency('node-gyp', 'bin', 'node-gyp.js'), 'rebuild', '--jobs', 'max', `--arch=${arch}`];
    await run(process.execPath, args, { cwd: folder, env: { ...tools, ...process.env } });
    return await keep(join(folder, ADDON), arch, `${machine}-strip`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function keep(binary, arch, strip) {
  // The mark by which node-gyp-build tells C libraries apart, and its way of telling.
  const libc = existsSync('/etc/alpine-release') ? 'musl' : 'glibc';
  const folder = join(root, 'prebuilds', `${process.platform}-${arch}`);
  const file = join(folder, `${NAME}.${libc}.node`);
  mkdirSync(folder, { recursive: true });
  await run(strip, ['--strip-unneeded', '-o', file, binary]);
  return relative(root, file);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { arch } = parseArgs({ options: { arch: { type: 'string', default: process.arch } } }).values;
  if (arch === process.arch) await prebuilt();
  else await step(`the binary for ${arch}`, () => crossBuilt(arch));
}
