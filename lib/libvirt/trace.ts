// Shows every call to whoever listens on Node's diagnostics_channel; costs nothing where nobody does.
import { tracingChannel } from 'node:diagnostics_channel';

/**
 * What is told of a call, on the channels `tracing:libvirt-disksnapshot.call:start`, `:end`, `:asyncStart`, `:asyncEnd` and
 * `:error` of `tracingChannel('libvirt-disksnapshot.call')`; the same object on each. Neither arguments nor results: both
 * may hold secrets.
 */
export interface CallTrace {
  /** The C function; `connect`, `close`, `subscribe` or `unsubscribe` where several are called. */
  readonly function: string;
  /** What it was called on: a {@link Connection}, a {@link Domain}, …; undefined for `connect`. */
  readonly receiver: object | undefined;
  /** What it rejected with, from `:error` on. */
  readonly error?: unknown;
}

const calls = tracingChannel<unknown, CallTrace>('libvirt-disksnapshot.call');

/** Does anybody listen? One by one: the channel's own sum of them came with Node 20.13. */
export const isTraced = (): boolean =>
  calls.start.hasSubscribers ||
  calls.end.hasSubscribers ||
  calls.asyncStart.hasSubscribers ||
  calls.asyncEnd.hasSubscribers ||
  calls.error.hasSubscribers;

/** Runs a call, seen by those who listen. */
export async function traced(trace: CallTrace, run: () => Promise<unknown>): Promise<unknown> {
  let value: unknown;
  // The promise that the channel sees carries no result.
  await calls.tracePromise(async () => {
    value = await run();
  }, trace);
  return value;
}
