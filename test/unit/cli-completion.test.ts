// What the shells complete: asked of the program itself, on libvirt's test driver, and by each shell on a terminal.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Interrupts } from '../../lib/cli/interrupt';
import { runCli } from '../../lib/cli/run';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { MAIN, Terminal } from '../cli-terminal';

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

describe.each([
  ['bash', '.bashrc', ['--rcfile', '.bashrc', '-i'], (script: string) => `PS1='ready> '\n${script}`],
  ['zsh', '.zshrc', ['-i'], (script: string) => `PS1='ready> '\nautoload -Uz compinit; compinit -u -D\n${script}`],
  [
    'fish',
    '.config/fish/completions/disksnap.fish',
    ['--init-command', 'function fish_prompt; echo "ready> "; end'],
    null,
  ],
])('%s, as a person types', (shell, file, options, startUp) => {
  let home: string;
  let terminal: Terminal;
  beforeAll(async () => {
    home = await temporaryDirectory('completion');
    const { stdout: script } = await cli('completion', shell);
    await mkdir(dirname(join(home, file)), { recursive: true });
    await writeFile(join(home, file), startUp?.(script) ?? script);
    const guests = ['web1', 'my guest'].map(
      (name) => `<domain type='test'><name>${name}</name><memory>1024</memory><os><type>hvm</type></os></domain>`,
    );
    await writeFile(join(home, 'host.xml'), `<node>${guests.join('')}</node>`);
    // What completes is the program; what a line runs in the end tells the words that it was given.
    const program = `#!/bin/sh
      case " $* " in *' complete '*) exec '${process.execPath}' '${MAIN}' "$@";; esac
      printf 'ran:'; printf ' <%s>' "$@"; echo`;
    await writeFile(join(home, 'disksnap'), program, { mode: 0o755 });
    terminal = new Terminal(['env', '-C', home, shell, ...options], {
      HOME: home,
      ZDOTDIR: home,
      XDG_CONFIG_HOME: join(home, '.config'),
      XDG_RUNTIME_DIR: home, // else fish leaves a folder in the temporary directory
      PATH: `${home}:${process.env.PATH}`,
      LIBVIRT_DEFAULT_URI: `test://${join(home, 'host.xml')}`,
    });
    await terminal.shows('ready> ');
  });
  afterAll(async () => {
    terminal.press('exit\r');
    await terminal.end();
    await rm(home, { recursive: true });
  });

  test.each([
    ['a command', 'disksnap sho', '<show>'],
    ['an option', 'disksnap list --js', '<list> <--json>'],
    ['a guest of another hypervisor', 'disksnap -c test:///default tree te', '<-c> <test:///default> <tree> <test>'],
    ['a guest whose name has a space', 'disksnap tree my', '<tree> <my guest>'],
    ['the rest of such a name', 'disksnap tree my\\ g', '<tree> <my guest>'],
    ['a file', 'disksnap export web1 s1 host.x', '<export> <web1> <s1> <host.xml>'],
  ])('%s', async (_what, typed, ran) => {
    terminal.screen = '';
    terminal.press(`${typed}\t\r`);
    await terminal.shows(`ran: ${ran}\r\n`);
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
