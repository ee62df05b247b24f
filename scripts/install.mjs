// npm's install script. Where the binary that the package brings loads, there is nothing to do; elsewhere the addon is built.
// npm_config_build_from_source=true builds it in any case.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { npm_config_build_from_source: fromSource, npm_config_node_gyp: nodeGyp } = process.env;
const isWanted = fromSource === 'true' || fromSource === 'libvirt-disksnapshot';

if (process.platform !== 'linux') {
  // Types, linters and tests of a program that uses the package work elsewhere too: the installation must not fail.
  console.log('libvirt-disksnapshot: installed without its addon, which runs on Linux only.');
} else if (isWanted || !loads()) {
  process.exitCode = build();
}

function loads() {
  try {
    createRequire(import.meta.url)('node-gyp-build')(root);
    return true;
  } catch {
    return false;
  }
}

function build() {
  const prefix = dirname(dirname(process.execPath));
  // Without headers beside Node, node-gyp downloads them.
  const headers = existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? [`--nodedir=${prefix}`] : [];
  const args = ['rebuild', '--jobs', 'max', ...headers];
  const { status, error } = nodeGyp
    ? spawnSync(process.execPath, [nodeGyp, ...args], { cwd: root, stdio: 'inherit' })
    : spawnSync('node-gyp', args, { cwd: root, stdio: 'inherit' });
  if (status === 0) return 0;
  if (error) console.error(`libvirt-disksnapshot: node-gyp does not start: ${error.message}`);
  const packages = JSON.parse(readFileSync(join(root, 'scripts', 'build-packages.json'), 'utf8'));
  const here = `${process.platform} ${process.arch}, Node ${process.version}`;
  console.error(
    `libvirt-disksnapshot: no prebuilt binary loads here (${here}), and the addon could not be built. What a build needs:`,
  );
  for (const [system, install] of Object.entries(packages)) console.error(`  ${`${system}:`.padEnd(16)} ${install}`);
  return 1;
}
