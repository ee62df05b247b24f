// npm run test:newer: tests against the libvirt of Debian's backports, which is newer than the installed one. Its packages are
// unpacked into a cache and laid over /usr for these processes alone; nothing is installed. Needs root, for the mount.
//   npm run test:newer -- --selectProjects driver guest --testPathPatterns 'snapshot|revert'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { note, step } from './console.mjs';
import { dependency, run, runVisibly } from './process.mjs';

const STABLE = 'bookworm';
const SUITE = `${STABLE}-backports`;
const KEYS = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** The storage drivers that are installed must all be of one version: libvirtd loads whatever it finds. */
const STORAGE = ['', '-disk', '-iscsi', '-logical', '-mpath', '-rbd', '-scsi'].map((kind) => `driver-storage${kind}`);
const DRIVERS = ['interface', 'network', 'nodedev', 'nwfilter', 'qemu', 'secret'].map((kind) => `driver-${kind}`);
const PACKAGES = [
  ...['libvirt0', 'libvirt-common', 'libvirt-clients', 'libvirt-daemon'],
  ...['common', 'log', ...DRIVERS, ...STORAGE].map((part) => `libvirt-daemon-${part}`),
];

const OVERLAY = 'mount -t overlay newer -o lowerdir="$0":/usr /usr && exec "$@"';

/** The folder with the newer libvirt's /usr; downloaded once. */
async function newerUsr() {
  const cache = join(homedir(), '.cache', 'libvirt-disksnapshot');
  const folder = join(cache, `libvirt-${SUITE}`);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const scratch = mkdtempSync(`${folder}-`);
    try {
      await step(`libvirt of ${SUITE}`, () => download(scratch));
      renameSync(join(scratch, 'root'), folder);
    } finally {
      rmSync(scratch, { recursive: true });
    }
  }
  return join(folder, 'usr');
}

async function download(scratch) {
  const at = (name) => join(scratch, name);
  for (const name of ['lists/partial', 'archives/partial', 'debs']) mkdirSync(at(name), { recursive: true });
  // Where the stable packages come from.
  const sites = await run('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI)',
    'Created-By: Packages',
    `Codename: ${STABLE}`,
  ]);
  const [archive] = sites.split('\n');
  writeFileSync(at('sources'), `deb [signed-by=${KEYS}] ${archive} ${SUITE} main\n`);
  // apt's own settings stay as they are: it reads only this list, and keeps what it learns in our folder.
  const settings = {
    'Dir::Etc::sourcelist': at('sources'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': at('lists'),
    'Dir::Cache': scratch,
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await run('apt-get', [...options, 'update']);
  await run('apt-get', [...options, '--target-release', SUITE, 'download', ...PACKAGES], { cwd: at('debs') });
  for (const file of readdirSync(at('debs'))) await run('dpkg-deb', ['-x', join(at('debs'), file), at('root')]);
}

try {
  const usr = await newerUsr();
  note(`libvirt from ${usr}`);
  const jest = [process.execPath, dependency('jest', 'bin', 'jest.js'), '--forceExit', ...process.argv.slice(2)];
  const inside = ['--mount', '--propagation', 'private', 'sh', '-c', OVERLAY, usr, 'tini', '-s', '--', ...jest];
  process.exitCode = await runVisibly('unshare', inside);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
