// Loads the addon; the only file that does.
import { join } from 'node:path';
import { loadError } from './load-error';

declare const rawHandle: unique symbol;
/** A native handle: an External with the addon's tag. */
export interface RawHandle {
  readonly [rawHandle]: never;
}

/** Why a call failed, as plain data. */
export type NativeFailure =
  | {
      kind: 'libvirt';
      code: number;
      domain: number;
      level: number;
      message: string;
      str1: string | null;
      str2: string | null;
      str3: string | null;
      int1: number;
      int2: number;
    }
  | { kind: 'library'; code: number; message: string; soname: string }
  | { kind: 'timeout' | 'abandoned' | 'closed' | 'lost' };

/** A bad argument: libvirt was not called. `parameter`: position in the C function; -1: the receiver. */
export interface NativeRefusal {
  code: 'ERR_INVALID_ARG_TYPE' | 'ERR_INVALID_ARG_VALUE' | 'ERR_OUT_OF_RANGE';
  expected: string;
  parameter: number;
}

/** Called once for each call that was not refused, on a later turn of the event loop (synchronous members: at once). */
export type Settle = (value: unknown, failure?: NativeFailure) => void;

/** How every call begins: `timeoutMs` 0: none; `urgent`: not behind calls that hang. */
export type Frame = [settle: Settle, timeoutMs: number, urgent: boolean];
/** What every call returns: the ticket to abandon it by, or why it was refused; undefined where it has ended already. */
export type Begun = number | NativeRefusal | undefined;

/** A typed parameter: `type` is one of `TypedParameterType`; `isList`: may be given several times. */
export interface NativeParam {
  readonly name: string;
  readonly type: number;
  readonly isList: boolean;
}

/** When a call waits for the guest's agent, and so goes over a connection of its own. */
export interface AskedAgent {
  readonly always: boolean;
  /** Where this flag is given; 0: none does it. */
  readonly flag: number;
  /** What a call without flags does, where there is such a flag. */
  readonly unflagged: 'asks nobody' | 'asks the agent' | 'asks the agent first';
  /** Where the C parameter at `position` has this value; -1: none does it. */
  readonly position: number;
  readonly value: number;
}

/** One line of the addon's tables. */
export interface NativeFunction {
  readonly name: string;
  readonly receiver: string;
  readonly isSync: boolean;
  readonly hasFlags: boolean;
  readonly countsList: boolean;
  readonly resultTag: 'Status' | 'Count' | 'Bool' | 'OrNull' | 'Id' | 'NotZero' | 'Adapted';
  readonly result: string;
  readonly outNames: readonly string[];
  /** The argument that is the connection which the result belongs to; -1: the receiver's. */
  readonly home: number;
  /** Of the C parameter that each argument becomes. */
  readonly positions: readonly number[];
  /** C parameters that may be null. */
  readonly nullable: readonly number[];
  /** C parameters that are bits, combined with |: a list of them may be given. */
  readonly bits: readonly number[];
  /** Two C parameters whose arrays have the same length; or none. */
  readonly sameLength: readonly number[];
  /** Names and types of the typed parameters that it takes. */
  readonly params: readonly NativeParam[];
  /** When it waits for the guest's agent; null: never. */
  readonly agent: AskedAgent | null;
  readonly isUrgent: boolean;
  readonly isPrompt: boolean;
  invoke(...call: [...Frame, flags: number, receiver: RawHandle, ...args: unknown[]]): Begun;
}

/** One line of the addon's table of events. */
export interface NativeEvent {
  readonly name: string;
  /** Of libvirt's enum of this subject's events. */
  readonly id: number;
  /** The key of the object that the event is about, and its class. */
  readonly subject: string;
  readonly kind: string;
  readonly fields: readonly string[];
}

export interface NativeAddon {
  readonly functions: readonly NativeFunction[];
  readonly events: readonly NativeEvent[];
  open(
    ...call: [
      ...Frame,
      uri: string,
      flags: number,
      keepAliveInterval: number,
      keepAliveCount: number,
      closed: (reason: number) => void,
      ask: ((question: number, credentials: unknown[]) => void) | null,
    ]
  ): Begun;
  answer(question: number, answers: (string | null)[] | null): void;
  close(...call: [...Frame, connection: RawHandle, limitMs: number]): Begun;
  subscribe(
    ...call: [
      ...Frame,
      connection: RawHandle,
      event: number,
      object: RawHandle | null,
      queueSize: number,
      push: (events: Record<string, unknown>[], dropped: number) => number,
    ]
  ): Begun;
  /** So many of the events that `push` was given wait for their consumer; the addon counts them to those of its queue. */
  eventsWait(subscription: RawHandle, count: number): void;
  unsubscribe(...call: [...Frame, connection: RawHandle, subscription: RawHandle]): Begun;
  /**
   * Resumes or thaws the domain on a thread of its own when the time is over, whatever JavaScript does meanwhile, until it is
   * proven to go on or the lease is ended. Null: the connection is closed.
   */
  lease(domain: RawHandle, isFreeze: boolean, afterMs: number): RawHandle | null;
  postponeLease(lease: RawHandle, byMs: number): void;
  endLease(lease: RawHandle): void;
  abandon(ticket: number): void;
  hold(hold: boolean): void;
  version(): number | NativeFailure;
}

function loadAddon(): NativeAddon {
  const root = join(__dirname, '..');
  try {
    const load: (folder: string) => NativeAddon = require('node-gyp-build');
    return load(root);
  } catch (cause) {
    throw loadError(cause, root);
  }
}

/** The addon. It loads also where libvirt is missing. */
export const native: NativeAddon = loadAddon();
