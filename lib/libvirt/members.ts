// Installs the methods of the mirror classes from the addon's tables.
import { type NativeFailure, type NativeFunction, native } from '../native';
import { type CheckedOptions, call, checkOptions, NO_OPTIONS } from './call';
import type { Connection } from './connection';
import { argumentError } from './errors';
import { errorOf, refusalOf } from './failure';
import { classOf, Handle, type NativeObject, raw } from './handle';
import { memberName } from './member-name';
import type { AgentOptions } from './options';
import { copy } from './plain';

/** What becomes of the addon's plain data: objects and lists are made anew, so that they are of this realm. */
type Finish = (value: unknown, receiver: NativeObject) => unknown;

const connectionOf = (receiver: NativeObject): Connection =>
  receiver instanceof Handle ? receiver.connection : (receiver as Connection);

const wrap = (kind: string): Finish => {
  const { make } = classOf(kind);
  return (value, receiver) => make(value as never, connectionOf(receiver), receiver);
};

function finisher({ result }: NativeFunction): Finish | null {
  switch (result) {
    case 'value':
    case 'nothing':
      return null;
    case 'object':
    case 'object[]':
    case 'data':
    case 'value[]':
      return copy;
    case 'buffer':
      return (value) => new Uint8Array(value as ArrayBuffer);
    case 'bytes':
      return (value) => Uint8Array.from(value as number[]);
    case 'DomainStats[]': {
      const domain = wrap('Domain');
      return (value, receiver) =>
        Array.from(value as unknown[][], (record) => ({
          domain: domain(record[0], receiver),
          params: paramsOf(record),
        }));
    }
    default:
      return result.endsWith('[]') ? list(wrap(result.slice(0, -2))) : wrap(result);
  }
}

/** Of the guest's statistics: names and values stand after the guest, in turn. */
function paramsOf(record: readonly unknown[]): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  for (let at = 1; at < record.length; at += 2) params[record[at] as string] = record[at + 1];
  return params;
}

const list =
  (each: Finish): Finish =>
  (value, receiver) =>
    Array.from(value as unknown[], (item) => each(item, receiver));

/**
 * The native half of a handle, also one of another copy of this package; other objects as plain copies, so that what their
 * getters and traps throw is thrown here, and not inside the addon.
 */
function unwrap(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return Array.from(value, unwrap);
  if (raw in value) return (value as NativeObject)[raw];
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrap(inner)]));
}

function flagsNumber(flags: unknown, where: string): number {
  if (flags === undefined) return 0;
  if (Array.isArray(flags)) return flags.reduce<number>((bits, flag) => (bits | flagsNumber(flag, where)) >>> 0, 0);
  const number = typeof flags === 'bigint' ? Number(flags) : flags;
  if (typeof number !== 'number')
    throw argumentError(
      'ERR_INVALID_ARG_TYPE',
      `The flags of ${where} must be a number, a list of numbers, or options`,
    );
  if (!Number.isInteger(number) || number < 0 || number > 0xffff_ffff)
    throw argumentError('ERR_OUT_OF_RANGE', `The flags of ${where} must be bits of an unsigned 32-bit integer`);
  return number;
}

/** The last argument: flags, a list of them, or options; where the C function takes no flags, options only. */
function lastArgument(last: unknown, fn: NativeFunction): [flags: number, options: CheckedOptions] {
  if (last === undefined) return [0, NO_OPTIONS];
  if (typeof last === 'object' && last !== null && !Array.isArray(last)) {
    const { flags, ...options } = last as AgentOptions<string>;
    if (flags !== undefined && !fn.hasFlags) throw argumentError('ERR_INVALID_ARG_VALUE', `${fn.name} takes no flags`);
    return [flagsNumber(flags, fn.name), checkOptions(options, fn.name)];
  }
  if (fn.hasFlags) return [flagsNumber(last, fn.name), NO_OPTIONS];
  throw argumentError('ERR_INVALID_ARG_TYPE', `The last argument of ${fn.name} must be an object with options`);
}

function receiverOf(self: unknown, fn: NativeFunction): NativeObject {
  if (typeof self === 'object' && self !== null && raw in self) return self as NativeObject;
  throw argumentError('ERR_INVALID_ARG_TYPE', `The receiver of ${fn.name} must be a ${fn.receiver}`);
}

/** Of arguments that are bits, a list is combined here; all others stay as they are. */
function combineBits(fn: NativeFunction, inputs: unknown[]): unknown[] {
  for (const position of fn.bits) {
    const at = fn.positions.indexOf(position);
    if (Array.isArray(inputs[at])) inputs[at] = flagsNumber(inputs[at], fn.name);
  }
  return inputs;
}

function asyncMember(fn: NativeFunction): (...args: unknown[]) => Promise<unknown> {
  const finish = finisher(fn);
  const arity = fn.positions.length;
  return async function member(this: unknown, ...args: unknown[]): Promise<unknown> {
    const receiver = receiverOf(this, fn);
    const [flags, options] = lastArgument(args[arity], fn);
    const inputs = combineBits(
      fn,
      Array.from({ length: arity }, (_, i) => unwrap(args[i])),
    );
    const value = await call(
      (...frame) => fn.invoke(...frame, flags, receiver[raw], ...inputs),
      fn.name,
      options,
      receiver,
    );
    if (finish === null || value === null) return value;
    return finish(value, fn.home < 0 ? receiver : (args[fn.home] as NativeObject));
  };
}

function syncMember(fn: NativeFunction): (...args: unknown[]) => unknown {
  const finish = finisher(fn);
  return function member(this: unknown): unknown {
    const receiver = receiverOf(this, fn);
    let value: unknown;
    let failed: NativeFailure | undefined;
    const settle = (result: unknown, failure?: NativeFailure) => {
      value = result;
      failed = failure;
    };
    const refusal = fn.invoke(settle, 0, false, 0, receiver[raw]);
    if (typeof refusal === 'object') throw refusalOf(refusal, fn.name);
    if (failed) throw errorOf(failed);
    return finish === null || value === null ? value : finish(value, receiver);
  };
}

/** Every bound function becomes a method of its receiver's class. */
export function installMembers(): void {
  for (const fn of native.functions) {
    const name = memberName(fn.name, fn.receiver);
    const member = fn.isSync ? syncMember(fn) : asyncMember(fn);
    Object.defineProperty(member, 'name', { value: name });
    Object.defineProperty(classOf(fn.receiver).prototype, name, { value: member, writable: true, configurable: true });
  }
}
