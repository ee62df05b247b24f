// Programs that the tests of the package run: Node in the versions that it promises, npm in two, and their output.
import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cachedDirectory, exists } from '../../lib/testing/cache';

/** Besides the one that runs the tests; npm's registry has them as packages. */
export const OTHER_NODES = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' } as const;
export type NodeMajor = keyof typeof OTHER_NODES;
export const NODE_MAJORS: readonly NodeMajor[] = [20, 22, 24, 26];

/** npm 12 wants Node 22 or later. */
const NPM_12 = '12.2.0';

export interface RunOptions {
  cwd: string;
  env?: NodeJS.ProcessEnv;
}

/** What a program printed; its failure has all that it said as its message. */
export async function run(file: string, args: readonly string[], { cwd, env }: RunOptions): Promise<string> {
  // What Jest and an `npm test` around it say of themselves is none of the program's business.
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS|JEST_)/i.test(name));
  const options = { cwd, env: { ...Object.fromEntries(own), CI: 'true', NO_COLOR: '1', ...env }, maxBuffer: 2 ** 26 };
  const { stdout } = await promisify(execFile)(file, args, options).catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}`);
  });
  return stdout;
}

/** The npm that is installed, as a program of Node. */
export function npm(): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    try {
      return realpathSync(join(folder, 'npm'));
    } catch {
      // not in this folder of the path: in one of the next
    }
  }
  throw new Error('npm is not installed');
}

export const npmCache = process.env.npm_config_cache ?? join(homedir(), '.npm');

export async function npm12(): Promise<string> {
  return join(await fromRegistry('npm', NPM_12), 'bin', 'npm-cli.js');
}

export async function nodeOf(major: NodeMajor): Promise<string> {
  if (process.version.startsWith(`v${major}.`)) return process.execPath;
  return join(await fromRegistry(`node-linux-${process.arch}`, OTHER_NODES[major]), 'bin', 'node');
}

/** A package's content, unpacked: neither installed nor any of its scripts run. */
async function fromRegistry(name: string, version: string): Promise<string> {
  return cachedDirectory(`${name}-${version}`, async (folder) => {
    await run(process.execPath, [npm(), 'pack', '--silent', `${name}@${version}`], { cwd: folder });
    const tarball = join(folder, `${name}-${version}.tgz`);
    await run('tar', ['--extract', '--strip-components=1', '--file', tarball], { cwd: folder });
    await rm(tarball);
    // 2800 header files, which no test compiles against.
    if (await exists(join(folder, 'include'))) await rm(join(folder, 'include'), { recursive: true });
  });
}
