// `instanceof` by a brand: true across copies of the package, realms and Jest's module registries.

/** The symbol under which instances of `name` carry their brand. */
export const brandOf = (name: string): symbol => Symbol.for(`libvirt-disksnapshot.${name}`);

/** Makes `instanceof` of this class ask for the brand; of a class derived from it, for its prototype as usual. */
export function brand(target: { readonly prototype: object }, name: string): void {
  const key = brandOf(name);
  Object.defineProperty(target.prototype, key, { value: true });
  Object.defineProperty(target, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (this !== target) return Function.prototype[Symbol.hasInstance].call(this, value);
      return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[key] === true;
    },
  });
}
