// The parent's end of user.cjs.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Operation } from './plan';

export interface Failure {
  name: string;
  code?: string;
  outcome?: string;
  message: string;
  stack: string;
}
export type Answer = { result: unknown } | { error: Failure } | { ended: string };

export interface Measures {
  /** Bytes that were allocated and are still in use: by JavaScript's objects, and by all that calls malloc. */
  held: number;
  sockets: number;
  /** Sockets included. */
  files: number;
  threads: number;
  /** Of the process, with what is kept for later: shown, not judged. */
  rss: number;
}

/** Where a revert that was asked for leads to; what becomes of it is not said. */
export interface Reverts {
  set: string;
  disks: string[];
}

/** In the environment of each worker, and so of all that it starts. */
export const MARK = 'LIBVIRT_DISKSNAPSHOT_SOAK_OF';

/** Of all workers; nothing may be left there either. */
export const temporaryIn = (scratch: string) => join(scratch, 'tmp');

/** Nothing that a user calls may take longer; the longest are waits for an agent that hangs. */
const LONGEST_MS = 240_000;

type Request =
  | Operation
  | { do: 'sets' | 'missing' | 'measure' | 'disconnect' | 'warm' }
  | { do: 'leak'; of: 'C' | 'JavaScript' };

export class Worker {
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;
  #next = 1;
  /** What it began last. */
  reverts: Reverts | null = null;

  /**
   * @param allocator the library that `allocations.c` becomes
   * @param deleted gets the disks' snapshots, as SET/DISK, whose deletion begins
   */
  constructor(uri: string, guest: string, mark: string, allocator: string, deleted: Set<string>) {
    this.#child = fork(join(__dirname, 'user.cjs'), [uri, guest, allocator], {
      execArgv: ['--expose-gc'],
      env: { ...process.env, [MARK]: mark, TMPDIR: temporaryIn(mark) },
    });
    this.#child.on('message', (message: { reverts?: Reverts; deletes?: string[] }) => {
      this.reverts = message.reverts ?? this.reverts;
      for (const one of message.deletes ?? []) deleted.add(one);
    });
    this.#ended = once(this.#child, 'exit').then(([code, signal]) => String(signal ?? `exit code ${code}`));
  }

  /** Never rejects but where nothing comes back: a worker that ends is an answer too. */
  async ask(operation: Request & { name?: string; path?: string }, timeoutMs?: number): Promise<Answer> {
    const id = this.#next++;
    const limit = new AbortController();
    const answered = new Promise<Answer>((resolve) => {
      const take = (message: { id: number } & Answer) => {
        if (message.id !== id) return;
        this.#child.off('message', take);
        resolve(message);
      };
      this.#child.on('message', take);
    });
    const hangs = new Promise<never>((_, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${operation.do} hangs for ${LONGEST_MS} ms (process ${this.#child.pid})`)),
        LONGEST_MS,
      );
      limit.signal.addEventListener('abort', () => clearTimeout(timer));
    });
    if (this.#child.connected) this.#child.send({ id, operation, timeoutMs }, () => undefined);
    try {
      return await Promise.race([answered, this.#ended.then((ended) => ({ ended })), hangs]);
    } finally {
      limit.abort();
    }
  }

  /** @throws Error where the operation failed */
  async must<T>(operation: Request): Promise<T> {
    const answer = await this.ask(operation);
    if ('result' in answer) return answer.result as T;
    throw new Error(`${operation.do} failed: ${JSON.stringify(answer)}`);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
