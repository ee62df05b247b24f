// The examples for test runners pass, as a user has them; after a test that takes too long the next finds a pristine guest; and a
// runner that is killed leaves nothing.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { inFolder } from '../in-folder';

jest.setTimeout(240_000);

const ROOT = join(__dirname, '..', '..');
const JEST = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
/** Else it stays in the temporary directory. */
const CACHE = '--cacheDirectory=cache';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'libvirt-disksnapshot-harness-'));
  const modules = join(folder, 'node_modules');
  const installed = join(modules, 'libvirt-disksnapshot');
  mkdirSync(join(installed, 'build', 'Release'), { recursive: true });
  for (const part of ['package.json', 'dist', join('build', 'Release', 'disksnapshot_native.node')])
    cpSync(join(ROOT, part), join(installed, part), { recursive: true });
  for (const name of ['fast-xml-parser', 'node-gyp-build', 'vitest'])
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  for (const runner of ['jest', 'vitest', 'node-test'])
    cpSync(join(ROOT, 'examples', `testing-${runner}`), join(folder, runner), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, JEST_WORKER_ID: __, NODE_TEST_CONTEXT: ___, ...env } = process.env;
  return { ...env, CI: 'true', NO_COLOR: '1' };
}

/** What a runner, a program of Node, said, whether its tests passed or not. */
async function run(project: string, ...args: string[]): Promise<string> {
  const options = { cwd: join(folder, project), env: environment() };
  const said = await promisify(execFile)(process.execPath, args, options).catch((error) => error);
  return `${said.stdout}${said.stderr}`;
}

test('Jest, two files at once in two processes', async () => {
  expect(await run('jest', JEST, CACHE, '--maxWorkers=2')).toMatch(/Tests:\s+6 passed, 6 total/);
});

test('Vitest', async () => {
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  expect(await run('vitest', vitest, 'run')).toMatch(/Tests\s+3 passed \(3\)/);
});

test('node:test', async () => {
  const said = await run('node-test', '--test', '--test-reporter=tap', 'files.test.js');
  expect(said).toMatch(/# pass [34]/); // newer ones count no test for the file
  expect(said).toContain('# fail 0');
});

const SETUP = `const { guestForTests } = require('libvirt-disksnapshot/testing');
const guest = guestForTests({ beforeAll, afterEach, afterAll });`;

test('a test that takes too long leaves the guest pristine', async () => {
  mkdirSync(join(folder, 'late'));
  writeFileSync(join(folder, 'late', 'package.json'), '{ "jest": { "testTimeout": 30000 } }');
  const program = `${SETUP}
let ended;
test('hangs', async () => {
  ended = guest().exec(['sh', '-c', 'echo dirty >/mnt/a/x; sleep 1000'], { timeoutMs: 200000 }).catch((error) => error.name);
  await ended.then(() => new Promise(() => {}));
}, 2000);
test('finds a pristine guest', async () => {
  expect(await ended).toBe('GuestRestoredError');
  expect((await guest().exec(['ls', '/mnt/a/x'])).exitCode).toBe(1);
});`;
  writeFileSync(join(folder, 'late', 'late.test.js'), program);
  const said = await run('late', JEST, CACHE);
  expect(said).toMatch(/✕ hangs/);
  expect(said).toMatch(/✓ finds a pristine guest/);
});

test('a runner that is killed leaves no guest and no files', async () => {
  mkdirSync(join(folder, 'killed'));
  writeFileSync(join(folder, 'killed', 'package.json'), '{}');
  const program = `${SETUP}
test('dies', () => {
  require('node:fs').writeFileSync('directory', guest().directory);
  process.kill(process.pid, 'SIGKILL');
});`;
  writeFileSync(join(folder, 'killed', 'killed.test.js'), program);
  const options = { cwd: join(folder, 'killed'), env: environment(), stdio: 'ignore' as const };
  const runner = spawn(process.execPath, [JEST, CACHE, '--runInBand'], options);
  await once(runner, 'exit');
  expect(runner.signalCode).toBe('SIGKILL');
  const directory = readFileSync(join(folder, 'killed', 'directory'), 'utf8');
  // The keeper ends the guest first, and removes the folder of the process last.
  await inFolder(tmpdir(), () => !existsSync(dirname(directory)));
  const { stdout } = await promisify(execFile)('pgrep', ['-fc', `qemu-system.*${dirname(directory)}`]).catch(
    (error) => error,
  );
  expect(stdout.trim()).toBe('0');
});
