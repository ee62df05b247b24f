// Waiting no longer than one is willing to, for something that goes on whether or not one waits.
import { onAbort } from '../../libvirt/on-abort';

/** Of Node's timers. */
const LONGEST_MS = 2 ** 31 - 1;

export type Waited<T> =
  | { kind: 'done'; value: T }
  /** The limit passed. */
  | { kind: 'late' }
  | { kind: 'aborted'; reason: unknown };

/**
 * Waits for a promise, a limit or a signal, whichever is first; the promise is not cancelled. A rejection before that is
 * passed on, one after it is not unhandled. Holds the process while it waits.
 */
export async function waitFor<T>(
  promise: Promise<T>,
  { limitMs = LONGEST_MS, signal }: { limitMs?: number | undefined; signal?: AbortSignal | undefined },
): Promise<Waited<T>> {
  if (signal?.aborted) {
    promise.catch(() => undefined); // nobody waits for it here; its owner keeps the outcome
    return { kind: 'aborted', reason: signal.reason };
  }
  let timer: NodeJS.Timeout | undefined;
  let stopListening: (() => void) | undefined;
  try {
    return await Promise.race([
      promise.then((value): Waited<T> => ({ kind: 'done', value })),
      new Promise<Waited<T>>((resolve) => {
        timer = setTimeout(resolve, limitMs, { kind: 'late' });
        stopListening = onAbort(signal, () => resolve({ kind: 'aborted', reason: signal?.reason }));
      }),
    ]);
  } finally {
    clearTimeout(timer);
    stopListening?.();
  }
}

/** A pause that does not hold the process, and ends early when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stopListening();
      resolve();
    };
    const timer = setTimeout(end, ms).unref();
    const stopListening = onAbort(signal, end);
  });
}
