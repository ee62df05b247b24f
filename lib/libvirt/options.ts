// What the last argument of a mirrored call may be.
import type { Flag } from './enum';

/** Options of every call that returns a promise. */
export interface CallOptions {
  /** Abandons the call: its promise rejects at once with `signal.reason`. What libvirt was already told may still take effect. */
  signal?: AbortSignal | undefined;
  /** Milliseconds, counted from the call; after them it rejects with the TimeoutError of `AbortSignal.timeout`. Default: no limit. */
  timeoutMs?: number | undefined;
}

/** Options of a call whose C function takes flags. */
export interface FlagsOptions<Enum extends string> extends CallOptions {
  flags?: Flag<Enum> | readonly Flag<Enum>[] | undefined;
}

/** The last argument of a mirrored call: the C flags, a list of them, or an object that also carries a signal or a deadline. */
export type FlagsArg<Enum extends string> = Flag<Enum> | readonly Flag<Enum>[] | FlagsOptions<Enum>;

/** Options of a call to the guest's agent. */
export interface AgentOptions<Enum extends string> extends FlagsOptions<Enum> {
  /** @internal Takes a connection of its own however many agent calls hang: for the thaw that must get through. */
  urgent?: boolean | undefined;
}

/** The last argument of a call to the guest's agent. */
export type AgentFlagsArg<Enum extends string> = FlagsArg<Enum> | AgentOptions<Enum>;

/** A value of a typed parameter. `unsigned long long` and `long long` are bigint. */
export type TypedValue = number | bigint | string | boolean;
/** libvirt's typed parameters, by name. */
export type TypedParams = Record<string, TypedValue>;
