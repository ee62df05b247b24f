// The command disksnap as users run it: on a terminal of its own, or in a pipe. It runs what `npm run build:ts` made.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const DIST = join(__dirname, '..', 'dist');
export const MAIN = join(DIST, 'cli', 'main.js');
/** Python brings a pseudo-terminal; Node has none without native code. */
const PTY = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';
export const CTRL_C = '\x03';

/** Stops at one place, says so on the terminal, and goes on after the interrupt: a fault point, or where a file is published. */
const STOP = `
  const { installFaultHook } = require(${JSON.stringify(join(DIST, 'disk-snapshot', 'fault-point'))});
  const hang = (place, resolve = () => {}) => {
    const timer = setInterval(() => {}, 2 ** 30); // as a call of libvirt would, it keeps the process
    process.stderr.write('stopped at ' + place);
    return () => resolve(clearInterval(timer));
  };
  const stop = (place) => new Promise((resolve) => process.once('SIGINT', hang(place, resolve)));
  const passed = {};
  installFaultHook((point) => {
    const { STOP_AT } = process.env;
    passed[point] = (passed[point] ?? 0) + 1;
    const place = passed[point] === 1 ? point : point + ' ' + passed[point]; // its second time, third, …
    if (STOP_AT !== place && STOP_AT !== 'hang at ' + place) return;
    delete process.env.STOP_AT;
    return STOP_AT === place ? stop(place) : new Promise(() => hang(place));
  });
  const { NewFile } = require(${JSON.stringify(join(DIST, 'disk-snapshot', 'read', 'new-file'))});
  const { publish } = NewFile.prototype;
  if (process.env.STOP_AT === 'publish') NewFile.prototype.publish = async function () {
    NewFile.prototype.publish = publish;
    await stop('publish');
    return publish.call(this);
  };
`;

export interface Finished {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** In pipes: neither of its ends is a terminal. */
export async function disksnap(uri: string, ...args: string[]): Promise<Finished> {
  const child = spawn(process.execPath, [MAIN, '--connect', uri, ...args], { env: environment({}) });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.end();
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, stdout, stderr };
}

/** A program on a terminal, where a key can be pressed. */
export class Terminal {
  /** All that has appeared so far. */
  screen = '';
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #end: Promise<unknown[]>;

  constructor(command: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn('python3', ['-c', PTY, ...command], { env: environment(env) });
    this.#end = once(this.#child, 'close');
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.screen += text;
    });
  }

  static disksnap(uri: string, args: readonly string[], { stopAt }: { stopAt?: string } = {}): Terminal {
    const words = [MAIN, '--connect', uri, ...args];
    if (stopAt === undefined) return new Terminal([process.execPath, ...words]);
    // With --eval, process.argv has no script of its own.
    const command = [process.execPath, '--eval', `${STOP}; require(process.argv[1])`, '--', ...words];
    return new Terminal(command, { STOP_AT: stopAt });
  }

  /** Resolves when that text is on the screen. */
  async shows(text: string): Promise<void> {
    const ended = this.#end.then(() => {
      if (!this.screen.includes(text)) throw new Error(`ended without ${text}: ${this.screen}`);
    });
    while (!this.screen.includes(text)) await Promise.race([once(this.#child.stdout, 'data'), ended]);
    ended.catch(() => {});
  }

  press(key: string): void {
    this.#child.stdin.write(key);
  }

  async end(): Promise<{ exitCode: number | null; screen: string }> {
    const [exitCode] = (await this.#end) as [number | null];
    return { exitCode, screen: this.screen };
  }
}

function environment(more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NO_COLOR: _, FORCE_COLOR: __, ...env } = process.env;
  return { ...env, TERM: 'xterm', ...more };
}
