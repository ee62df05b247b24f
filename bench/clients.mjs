// Whom the bench compares: each is a process of its own, which is told over a pipe what to do and says how long it took.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { step } from '../scripts/console.mjs';
import { dependency, printed, root, run } from '../scripts/process.mjs';
import { OURS } from './rows.mjs';

const { cachedDirectory } = createRequire(import.meta.url)(join(root, 'dist', 'testing', 'cache.js'));
const source = (name) => join(root, 'bench', 'clients', name);

/** Each gives its command line, a URI follows. */
const CLIENTS = {
  'raw C': rawC,
  // Debian's own interpreter: another one in the path knows nothing of Debian's packages.
  'python3-libvirt': () => ['/usr/bin/python3', source('python3.py')],
  '@unraid/libvirt': unraid,
  virsh: () => [process.execPath, source('virsh.mjs')],
  [OURS]: () => [process.execPath, source('ours.mjs')],
};

async function rawC(scratch) {
  const program = join(scratch, 'raw');
  const flags = printed('pkg-config', ['--cflags', '--libs', 'libvirt']).trim().split(/\s+/);
  await run('gcc', ['-O2', '-Wall', '-Werror', '-o', program, source('raw.c'), ...flags, '-lpthread']);
  return [program];
}

/** Into a folder of its own, and built from its source: what it brings is no part of this package. */
async function unraid() {
  const version = '2.2.1';
  const folder = await cachedDirectory(`bench-unraid-${version}-${process.versions.modules}`, async (directory) => {
    await writeFile(join(directory, 'package.json'), '{"private":true}');
    const inside = join(directory, 'node_modules', '@unraid', 'libvirt');
    const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', ['install', ...quietly, `@unraid/libvirt@${version}`], { cwd: directory });
    await run(process.execPath, [dependency('node-gyp', 'bin', 'node-gyp.js'), 'rebuild'], { cwd: inside });
  });
  return [process.execPath, source('unraid.mjs'), folder];
}

/** One client at one place. */
class Client {
  #child;
  #answers;

  constructor([file, ...args]) {
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Nanoseconds that this many calls took. */
  async run(program, calls) {
    this.#child.stdin.write(`${program} ${calls}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`${this.#child.spawnargs.join(' ')} ended without an answer`);
    return Number(value);
  }

  async end() {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }
}

/** Makes all clients ready, and calls `work` with a function that gives one of them at a URI. */
export async function withClients(work) {
  const scratch = await mkdtemp(join(tmpdir(), 'libvirt-disksnapshot-bench-'));
  const running = new Map();
  const commands = {};
  try {
    for (const [name, prepare] of Object.entries(CLIENTS))
      commands[name] = await step(`ready: ${name}`, async () => prepare(scratch));
    return await work((name, uri) => {
      const key = `${name} ${uri}`;
      if (!running.has(key)) running.set(key, new Client([...commands[name], uri]));
      return running.get(key);
    });
  } finally {
    await Promise.all([...running.values()].map((client) => client.end()));
    await rm(scratch, { recursive: true });
  }
}
