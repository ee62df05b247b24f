// Subscription: events as an async iterable or for listeners, from a bounded queue that counts what it dropped.
import { type NativeEvent, native, type RawHandle } from '../native';
import { call, checkOptions, NO_OPTIONS } from './call';
import type { CloseReason, CloseSignal } from './close-signal';
import type { Connection } from './connection';
import type { Domain } from './domain';
import { argumentError, LibvirtError } from './errors';
import type { DomainEvents } from './events';
import { ErrorNumber } from './generated/constants';
import { classOf, type NativeObject, raw } from './handle';
import type { Network } from './network';
import type { NodeDevice } from './node-device';
import { onAbort } from './on-abort';
import { CALL_OPTIONS, type CallOptions, type OptionNames, refuseUnknown } from './options';
import { copy } from './plain';
import type { Secret } from './secret';
import type { StoragePool } from './storage-pool';

/** Of one object's events. */
export interface OwnSubscribeOptions extends CallOptions {
  /** How many events wait for a slow consumer before new ones are dropped and counted. Default 1000. */
  queueSize?: number | undefined;
}

export interface SubscribeOptions extends OwnSubscribeOptions {
  /** Only events of this guest. Default: of every guest of the connection. */
  domain?: Domain | undefined;
  /** Only events of this network, for the events of networks; and so for pools, devices and secrets. */
  network?: Network | undefined;
  pool?: StoragePool | undefined;
  device?: NodeDevice | undefined;
  secret?: Secret | undefined;
}

const SUBSCRIBE_OPTIONS: OptionNames<SubscribeOptions> = {
  ...CALL_OPTIONS,
  domain: true,
  network: true,
  pool: true,
  device: true,
  secret: true,
  queueSize: true,
};

/**
 * Registered in libvirt when the promise of `subscribe` resolved; from then on nothing is lost before the first `next()`.
 * Ends on dispose or abort; throws LibvirtError when the connection is lost. A pending `next()` or a listener holds the
 * process, as a socket does; `unref()` lets go.
 */
export interface Subscription<E> extends AsyncIterable<E>, AsyncDisposable {
  /** From now on each event is given to it, first those that wait. */
  on(listener: (event: E) => void): this;
  /** Takes a listener away. */
  off(listener: (event: E) => void): this;
  /** Events that came while the queue was full. */
  readonly dropped: number;
  /** Holds the process again. */
  ref(): this;
  /** Lets the process end although somebody listens. */
  unref(): this;
}

/** Enters an event into libvirt, and its consumer here. */
export async function subscribe<Name extends keyof DomainEvents>(
  connection: Connection,
  end: CloseSignal,
  name: Name,
  options: SubscribeOptions,
): Promise<Subscription<DomainEvents[Name]>> {
  const index = native.events.findIndex((line) => line.name === name);
  if (index < 0) {
    const names = native.events.map((line) => line.name).join(', ');
    throw argumentError('ERR_INVALID_ARG_VALUE', `The argument 'event' of subscribe must be one of ${names}`);
  }
  const { subject, kind } = native.events[index] as NativeEvent;
  refuseUnknown(options, SUBSCRIBE_OPTIONS, 'subscribe');
  const { queueSize = 1000 } = options;
  const only = onlyOf(name, subject, options);
  if (!Number.isInteger(queueSize) || queueSize < 1)
    throw argumentError('ERR_OUT_OF_RANGE', "The option 'queueSize' of subscribe must be a positive integer");
  const checked = checkOptions(options, 'subscribe');
  const queue = new EventQueue<DomainEvents[Name]>(checked.signal, end);
  const objects = classOf(kind);
  const push = (events: Record<string, unknown>[], dropped: number): number => {
    queue.dropped += dropped;
    for (const event of Array.from(events)) {
      const object = objects.make(event[subject] as RawHandle, connection, connection);
      const own = { ...(copy(event) as object), [subject]: object };
      queue.push(own as unknown as DomainEvents[Name]);
    }
    return queue.waiting;
  };
  const handle = (await call(
    (...frame) =>
      native.subscribe(...frame, connection[raw], index, only === undefined ? null : only[raw], queueSize, push),
    'subscribe',
    checked,
    connection,
  )) as RawHandle;
  queue.begin({
    tell: (waiting) => native.eventsWait(handle, waiting),
    end: () =>
      call((...frame) => native.unsubscribe(...frame, connection[raw], handle), 'unsubscribe', NO_OPTIONS, connection),
  });
  return queue;
}

/** The one object whose events are wanted, if any. */
function onlyOf(name: string, subject: string, options: SubscribeOptions): NativeObject | undefined {
  const subjects = ['domain', 'network', 'pool', 'device', 'secret'] as const;
  const wrong = subjects.find((key) => key !== subject && options[key] !== undefined);
  if (wrong) {
    throw argumentError('ERR_INVALID_ARG_VALUE', `The option '${wrong}' of subscribe says nothing about '${name}'`);
  }
  return options[subject as (typeof subjects)[number]];
}

type Waiting<E> = { resolve: (result: IteratorResult<E, undefined>) => void; reject: (error: unknown) => void };

/** What stands behind a queue in the addon. */
interface Registration {
  /** How many events wait here: the addon, which alone drops any, counts them to its own. */
  tell(waiting: number): void;
  end(): Promise<unknown>;
}

class EventQueue<E> implements Subscription<E> {
  dropped = 0;
  readonly #signal: AbortSignal | undefined;
  readonly #connectionEnd: CloseSignal;
  readonly #events: E[] = [];
  readonly #waiting: Waiting<E>[] = [];
  readonly #listeners = new Set<(event: E) => void>();
  /** How it ended: null: well. */
  #end: { error: unknown } | null | undefined;
  #registration: Registration | undefined;
  #stopListening = (): void => {};
  #disposed: Promise<void> | undefined;
  #wanted = true;
  #holding = false;

  constructor(signal: AbortSignal | undefined, connectionEnd: CloseSignal) {
    this.#signal = signal;
    this.#connectionEnd = connectionEnd;
  }

  /** The registration stands; from now on whatever ends it ends this. */
  begin(registration: Registration): void {
    this.#registration = registration;
    this.#connectionEnd.watchers.add(this.#onConnectionEnd);
    this.#stopListening = onAbort(this.#signal, this.#onAbort);
    if (this.#signal?.aborted) this.#onAbort();
    if (this.#connectionEnd.reason !== undefined) this.#onConnectionEnd(this.#connectionEnd.reason);
  }

  /** How many events wait for their consumer. */
  get waiting(): number {
    return this.#events.length;
  }

  push(event: E): void {
    if (this.#end !== undefined) return;
    this.#tell(event);
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve({ value: event, done: false });
    else if (this.#listeners.size > 0) return;
    else this.#events.push(event);
    this.#hold();
  }

  #tell(event: E): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        // The listener's own fault: reported as uncaught, and the others are served.
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }

  on(listener: (event: E) => void): this {
    if (typeof listener !== 'function')
      throw argumentError('ERR_INVALID_ARG_TYPE', "The argument 'listener' must be a function");
    this.#listeners.add(listener);
    // What came before the first listener is its own, also where no more will come.
    for (const event of this.#events.splice(0)) this.#tell(event);
    this.#registration?.tell(0);
    if (this.#end !== undefined) this.#listeners.clear();
    this.#hold();
    return this;
  }

  off(listener: (event: E) => void): this {
    this.#listeners.delete(listener);
    this.#hold();
    return this;
  }

  ref(): this {
    this.#wanted = true;
    this.#hold();
    return this;
  }

  unref(): this {
    this.#wanted = false;
    this.#hold();
    return this;
  }

  [Symbol.asyncIterator](): AsyncIterator<E, undefined> {
    return {
      next: () => this.#next(),
      return: async () => {
        await this[Symbol.asyncDispose]();
        return { value: undefined, done: true };
      },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #next(): Promise<IteratorResult<E, undefined>> {
    const event = this.#events.shift();
    if (event !== undefined) {
      this.#registration?.tell(this.#events.length);
      return { value: event, done: false };
    }
    if (this.#end === undefined) {
      return new Promise((resolve, reject) => {
        this.#waiting.push({ resolve, reject });
        this.#hold();
      });
    }
    if (this.#end === null) return { value: undefined, done: true };
    const { error } = this.#end;
    this.#end = null;
    throw error;
  }

  async #dispose(): Promise<void> {
    this.#finish(null);
    this.#events.length = 0;
    try {
      await this.#registration?.end();
    } catch (error) {
      // With the connection its registrations have gone.
      if (!(error instanceof LibvirtError)) throw error;
    }
  }

  #finish(end: { error: unknown } | null): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#connectionEnd.watchers.delete(this.#onConnectionEnd);
    this.#stopListening();
    this.#listeners.clear();
    const [first, ...others] = this.#waiting.splice(0);
    if (first && end) {
      this.#end = null;
      first.reject(end.error);
    } else first?.resolve({ value: undefined, done: true });
    for (const { resolve } of others) resolve({ value: undefined, done: true });
    this.#hold();
  }

  #onAbort = (): void => {
    void this[Symbol.asyncDispose]();
  };

  #onConnectionEnd = (reason: CloseReason): void => {
    if (reason === 'client') {
      this.#finish(null);
      return;
    }
    const message = `the connection was lost (${reason})`;
    this.#finish({ error: new LibvirtError({ code: ErrorNumber.INVALID_CONN, message }) });
  };

  /** A waiting consumer keeps the process alive, unless it was told not to. */
  #hold(): void {
    const hold = this.#wanted && (this.#waiting.length > 0 || this.#listeners.size > 0);
    if (hold === this.#holding) return;
    this.#holding = hold;
    native.hold(hold);
  }
}
