// What the last argument of a mirrored call may be.
import type { Flag } from './enum';
import { argumentError } from './errors';

/** Options of every call that returns a promise. */
export interface CallOptions {
  /** Abandons the call: its promise rejects at once with `signal.reason`. What libvirt was already told may still take effect. */
  signal?: AbortSignal | undefined;
  /** Milliseconds, counted from the call; after them it rejects with the TimeoutError of `AbortSignal.timeout`. Default: no limit. */
  timeoutMs?: number | undefined;
}

/** Flags of a C function: one, several combined with `|`, or a list of them. */
export type Flags<Enum extends string> = Flag<Enum> | readonly Flag<Enum>[];

/** Options of a call whose C function takes flags. */
export interface FlagsOptions<Enum extends string> extends CallOptions {
  flags?: Flags<Enum> | undefined;
}

/** The last argument of a mirrored call: the C flags, a list of them, or an object that also carries a signal or a deadline. */
export type FlagsArg<Enum extends string> = Flags<Enum> | FlagsOptions<Enum>;

/** Options of a call to the guest's agent. */
export interface AgentOptions<Enum extends string> extends FlagsOptions<Enum> {
  /** @internal Goes before calls that wait, and beside one that hangs: for the thaw that must get through. */
  urgent?: boolean | undefined;
}

/** The last argument of a call to the guest's agent. */
export type AgentFlagsArg<Enum extends string> = FlagsArg<Enum> | AgentOptions<Enum>;

/** A value of a typed parameter. `unsigned long long` and `long long` are bigint. */
export type TypedValue = number | bigint | string | boolean;
/** libvirt's typed parameters, by name. */
export type TypedParams = Record<string, TypedValue>;

type NameOf<Options> = Options extends unknown ? keyof Options : never;

/** The names of all options of a type; a table that leaves one out does not compile. */
export type OptionNames<Options> = Readonly<Record<NameOf<Options>, true>>;

export const CALL_OPTIONS: OptionNames<CallOptions> = { signal: true, timeoutMs: true };

type Names = Readonly<Record<string, true>>;

/** A misspelt option would be ignored, and with it what the caller counts on. */
export function refuseUnknown(options: object, names: Names, where: string): void {
  if (typeof options !== 'object' || options === null)
    throw argumentError('ERR_INVALID_ARG_TYPE', `The options of ${where} must be an object`);
  const unknown = Object.entries(options).find(([name, value]) => value !== undefined && !Object.hasOwn(names, name));
  if (!unknown) return;
  const known = Object.keys(names).join(', ');
  throw argumentError('ERR_INVALID_ARG_VALUE', `${where} has no option '${unknown[0]}'; its options are ${known}`);
}
