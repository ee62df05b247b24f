// What every command has at hand while it works: the connection, the output, and the way to be interrupted.
import {
  type Connection,
  connect,
  type DiskSnapshotSet,
  type Domain,
  findDiskSnapshot,
  LibvirtError,
  type OperationOptions,
  type Outcome,
} from '../index';
import { EXIT } from './exit-codes';
import { CliError } from './failure';
import { findDomain } from './find-domain';
import type { Interrupts } from './interrupt';
import type { GlobalOptions } from './options';
import { Output, type OutputStream } from './output';
import { Bars } from './progress';

/** The process, or what a test puts in its place. */
export interface World {
  stdin: NodeJS.ReadStream;
  stdout: OutputStream;
  stderr: OutputStream;
  env: NodeJS.ProcessEnv;
  interrupts: Interrupts;
}

/** What is true after an operation was given up. */
export interface Aftermath {
  message: string;
  outcome: Outcome;
}
export interface Undertaking {
  guest: string;
  /** What may be there if the process leaves at once, in a sentence. */
  leaves: string;
  /** What is there after it was given up in peace. Default: everything has been taken back. */
  givenUp?: () => Promise<Aftermath> | Aftermath;
}

const LOOKED_ONLY: Aftermath = { message: 'nothing was changed', outcome: 'unchanged' };
const TAKEN_BACK: Aftermath = { message: 'what was begun has been taken back', outcome: 'undone' };

export class Session implements AsyncDisposable {
  readonly output: Output;
  /** Of an interrupt, and of --timeout. What has to be done nevertheless does without it. */
  readonly signal: AbortSignal;
  readonly #options: GlobalOptions;
  readonly #bars: Bars;
  #connection: Promise<Connection> | undefined;
  #undertaking: Undertaking | undefined;

  constructor(
    readonly world: World,
    options: GlobalOptions,
  ) {
    const { stdout, stderr, env, interrupts } = world;
    this.#options = options;
    const json = options.json === true;
    this.#bars = new Bars(stderr, !json);
    this.output = new Output({ stdout, stderr, env, json, clear: () => this.#bars.clear() });
    const deadlines = options.timeout === undefined ? [] : [AbortSignal.timeout(options.timeout)];
    this.signal = AbortSignal.any([interrupts.signal, ...deadlines]);
  }

  /** For calls that may be given up, and show how far they are. */
  get operation(): OperationOptions & { signal: AbortSignal } {
    return { signal: this.signal, onProgress: this.#bars.show };
  }

  /** For what must be done although the operation was given up. */
  get cleanup(): OperationOptions {
    return { onProgress: this.#bars.show };
  }

  /** Opened when it is first asked for. */
  connection(): Promise<Connection> {
    this.#connection ??= this.#connect();
    return this.#connection;
  }

  async #connect(): Promise<Connection> {
    const { connect: uri = null, readonly } = this.#options;
    try {
      return await connect(uri, { readonly, signal: this.signal });
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      const where = uri ?? 'the default hypervisor';
      const advice = 'Name another with --connect URI, and look whether its daemon runs';
      const message = `no connection to ${where}: ${error.message}. ${advice}`;
      throw new CliError('NO_CONNECTION', EXIT.NO_CONNECTION, message, { cause: error });
    }
  }

  /** By id, UUID or name, as virsh does. */
  async guest(named: string): Promise<Domain> {
    return findDomain(await this.connection(), named, this.signal);
  }

  /** Those named, or all. */
  async guests(named: readonly string[]): Promise<Domain[]> {
    if (named.length > 0) return Promise.all(named.map((one) => this.guest(one)));
    const all = await (await this.connection()).listAllDomains({ signal: this.signal });
    return all.sort((a, b) => a.getName().localeCompare(b.getName()));
  }

  async snapshot(guest: Domain, name: string): Promise<DiskSnapshotSet> {
    const found = await findDiskSnapshot(guest, name, { signal: this.signal });
    if (found) return found;
    const message = `${guest.getName()} has no disk snapshot ${name}; disksnap list ${guest.getName()} names them`;
    throw new CliError('NOT_FOUND', EXIT.NOT_FOUND, message);
  }

  /** From now on something changes; this is what to say where it is given up. */
  begin(undertaking: Undertaking): void {
    this.#undertaking = undertaking;
  }

  aftermath(): Promise<Aftermath> | Aftermath {
    if (!this.#undertaking) return LOOKED_ONLY;
    return this.#undertaking.givenUp?.() ?? TAKEN_BACK;
  }

  /** What a process that leaves at once says. */
  farewell(): Aftermath {
    if (!this.#undertaking) return LOOKED_ONLY;
    const { guest, leaves } = this.#undertaking;
    const connection = this.#options.connect === undefined ? [] : ['--connect', this.#options.connect];
    const recover = ['disksnap', ...connection, 'recover', guest].join(' ');
    return { message: `${leaves}. To finish or undo it: ${recover}`, outcome: 'unknown' };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#bars.clear();
    const connection = await this.#connection?.catch(() => undefined);
    await connection?.close();
  }
}
