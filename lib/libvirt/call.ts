// One call into the addon, as a promise: deadline, signal, result, error.
import { type Begun, type Frame, type NativeFailure, native } from '../native';
import { argumentError } from './errors';
import { errorOf, refusalOf } from './failure';
import { onAbort } from './on-abort';
import type { CallOptions } from './options';
import { isTraced, traced } from './trace';

export interface CheckedOptions {
  signal: AbortSignal | undefined;
  timeoutMs: number;
  urgent: boolean;
}

export const NO_OPTIONS: CheckedOptions = { signal: undefined, timeoutMs: 0, urgent: false };

/** Checks signal and deadline; throws what `signal` was aborted with. */
export function checkOptions(options: CallOptions & { urgent?: boolean | undefined }, where: string): CheckedOptions {
  const { signal, timeoutMs, urgent = false } = options;
  if (signal !== undefined && !(typeof signal === 'object' && signal !== null && 'aborted' in signal))
    throw argumentError('ERR_INVALID_ARG_TYPE', `The option 'signal' of ${where} must be an AbortSignal`);
  if (timeoutMs !== undefined && typeof timeoutMs !== 'number')
    throw argumentError('ERR_INVALID_ARG_TYPE', `The option 'timeoutMs' of ${where} must be a number`);
  if (timeoutMs !== undefined && !(timeoutMs > 0))
    throw argumentError('ERR_OUT_OF_RANGE', `The option 'timeoutMs' of ${where} must be more than 0`);
  if (signal?.aborted) throw signal.reason;
  return {
    signal,
    timeoutMs: timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY ? 0 : timeoutMs,
    urgent,
  };
}

/** Begins a call; a refusal is thrown, a failure rejects with the addon's plain data. */
type Begin = (...frame: Frame) => Begun;

function begin(start: Begin, where: string, { signal, timeoutMs, urgent }: CheckedOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let stopListening: (() => void) | undefined;
    const settle = (value: unknown, failure?: NativeFailure) => {
      stopListening?.();
      if (failure) reject(failure);
      else resolve(value);
    };
    const begun = start(settle, timeoutMs, urgent);
    if (typeof begun === 'object') reject(refusalOf(begun, where));
    if (typeof begun !== 'number') return;
    stopListening = onAbort(signal, () => {
      native.abandon(begun);
      reject({ kind: 'abandoned' } satisfies NativeFailure);
    });
  });
}

async function settled(start: Begin, where: string, options: CheckedOptions): Promise<unknown> {
  try {
    return await begin(start, where, options);
  } catch (failure) {
    if (failure instanceof Error) throw failure;
    throw errorOf(failure as NativeFailure, options.signal?.reason);
  }
}

/** A call and its result; `where` names it in messages and, with its receiver, in traces. */
export function call(start: Begin, where: string, options: CheckedOptions, receiver?: object): Promise<unknown> {
  if (!isTraced()) return settled(start, where, options);
  return traced({ function: where, receiver }, () => settled(start, where, options));
}
