// Subscription: events as an async iterable or for listeners, from a bounded queue that counts what it dropped.
import type { Domain } from './domain';
import type { CallOptions } from './options';

export interface SubscribeOptions extends CallOptions {
  /** Only events of this guest. Default: of every guest of the connection. */
  domain?: Domain | undefined;
  /** How many events wait for a slow consumer before new ones are dropped and counted. Default 1000. */
  queueSize?: number | undefined;
}

/**
 * Registered in libvirt when the promise of `subscribe` resolved; from then on nothing is lost before the first `next()`.
 * Ends on dispose or abort; throws LibvirtError when the connection is lost. A pending `next()` or a listener holds the
 * process, as a socket does; `unref()` lets go.
 */
export interface Subscription<E> extends AsyncIterable<E>, AsyncDisposable {
  on(listener: (event: E) => void): this;
  off(listener: (event: E) => void): this;
  /** Events that came while the queue was full. */
  readonly dropped: number;
  ref(): this;
  unref(): this;
}
