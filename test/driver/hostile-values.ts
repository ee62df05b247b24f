// What nobody should hand to a function, and what might be meant well: fixed values that once broke something somewhere, and
// shapes that fast-check thinks of. Strings that could be absolute paths are not among them: some functions write files.
import fc from 'fast-check';
import { Domain } from '../../lib/libvirt';

const HOSTILE: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 31,
  2 ** 45, // a size that no machine has room for
  2 ** 53,
  -(2n ** 63n) - 1n,
  2n ** 64n,
  '',
  '\0',
  '\ud800',
  'x'.repeat(100_000),
  '<domain/>',
  Symbol('s'),
  () => {},
  {},
  { flags: 'x' },
  { toString: null },
  Object.create(null),
  new Proxy({}, { get: () => 1 }),
  new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('trap');
      },
    },
  ),
  [],
  [null],
  ['a\0'],
  [[[]]],
  new Array(1000).fill('x'),
  new Array(100_000).fill(4),
  new Uint8Array(16),
  new Uint8Array(15),
  new Date(),
  Object.create(Domain.prototype),
  new Error('x'),
];

/** The one error that a value above throws by itself. */
export const isTrap = (error: unknown): boolean => error instanceof Error && error.message === 'trap';

/** @param handles objects of libvirt, of all kinds: also those of closed connections and of other ones */
export function hostileValue(handles: readonly unknown[]): fc.Arbitrary<unknown> {
  const shape = fc.anything({
    values: [fc.integer(), fc.double(), fc.bigInt(), fc.boolean(), fc.constantFrom(...HOSTILE, ...handles)],
    key: fc.constantFrom('flags', 'field', 'name', '__proto__', 'length', ''),
    maxDepth: 2,
    withNullPrototype: true,
    withSparseArray: true,
    withTypedArray: true,
  });
  const fixed = { weight: 4, arbitrary: fc.constantFrom(...HOSTILE) };
  return fc.oneof(fixed, { weight: 2, arbitrary: fc.constantFrom(...handles) }, { weight: 1, arbitrary: shape });
}
