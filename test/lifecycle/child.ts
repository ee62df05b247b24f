// A process of its own for one step of the addon's life: what matters is how it ends.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { transformSync } from '@swc/core';

jest.setTimeout(90_000);

const root = join(__dirname, '..', '..');

/** The addon that is tested: by this name the environment may tell of another build than the usual one. */
export const BINARY = join(
  process.env.LIBVIRT_DISKSNAPSHOT_PREBUILD ?? root,
  join('build', 'Release', 'disksnapshot_native.node'),
);

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  ms: number;
  /** From the first thing that it printed to its end. */
  endedMs: number;
}

export interface Stage {
  /** Runs a script that finds the mirror as `libvirt`; with `worker`, in a worker whose exit code becomes the process's, and whose
   * first message terminates it. */
  run(
    script: string,
    options?: { worker?: boolean; nodeArgs?: string[]; env?: Record<string, string>; timeoutMs?: number },
  ): Promise<Ended>;
  readonly directory: string;
  close(): void;
}

/** The mirror as plain JavaScript in a folder of its own, and scripts that use it. */
export function stage(): Stage {
  const directory = mkdtempSync(join(tmpdir(), 'libvirt-disksnapshot-lifecycle-'));
  // By the name in package.json the environment may tell of another build of the addon.
  for (const name of ['build', 'node_modules', 'package.json']) symlinkSync(join(root, name), join(directory, name));
  for (const folder of ['lib', 'lib/libvirt', 'lib/libvirt/generated']) {
    mkdirSync(join(directory, folder));
    for (const file of readdirSync(join(root, folder)).filter((name) => name.endsWith('.ts'))) {
      const { code } = transformSync(readFileSync(join(root, folder, file), 'utf8'), {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
      });
      writeFileSync(join(directory, folder, file.replace(/\.ts$/, '.js')), code);
    }
  }
  let scripts = 0;
  const write = (script: string): string => {
    const path = join(directory, `script-${++scripts}.js`);
    writeFileSync(path, script);
    return path;
  };

  return {
    directory,
    run(script, { worker = false, nodeArgs = [], env = {}, timeoutMs = 60_000 } = {}) {
      const mirror = JSON.stringify(join(directory, 'lib', 'libvirt'));
      const path = write(`const libvirt = require(${mirror});\n(async () => {\n${script}\n})();\n`);
      const main = worker
        ? write(
            `const { Worker } = require('node:worker_threads');\n` +
              `const worker = new Worker(${JSON.stringify(path)});\n` +
              `worker.on('error', () => {});\nworker.on('exit', (code) => { process.exitCode = code; });\n` +
              `worker.on('message', () => worker.terminate());\n`,
          )
        : path;
      const start = performance.now();
      const child = spawn(process.execPath, [...nodeArgs, main], {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
      });
      let stdout = '';
      let stderr = '';
      let spoke = start;
      child.stdout.once('data', () => {
        spoke = performance.now();
      });
      child.stdout.on('data', (data) => {
        stdout += data;
      });
      child.stderr.on('data', (data) => {
        stderr += data;
      });
      return new Promise((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code, signal) => {
          const now = performance.now();
          resolve({ code, signal, stdout, stderr, ms: now - start, endedMs: now - spoke });
        });
      });
    },
    close() {
      rmSync(directory, { recursive: true });
    },
  };
}

/** A C program that takes the place of functions of the C library, to be loaded before all others: what to set `LD_PRELOAD` to. */
export function compileShim(place: Stage, program: string): string {
  const [source, shim] = [join(place.directory, 'shim.c'), join(place.directory, 'shim.so')];
  writeFileSync(source, program);
  execFileSync('cc', ['-shared', '-fPIC', '-o', shim, source]);
  return shim;
}
