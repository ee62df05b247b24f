// Inside other test runners, and in Jest itself: two files of tests in one process, in realms of their own where the runner
// makes them. The package is installed there, as a user has it.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';

jest.setTimeout(180_000);

const ROOT = join(__dirname, '..', '..');
let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'libvirt-disksnapshot-runners-'));
  cpSync(join(ROOT, 'test', 'runners', 'project'), project, { recursive: true });
  const modules = join(project, 'node_modules');
  const installed = join(modules, 'libvirt-disksnapshot');
  mkdirSync(join(installed, 'build', 'Release'), { recursive: true });
  const addon = join('build', 'Release', 'disksnapshot_native.node');
  for (const part of ['package.json', 'dist', addon])
    cpSync(join(ROOT, part), join(installed, part), { recursive: true });
  for (const name of ['fast-xml-parser', 'node-gyp-build', 'vitest', '@swc'])
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** What a runner, a program of Node, said. */
async function run(...args: string[]): Promise<string> {
  const { NODE_OPTIONS: _, JEST_WORKER_ID: __, ...env } = process.env;
  const options = { cwd: project, env: { ...env, CI: 'true', NO_COLOR: '1' } };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, options).catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}`);
  });
  return stdout + stderr;
}
const manifest = (type: 'module' | 'commonjs') =>
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type }));

test.each(['vmThreads', 'vmForks', 'threads', 'forks'])('Vitest, pool %s', async (pool) => {
  manifest('module');
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const once = ['--maxWorkers=1', ...(pool.startsWith('vm') ? [] : ['--no-isolate'])];
  const said = await run(vitest, 'run', '--globals', `--pool=${pool}`, ...once);
  expect(said).toMatch(/Tests\s+6 passed \(6\)/);
});

test('Jest', async () => {
  manifest('commonjs');
  const transform = { '\\.js$': [require.resolve('@swc/jest'), { module: { type: 'commonjs' } }] };
  const config = { rootDir: project, cacheDirectory: join(project, 'cache'), transform, testMatch: ['**/*.test.js'] };
  const jestProgram = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const said = await run(jestProgram, '--runInBand', '--config', JSON.stringify(config));
  expect(said).toMatch(/Tests:\s+6 passed, 6 total/);
});

test('node:test', async () => {
  manifest('module');
  const both = `globalThis.test = (await import('node:test')).test; await import('./one.test.js'); await import('./two.test.js');`;
  writeFileSync(join(project, 'both.js'), both);
  const said = await run('--test', '--test-reporter=tap', 'both.js');
  expect(said).toMatch(/# pass [67]/); // newer ones count no test for the file
  expect(said).toContain('# fail 0');
});
