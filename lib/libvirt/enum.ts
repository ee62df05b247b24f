// The shapes that C enums take in JavaScript: frozen objects whose members know, as types, which enum they are of.

declare const flagOf: unique symbol;

/** One bit of one C enum. `|` of two gives a plain number, which is accepted; a list `[A.X, A.Y]` is checked member by member. */
export type Flag<Enum extends string> = number & { readonly [flagOf]?: Enum };

/** A value of an enum object: the known ones are named, a number that a newer libvirt adds is accepted too. */
export type Value<Constants> = Constants[keyof Constants] | (number & {});

/** @internal An enum whose members are combined with `|`. */
export function flags<const Enum extends string, Members extends Record<string, number>>(
  _enum: Enum,
  members: Members,
): { readonly [Key in keyof Members]: Flag<Enum> } {
  return Object.freeze(members);
}

/** @internal An enum of which one value holds at a time. */
export function values<const Members extends Record<string, number>>(members: Members): Readonly<Members> {
  return Object.freeze(members);
}

/**
 * The key of a value of an enum object, or undefined: `nameOf(DomainState, 5)` is `'SHUTOFF'`.
 * Where two keys share a value, the first in alphabetical order is given.
 */
export function nameOf(constants: Readonly<Record<string, number>>, value: number): string | undefined {
  for (const key of Object.keys(constants)) if (constants[key] === value) return key;
  return undefined;
}
