// Errors for a call that is wrong JavaScript, with the codes that Node gives its own.
import { types } from 'node:util';

/** Names for the values in messages: short, and safe for any value. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (types.isMap(value)) return 'a Map';
  if (types.isSet(value)) return 'a Set';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

/** An object of names and values. A Map, a Set or a list has none that could be read from it like that, and would pass for an empty one. */
export function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(Symbol.iterator in value);
}

function coded<E extends Error>(error: E, code: string): E & { code: string } {
  return Object.assign(error, { code });
}

export function invalidType(name: string, expected: string, value: unknown): TypeError {
  return coded(new TypeError(`${name} must be ${expected}, not ${shown(value)}`), 'ERR_INVALID_ARG_TYPE');
}
export function invalidValue(name: string, expected: string, value: unknown): TypeError {
  return coded(new TypeError(`${name} must be ${expected}, not ${shown(value)}`), 'ERR_INVALID_ARG_VALUE');
}
export function outOfRange(name: string, expected: string, value: unknown): RangeError {
  return coded(new RangeError(`${name} must be ${expected}, not ${shown(value)}`), 'ERR_OUT_OF_RANGE');
}
