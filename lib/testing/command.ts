// Runs one program with an argument vector, never through a shell, and says what to install where it is missing.
import { type ExecFileException, execFile } from 'node:child_process';

export interface RunOptions {
  cwd?: string;
  signal?: AbortSignal | undefined;
  /** What the program reads; its standard input is closed after that. Default: nothing. */
  input?: string;
  /** Exit codes that are an answer, not a failure. Default `[0]`. */
  accept?: readonly number[];
}

/** What became of a program on this machine. */
export interface RunResult {
  /** 0, or one that the caller accepts. */
  exitCode: number;
  /** As UTF-8. */
  stdout: string;
  /** As UTF-8. */
  stderr: string;
}

/** Debian packages of the programs that the test guests need. */
const PACKAGE_OF: Readonly<Record<string, string>> = {
  'apt-cache': 'apt',
  'apt-get': 'apt',
  busybox: 'busybox-static',
  cpio: 'cpio',
  debugfs: 'e2fsprogs',
  dumpe2fs: 'e2fsprogs',
  e2fsck: 'e2fsprogs',
  ldd: 'libc-bin',
  libvirtd: 'libvirt-daemon',
  mke2fs: 'e2fsprogs',
  nsenter: 'util-linux',
  mmdebstrap: 'mmdebstrap',
  'qemu-ga': 'qemu-guest-agent',
  'qemu-img': 'qemu-utils',
  'qemu-system-x86_64': 'qemu-system-x86',
  tini: 'tini',
  unshare: 'util-linux',
  virsh: 'libvirt-clients',
};

/** A user's PATH often lacks the folders of mke2fs, libvirtd and their like. */
const PATH = [...new Set([...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'])]
  .filter(Boolean)
  .join(':');

/**
 * The caller's environment, with English messages and a PATH that finds the tools of the administrator. What was preloaded into
 * this process, as a sanitizer's library, was not meant for them.
 */
export function toolEnvironment(): NodeJS.ProcessEnv {
  const { LD_PRELOAD: _, ...environment } = process.env;
  return { ...environment, PATH, LC_ALL: 'C' };
}

/**
 * Resolves with the exit code and what was printed.
 *
 * @throws Error with the command, its exit code and its last words, where the code is not in `accept`
 */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { cwd, signal, input, accept = [0] } = options;
  return new Promise((resolve, reject) => {
    const settings = { cwd, signal, env: toolEnvironment(), maxBuffer: 256 * 1024 * 1024, encoding: 'utf8' as const };
    const child = execFile(file, args, settings, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : error.code;
      if (typeof exitCode === 'number' && accept.includes(exitCode)) resolve({ exitCode, stdout, stderr });
      else reject(signal?.aborted ? signal.reason : failure(file, args, error, stderr));
    });
    // A program that ends without reading breaks the pipe; its exit code says more.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

function failure(file: string, args: readonly string[], error: ExecFileException | null, stderr: string): Error {
  if (error?.code !== undefined && String(error.code) === 'ENOENT') {
    const name = PACKAGE_OF[file];
    const advice = name === undefined ? 'install it' : `install it: apt-get install --no-install-recommends ${name}`;
    return new Error(`${file} was not found; ${advice}`, { cause: error });
  }
  const how = error?.signal ? `was ended by ${error.signal}` : `failed with exit code ${error?.code ?? 0}`;
  return new Error(`${[file, ...args].join(' ')} ${how}: ${stderr.trim()}`, { cause: error });
}
