// What the shells complete: asked of the program itself, on libvirt's test driver, and by bash.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { Interrupts } from '../../lib/cli/interrupt';
import { runCli } from '../../lib/cli/run';

async function cli(...args: string[]) {
  const text = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk, _encoding, done) {
        text[name] += chunk;
        done();
      },
    });
  const world = {
    stdin: process.stdin,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env: {},
    interrupts: new Interrupts(process),
  };
  return { exitCode: await runCli(args, world), ...text };
}
const candidates = async (...words: string[]) =>
  (await cli('complete', '--', ...words)).stdout.split('\n').slice(0, -1);

describe('candidates', () => {
  test.each([
    ['a command', ['re'], ['revert', 'recover']],
    ['an option of the command, and one of all', ['export', '--f'], ['--format']],
    ['an option of all', ['list', '--js'], ['--json']],
    ['the choices of an option', ['backup', '--format', ''], ['qcow2', 'raw']],
    ['the choices of an operand', ['completion', ''], ['bash', 'zsh', 'fish']],
    ['a guest', ['-c', 'test:///default', 'show', 't'], ['test']],
    ['a guest, where the hypervisor stands behind =', ['--connect=test:///default', 'tree', ''], ['test']],
    ['a file: nothing', ['export', 'web1', 's1', ''], []],
    ['a guest where nobody answers: nothing', ['-c', 'nosuch:///x', 'show', ''], []],
  ])('for %s', async (_what, words, expected) => {
    expect(await candidates(...words)).toEqual(expected);
  });
});

test('what virsh has and is not done here is not offered', async () => {
  expect(await candidates('create', '--')).not.toContain('--memspec');
});

test('bash completes by the script', async () => {
  const { stdout: script } = await cli('completion', 'bash');
  const main = join(__dirname, '..', '..', 'dist', 'cli', 'main.js');
  const ask = `disksnap() { "${process.execPath}" "${main}" "$@"; }; ${script}
    COMP_LINE='disksnap -c test:///default show '; COMP_POINT=\${#COMP_LINE}; _disksnap; printf '%s\\n' "\${COMPREPLY[@]}"`;
  expect(spawnSync('bash', ['--norc', '-c', ask], { encoding: 'utf8' })).toMatchObject({
    stdout: 'test\n',
    stderr: '',
  });
});

describe('the command line', () => {
  test.each([
    ['an unknown command', ['crate'], 2, 'unknown command'],
    ['an unknown option', ['list', '--nope'], 2, 'unknown option'],
    ['what virsh does and we do not', ['create', 'web1', '--memspec', 'x'], 2, 'memory is not saved'],
    ['no operand', ['create'], 2, 'missing required argument'],
    ['an unknown guest', ['-c', 'test:///default', 'show', 'nobody', 's1'], 4, 'no guest'],
    ['no hypervisor', ['-c', 'nosuch:///x', 'list'], 7, 'no connection to nosuch:///x'],
  ])('%s: exit code %#', async (_what, args, exitCode, says) => {
    const text = await cli(...args);
    expect(text).toMatchObject({ exitCode, stdout: '', stderr: expect.stringContaining(says) });
    const { stderr } = await cli('--json', ...args);
    expect(JSON.parse(stderr).error).toMatchObject({ exitCode, message: expect.stringContaining(says) });
  });

  test('help, the version and the exit codes are results', async () => {
    expect(await cli('help', 'quiesce')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('-- <command>'),
    });
    expect(await cli('--version')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+/) });
    expect(await cli('help', 'exit-codes')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('130') });
    expect(await cli('help', 'nothing')).toMatchObject({ exitCode: 2 });
  });
});
