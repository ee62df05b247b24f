// What .ci/run does: everything that must hold on a fresh machine. All of it runs even where a part fails; the last line counts.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { heading, step, style } from './console.mjs';
import { dependency, root, run, runNodeReaped } from './process.mjs';
import { setup, TEST_PACKAGES } from './setup.mjs';

/** Of the storage tests, those on the LVM host: a virtual machine with guests of its own. `npm run test:storage` runs them. */
const APART_FILES = ['storage/lvm', 'storage/remote'];

/** The storage tests fill a table, and fail where a cell of it is empty. */
const REPORTERS = { storage: ['default', './test/storage/methods-table.mjs'] };

/** Two files at a time, where none measures time, or where they wait for guests more than they compute. The others are alone. */
const WORKERS = { unit: 2, docs: 2, package: 2, guest: 2, storage: 2 };

/** Each kind of test is a Jest project, quickest first. */
const PROJECTS = createRequire(import.meta.url)('../jest.config.js').projects.map(({ displayName }) => displayName);

const results = mkdtempSync(join(tmpdir(), 'ci-'));
const broken = [];
const took = [];
let passed = 0;
let failed = 0;

try {
  heading('Set-up');
  const packages = ['clang-format', 'cmake', ...TEST_PACKAGES];
  if (await part('Set-up', () => setup({ packages, examples: true }))) {
    await part('Checks', () => Promise.all(checks().map(inTurn)));
    for (const project of PROJECTS) await part(`Tests: ${project}`, () => jest(project));
    await part('Demonstration', () =>
      step('npm run demo', () => run(process.execPath, ['scripts/demo.mjs']).then(() => {})),
    );
  }
} finally {
  rmSync(results, { recursive: true, force: true });
}

heading('What took how long');
for (const { title, seconds } of took) console.log(`${seconds.toFixed(0).padStart(5)} s  ${title}`);
if (broken.length > 0) {
  heading('What failed');
  for (const message of broken) console.log(style('red', message));
  process.exitCode = 1;
}
console.log(`\n${passed} passed, ${failed} failed`);

/** Two rows at once: to compile the addon takes as long as all else. */
function checks() {
  const node = process.execPath;
  const native = readdirSync(join(root, 'native')).filter((name) => /\.(cc|h)$/.test(name));
  const cmake = dependency('cmake-js', 'bin', 'cmake-js');
  return [
    [
      ['lint and format (TypeScript)', node, [dependency('@biomejs', 'biome', 'bin', 'biome'), 'ci', '.']],
      ['format (C++)', 'clang-format', ['--dry-run', '-Werror', ...native.map((name) => join('native', name))]],
      ['types', node, [dependency('typescript', 'bin', 'tsc'), '--noEmit']],
      ['types of examples/manager', node, [dependency('typescript', 'bin', 'tsc'), '-p', 'examples/manager']],
      ['every export is documented', node, [dependency('typedoc', 'bin', 'typedoc'), '--emit', 'none']],
    ],
    [['the addon by cmake-js', node, [cmake, 'rebuild', '--directory', 'native', '--out', join(root, 'build-cmake')]]],
  ];
}

async function inTurn(checks) {
  for (const [title, file, args] of checks) await attempt(() => step(title, () => run(file, args).then(() => {})));
}

async function part(title, work) {
  heading(title);
  const start = performance.now();
  const worked = await attempt(work);
  took.push({ title, seconds: (performance.now() - start) / 1000 });
  return worked;
}

/** True where it worked; otherwise it is noted, and the rest goes on. */
async function attempt(work) {
  try {
    await work();
    return true;
  } catch (error) {
    console.log(error.message.split('\n').slice(0, 60).join('\n'));
    broken.push(error.message.split('\n')[0]);
    return false;
  }
}

async function jest(project) {
  const file = join(results, `${project}.json`);
  const args = [
    '--selectProjects',
    project,
    '--json',
    `--outputFile=${file}`,
    '--passWithNoTests',
    `--maxWorkers=${WORKERS[project] ?? 1}`,
    '--testPathIgnorePatterns',
    ...APART_FILES,
    ...(REPORTERS[project] ?? []).flatMap((reporter) => ['--reporters', reporter]),
  ];
  const code = await runNodeReaped([dependency('jest', 'bin', 'jest.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const result = JSON.parse(readFileSync(file, 'utf8'));
  passed += result.numPassedTests;
  // A file that does not load holds tests that nobody counted.
  failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
  if (code !== 0) throw new Error(`tests of ${project} failed`);
}
