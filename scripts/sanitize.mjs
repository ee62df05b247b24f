// npm run test:asan, test:tsan, test:valgrind: the addon built for a detector, run by the tests that need no guest. node itself
// is not built for it, so the detector comes with LD_PRELOAD, and what it reports is judged here: is it ours?
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { heading, step } from './console.mjs';
import { dependency, root, run } from './process.mjs';
import { SANITIZER_PACKAGES, setup, TEST_PACKAGES } from './setup.mjs';

const ADDON = 'disksnapshot_native';
const rules = join(root, 'test', 'sanitize');
const reports = mkdtempSync(join(tmpdir(), 'sanitize-'));

/** Of gcc, as a path to preload. */
const runtime = (name) =>
  realpathSync(execFileSync('g++', [`-print-file-name=${name}.so`], { encoding: 'utf8' }).trim());
const log = (name) => `log_path=${join(reports, name)}:log_exe_name=1`;

/** Detectors bring functions of the same names as libtirpc's, which libvirt means: without it, libvirt's RPC crashes. */
const RPC = 'libtirpc.so.3';

/**
 * Tests that measure memory. For ASan freed memory is not free for a while, of which there must be little then; TSan has a
 * shadow of all that was ever used.
 */
const MEASURING = 'collect|daemon-handles|growth';
const NOT_FLAT = '^(?!memory stays flat)';

const KINDS = {
  asan: {
    sanitize: 'address,undefined',
    preload: () => [runtime('libasan'), RPC],
    runs: () => [
      jest('driver', { ASAN_OPTIONS: `detect_leaks=0:${log('asan')}` }),
      jest('lifecycle', { ASAN_OPTIONS: `detect_leaks=0:${log('asan')}` }, ['--testPathIgnorePatterns', MEASURING]),
      jest('lifecycle', { ASAN_OPTIONS: `detect_leaks=0:quarantine_size_mb=1:${log('asan')}` }, [
        '--testPathPatterns',
        MEASURING,
      ]),
      life('memory that is lost', {
        // Unwinding by frame pointers ends in libraries that have none; and the leak search reads thread-local storage of
        // libraries that were loaded late only without the interceptor.
        ASAN_OPTIONS: `detect_leaks=1:fast_unwind_on_malloc=0:intercept_tls_get_addr=0:exitcode=0:${log('lsan')}`,
        LSAN_OPTIONS: `print_suppressions=0:suppressions=${join(rules, 'lsan.supp')}`,
      }),
    ],
    environment: { UBSAN_OPTIONS: `print_stacktrace=1:${log('ubsan')}` },
  },
  tsan: {
    sanitize: 'thread',
    preload: () => [runtime('libtsan'), RPC],
    runs: () => [
      jest('driver', {}, ['--testNamePattern', NOT_FLAT]),
      jest('lifecycle', {}, ['--testPathIgnorePatterns', MEASURING]),
      life('a life, and a worker’s', {}),
    ],
    environment: { TSAN_OPTIONS: `exitcode=0:suppressions=${join(rules, 'tsan.supp')}:${log('tsan')}` },
  },
  valgrind: {
    runs: () => [valgrind()],
    environment: {},
  },
};

const [name] = process.argv.slice(2);
const kind = KINDS[name];
let passed = 0;
let failed = 0;

try {
  heading('Set-up');
  await setup({ packages: [...TEST_PACKAGES, ...SANITIZER_PACKAGES] });
  if (kind.sanitize) await step(`the addon for ${name}`, build);
  heading(`Tests: ${name}`);
  for (const each of kind.runs()) await attempt(each);
  const found = readdirSync(reports).flatMap(reportsIn);
  for (const report of found) console.log(report);
  failed += found.length;
} finally {
  rmSync(reports, { recursive: true, force: true });
}
if (failed > 0) process.exitCode = 1;
console.log(`\n${passed} passed, ${failed} failed`);

async function build() {
  const where = ['--directory', 'native', '--out', join(root, `build-${name}`, 'build')];
  const args = [dependency('cmake-js', 'bin', 'cmake-js'), 'compile', ...where, `--CDSANITIZE=${kind.sanitize}`];
  await run(process.execPath, args);
}

async function attempt({ title, work }) {
  try {
    await step(title, work);
  } catch (error) {
    failed++;
    console.log(error.message.slice(0, 20_000));
  }
}

/** What node needs in its environment to load the addon that was built for the detector. */
function environment(more) {
  const addon = kind.sanitize && { LIBVIRT_DISKSNAPSHOT_PREBUILD: join(root, `build-${name}`) };
  const preload = kind.preload && {
    LD_PRELOAD: kind.preload().join(':'),
    NODE_OPTIONS: `--require=${join(rules, 'node-only.cjs')}`,
  };
  return { env: { ...process.env, ...kind.environment, ...addon, ...preload, ...more } };
}

function jest(project, more, which = []) {
  const file = join(reports, 'jest.json');
  const args = ['--selectProjects', project, ...which, '--json', `--outputFile=${file}`, '--testTimeout=120000'];
  const work = async () => {
    const said = await run(process.execPath, [dependency('jest', 'bin', 'jest.js'), ...args], environment(more)).then(
      () => '',
      (error) => error.message.slice(0, 20_000),
    );
    const result = JSON.parse(readFileSync(file, 'utf8'));
    rmSync(file);
    passed += result.numPassedTests;
    failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
    if (said) console.log(said);
  };
  return { title: ['tests of', project, ...which].join(' '), work };
}

function life(title, more) {
  const args = ['--expose-gc', join(rules, 'bounded-life.cjs')];
  return lived(title, process.execPath, args, environment(more));
}

function valgrind() {
  const file = join(reports, 'valgrind.node.%p');
  const args = [
    '--leak-check=full',
    '--show-leak-kinds=definite',
    '--num-callers=40',
    '--smc-check=all-non-file', // V8 writes code while it runs
    `--suppressions=${join(rules, 'valgrind.supp')}`,
    `--log-file=${file}`,
    process.execPath,
    '--expose-gc',
    join(rules, 'bounded-life.cjs'),
  ];
  return lived('memory that is lost or misused', 'valgrind', args, environment({}));
}

function lived(title, file, args, options) {
  const work = async () => {
    const said = await run(file, args, options);
    if (!said.includes('lived')) throw new Error(`it did not come to its end:\n${said}`);
    passed++;
  };
  return { title, work };
}

/** Reports of one log file that are about us. Tools that the tests start are not node. */
function reportsIn(file) {
  const [detector, program] = file.split('.');
  if (program !== 'node') return [];
  const text = readFileSync(join(reports, file), 'utf8');
  switch (detector) {
    case 'tsan':
      return text.split(/^={18}$/m).filter((report) => report.includes('WARNING') && isOurRace(report));
    case 'lsan':
      return text.split(/\n\n/).filter((report) => /leak of/.test(report) && report.includes(ADDON));
    case 'valgrind':
      return text.split(/^==\d+== $/m).filter((report) => report.includes(ADDON));
    default:
      return [text];
  }
}

/**
 * One of both accesses was made by our code, or by the C library for it. node's and libvirt's own races are theirs; and where
 * libuv closes a file the detector does not see it, so that whoever gets its number next seems to race with libuv's open().
 */
function isOurRace(report) {
  const [first, second] = report.split(/\n\s*\n/);
  if (/^\s*Previous write .*\n\s+#0 open64 .*\n\s+#1 uv__fs_open /.test(second ?? '')) return false;
  return [first, second].some((access) => {
    const frames = (access ?? '').split('\n').filter((line) => /^\s+#\d+ /.test(line));
    return frames.find((frame) => !/\(lib(tsan|c)\.so/.test(frame))?.includes(ADDON);
  });
}
