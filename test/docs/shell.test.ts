// Each line of the shell samples is run in a real shell, but for those in a list that says by what or why not. Only names and
// places are put in, and nothing is installed.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { MAIN } from '../cli-terminal';
import { pages, root } from './markdown';
import { isAbout, isShell, LINES, linesOf } from './plain-samples';

const run = promisify(execFile);
const shells = pages.flatMap(({ blocks }) => blocks).filter(isShell);
const all = shells.flatMap((block) => linesOf(block).map((line) => ({ where: block.where, line })));
const listed = ({ where, line }: (typeof all)[number]) => LINES.filter((one) => isAbout(one, where, line));

let home: string;
beforeAll(async () => {
  home = await temporaryDirectory('shell');
  for (const folder of ['bin', 'bash', 'zsh', '.config/fish/completions'])
    await mkdir(join(home, folder), { recursive: true });
  const program = `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`;
  await writeFile(join(home, 'bin', 'disksnap'), program, { mode: 0o755 });
});
afterAll(() => rm(home, { recursive: true }));

const here = (line: string) =>
  line.replace(/^sudo apt-get install/, 'apt-get install --simulate').replace('/etc/bash_completion.d', `${home}/bash`);

describe.each(all.filter((one) => listed(one).length === 0))('$where', ({ line }) => {
  test(line, async () => {
    const env = { ...process.env, HOME: home, PATH: `${join(home, 'bin')}:${process.env.PATH}` };
    // zsh's own list of folders, in which its first is not bash's.
    const shell = line.includes('fpath')
      ? ['zsh', '-f', '-c', `fpath=('${home}/zsh'); ${line}`]
      : ['bash', '-c', here(line)];
    const [program = '', ...args] = ['-e', ...shell.slice(1)];
    await run(shell[0] ?? '', [program, ...args], { env, cwd: home });
  });
});

test('the completions that they made are such as the shells read', async () => {
  for (const [shell, folder] of [
    ['bash', 'bash'],
    ['zsh', 'zsh'],
    ['fish', '.config/fish/completions'],
  ] as const) {
    const files = (await readdir(join(home, folder))).map((file) => join(home, folder, file));
    expect({ shell, files }).toEqual({ shell, files: [expect.stringContaining('disksnap')] });
    await run(shell, ['-n', ...files], { env: { ...process.env, XDG_RUNTIME_DIR: home } }); // fish's folder goes with it
  }
});

describe('the list of other lines', () => {
  test.each(LINES)('in $in: $holds', ({ by, notRun, ...one }) => {
    expect(all.some(({ where, line }) => isAbout(one, where, line))).toBe(true);
    expect(by === undefined ? notRun : existsSync(join(root, by)) && undefined).toEqual(notRun);
    expect([by, notRun].filter((said) => said !== undefined)).toHaveLength(1);
  });

  test('names each line once', () => {
    expect(all.filter((one) => listed(one).length > 1)).toEqual([]);
  });
});
