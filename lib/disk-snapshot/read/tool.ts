// QEMU's tools end with the process that started them, also where that is killed: a qemu-nbd whose reader never came waits
// for ever, and its lock keeps others from merging the image.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';

/** Of util-linux; it asks the kernel for a signal at its parent's end, and becomes the tool. */
const SETPRIV = '/usr/bin/setpriv';
const UNTIL_OUR_END = ['--pdeathsig', 'KILL', '--'];

/** spawn, of a program that must not outlive us. What it says is not translated. */
export function spawnTool(tool: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const english = { ...options, env: { ...process.env, LC_ALL: 'C' } };
  return existsSync(SETPRIV) ? spawn(SETPRIV, [...UNTIL_OUR_END, tool, ...args], english) : spawn(tool, args, english);
}

/** Resolves when it has ended, with what it last said. */
export async function lastWords(child: ChildProcess): Promise<string> {
  let said = '';
  child.stderr?.on('data', (text: Buffer) => {
    said = (said + text.toString()).slice(-2000);
  });
  await once(child, 'close');
  return said;
}

/** Whether its last words, or the error of its start, say that it is not installed. */
export const isMissing = (said: string): boolean => /ENOENT|setpriv: failed to execute/.test(said);
