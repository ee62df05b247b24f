// Before a guest is frozen or paused, a process of its own is told. If we die, or hang for longer than we said, it lets the
// guest go on. One for each process, started with the first freeze, and gone when we are gone.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AuthCallback, Connection, Domain } from '../../libvirt';
import { onAbort } from '../../libvirt/on-abort';
import { credentialsOf } from '../../libvirt/origin';
import { DiskSnapshotError, messageOf } from '../errors';
import { type FromGuard, type Order, receive, send, type ToGuard } from './wire';

export interface Armed {
  /** We live, and are at it: the deadline begins anew. */
  postpone(byMs: number): void;
  /** Calls, at once or later, when the guard ends while it watches. */
  onLost(tell: () => void): void;
  /** The guest goes on: nobody has to watch it any more. */
  disarm(): void;
}

/** What the guard leaves us beyond what we promised: it acts only for a process that is stuck. */
const GRACE_MS = 1_000;
/** Starting Node and opening a connection takes a part of a second; on a busy machine a few. */
const START_LIMIT_MS = 30_000;

/** The process runs what was built, also where we were loaded from source. */
const PROGRAM = join('disk-snapshot', 'guard', 'process.js');
const program = (): string => {
  const beside = join(__dirname, 'process.js');
  return existsSync(beside) ? beside : join(__dirname, '..', '..', '..', 'dist', PROGRAM);
};

let guard: Guard | null = null;

/**
 * Tells the guard of a freeze or pause that is about to begin, and resolves when it is ready to end it.
 *
 * @throws DiskSnapshotError GUARD_UNAVAILABLE
 */
export async function armGuard(
  domain: Domain,
  what: Order['what'],
  longestMs: number,
  signal?: AbortSignal,
): Promise<Armed> {
  try {
    if (!guard || guard.isGone) guard = new Guard();
    return await guard.arm(domain, what, longestMs + GRACE_MS, signal);
  } catch (error) {
    signal?.throwIfAborted();
    const said = messageOf(error);
    throw new DiskSnapshotError(
      'GUARD_UNAVAILABLE',
      `${domain.getName()}: the guard, which lets the guest go on if this process dies, cannot watch it: ${said}. ` +
        'Mend that, or take the risk with guard: false',
      { guest: domain.getName(), cause: error },
    );
  }
}

/** A connection as the guard knows it. It holds nothing of ours: one that nobody closes can be collected. */
interface Known {
  readonly number: number;
  isClosed: boolean;
}

class Guard {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  readonly #connections = new WeakMap<Connection, Known>();
  /** What answers for the connection stays for as long as a guest is watched: the guard may have to open one when ours is lost. */
  readonly #armed = new Map<number, { known: Known; answer: AuthCallback | undefined; onLost: () => void }>();
  #next = 1;
  #gone: string | null = null;

  constructor() {
    const { NODE_OPTIONS: _, ...env } = process.env;
    // Its own session: the signal that a terminal sends to us does not reach it.
    this.#child = spawn(process.execPath, [program()], { detached: true, env, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.on('error', (error) => this.#lose(error.message));
    this.#child.on('exit', (code, signal) => this.#lose(`it ended with ${signal ?? `exit code ${code}`}`));
    this.#child.stdin?.on('error', (error) => this.#lose(error.message));
    if (this.#child.stdout)
      receive<FromGuard>(
        this.#child.stdout,
        (message) => this.#take(message),
        () => undefined,
      );
    this.#hold(false);
  }

  get isGone(): boolean {
    return this.#gone !== null;
  }

  async arm(domain: Domain, what: Order['what'], deadlineMs: number, signal?: AbortSignal): Promise<Armed> {
    const id = this.#next++;
    const { connection } = domain;
    const uri = await connection.getURI();
    const uuid = domain.getUUIDString();
    const known = this.#knownOf(connection);
    const armed = { known, answer: credentialsOf(connection), onLost: () => {} };
    this.#armed.set(id, armed);
    await this.#ask({ type: 'arm', id, connection: known.number, uri, uuid, what, deadlineMs }, id, signal);
    return {
      postpone: (byMs) => this.#send({ type: 'postpone', id, deadlineMs: byMs + GRACE_MS }),
      onLost: (tell) => {
        armed.onLost = tell;
        if (this.#gone !== null) tell();
      },
      disarm: () => this.#disarm(id),
    };
  }

  async #ask(message: ToGuard, id: number, signal?: AbortSignal): Promise<void> {
    const limit = setTimeout(() => this.#settle(id, 'it did not answer in time'), START_LIMIT_MS);
    const stopListening = onAbort(signal, () => this.#settle(id, 'it was given up'));
    this.#hold(true);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        if (this.#gone !== null) this.#settle(id, this.#gone);
        else this.#send(message);
      });
    } catch (error) {
      this.#disarm(id); // it may be armed a moment later
      throw error;
    } finally {
      clearTimeout(limit);
      stopListening();
      this.#hold(this.#waiting.size > 0);
    }
  }

  #take(message: FromGuard): void {
    if (message.type === 'armed') this.#settle(message.id, null);
    else if (message.type === 'failed') this.#settle(message.id, message.message);
    else if (message.type === 'over') this.#disarm(message.id);
    else void this.#answer(message);
  }

  /** Credentials go through the pipe, and only when they are asked for. */
  async #answer({ question, connection, credentials }: Extract<FromGuard, { type: 'ask' }>): Promise<void> {
    const armed = [...this.#armed.values()].find(({ known }) => known.number === connection);
    // The caller's own function may throw, at once or later, and answer anything.
    const said: unknown[] = await (async () => armed?.answer?.(credentials) ?? [])().catch(() => []);
    const answers = credentials.map((_, i) => (typeof said[i] === 'string' ? said[i] : null));
    this.#send({ type: 'answers', question, answers });
  }

  #knownOf(connection: Connection): Known {
    const met = this.#connections.get(connection);
    if (met) return met;
    const known: Known = { number: this.#next++, isClosed: false };
    this.#connections.set(connection, known);
    void connection.closed.then(() => {
      known.isClosed = true;
      this.#forgetUnused(known);
    });
    return known;
  }

  #disarm(id: number): void {
    const armed = this.#armed.get(id);
    this.#armed.delete(id);
    this.#send({ type: 'disarm', id });
    if (armed) this.#forgetUnused(armed.known);
  }

  #forgetUnused(known: Known): void {
    const isUsed = [...this.#armed.values()].some((armed) => armed.known === known);
    if (known.isClosed && !isUsed) this.#send({ type: 'forget', connection: known.number });
  }

  #send(message: ToGuard): void {
    if (this.#gone === null && this.#child.stdin?.writable) send(this.#child.stdin, message);
  }

  #settle(id: number, trouble: string | null): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (trouble === null) waiting?.resolve();
    else waiting?.reject(new Error(trouble));
  }

  #lose(how: string): void {
    this.#gone ??= how;
    for (const id of [...this.#waiting.keys()]) this.#settle(id, how);
    const watched = [...this.#armed.values()];
    this.#armed.clear();
    for (const { onLost } of watched) onLost();
  }

  /** Only while we wait for its answer does it keep our event loop alive. */
  #hold(hold: boolean): void {
    for (const each of [this.#child, this.#child.stdin, this.#child.stdout]) {
      const handle = each as { ref?: () => void; unref?: () => void } | null;
      if (hold) handle?.ref?.();
      else handle?.unref?.();
    }
  }
}
