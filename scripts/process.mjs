// Child processes of the scripts: their output stays out of the way unless they fail.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Resolves with what the program printed; rejects with all of it where it fails. */
export function run(file, args, { env: more, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...nodeHeaders(), NO_COLOR: '1', FORCE_COLOR: '0', ...more };
    const child = spawn(file, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${[file, ...args].join(' ')} failed (${signal ?? `exit code ${code}`})\n${output}`));
    });
  });
}

/** What tells node-gyp and cmake-js of Node's own headers, where they lie beside it: otherwise both download them. */
function nodeHeaders() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? { npm_config_nodedir: prefix } : {};
}

/** The program's exit code; it shares our terminal. */
export function runVisibly(file, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: root, stdio: 'inherit', ...options });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal === null ? code : 1));
  });
}

/** Whether a program answers; nothing is printed. */
export function answers(file, args) {
  return spawnSync(file, args, { stdio: 'ignore' }).status === 0;
}

/** What a quick program prints, whatever its exit code. */
export function printed(file, args) {
  return spawnSync(file, args, { encoding: 'utf8' }).stdout ?? '';
}

/**
 * Node under a process that reaps. QEMU of the embedded driver is an orphan by design, and whoever waits for its end waits for
 * somebody to reap it: in a container the first process often does so late or never.
 */
export function runNodeReaped(args, options) {
  const tini = ['/usr/bin/tini', '/usr/local/bin/tini', '/sbin/tini'].find((path) => existsSync(path));
  return tini === undefined
    ? runVisibly(process.execPath, args, options)
    : runVisibly(tini, ['-s', '--', process.execPath, ...args], options);
}

/** Path of a program that a dependency brings. */
export function dependency(...path) {
  return join(root, 'node_modules', ...path);
}
