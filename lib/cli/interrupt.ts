// Ctrl-C and its like: the first aborts what is under way, which takes itself back; the second leaves at once.
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type InterruptSignal = (typeof SIGNALS)[number];

/** Why an operation was given up. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor(readonly by: InterruptSignal) {
    super(by === 'SIGINT' ? 'interrupted' : `interrupted by ${by}`);
  }

  /** As a shell reports a program that a signal ended. */
  get exitCode(): number {
    return 128 + constants.signals[this.by];
  }
}

export interface InterruptListener {
  /** Something is taken back now. */
  first(reason: Interrupted): void;
  /** Nobody waits for that any more: what to say before the process leaves. */
  second(reason: Interrupted): void;
}

/** What of a process is needed here. */
export interface SignalSource {
  on(signal: InterruptSignal, listener: () => void): unknown;
  off(signal: InterruptSignal, listener: () => void): unknown;
  exit(code: number): void;
}

export class Interrupts {
  readonly #source: SignalSource;
  readonly #controller = new AbortController();

  constructor(source: SignalSource) {
    this.#source = source;
  }

  /** Aborts with an `Interrupted`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Until disposed of, a signal does not end the process but aborts. */
  listen({ first, second }: InterruptListener): Disposable {
    const listeners = SIGNALS.map((name) => {
      const listener = () => {
        const reason = new Interrupted(name);
        if (!this.signal.aborted) {
          first(reason);
          this.#controller.abort(reason);
          return;
        }
        second(reason);
        this.#source.exit(reason.exitCode);
      };
      this.#source.on(name, listener);
      return { name, listener };
    });
    return {
      [Symbol.dispose]: () => {
        for (const { name, listener } of listeners) this.#source.off(name, listener);
      },
    };
  }
}
