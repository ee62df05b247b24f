import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { differences, joined } from '../../lib/disk-snapshot/methods/volume-content';

const BLOCK = 4096;
const blocks = (text: string) => Buffer.concat([...text].map((letter) => Buffer.alloc(BLOCK, letter)));
const runs = (one: Buffer, other: Buffer) => [...differences(one, other)];

test.each([
  ['aaaa', 'aaaa', []],
  ['aaaa', 'baaa', [[0, 1]]],
  ['aaaa', 'aaab', [[3, 4]]],
  ['aaaa', 'abba', [[1, 3]]],
  [
    'aaaa',
    'baab',
    [
      [0, 1],
      [3, 4],
    ],
  ],
  ['aa', 'bb', [[0, 2]]],
  ['', '', []],
])('the blocks in which %s and %s differ', (one, other, expected) => {
  const found = runs(blocks(one), blocks(other)).map(({ start, end }) => [start / BLOCK, end / BLOCK]);
  expect(found).toEqual(expected);
});

test('a last block may be shorter', () => {
  const one = Buffer.alloc(BLOCK + 512);
  const other = Buffer.from(one);
  other[BLOCK + 511] = 1;
  expect(runs(one, other)).toEqual([{ start: BLOCK, end: BLOCK + 512 }]);
});

test('writing the runs makes both equal, and no run holds a block that was equal', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(letters, letters, (one, other) => {
      const [wanted, found] = [blocks(one), blocks(other)];
      for (const { start, end } of differences(wanted, found)) {
        for (let at = start; at < end; at += BLOCK) expect(one[at / BLOCK]).not.toBe(other[at / BLOCK]);
        wanted.copy(found, start, start, end);
      }
      expect(found.equals(wanted)).toBe(true);
    }),
  );
});

test('joined, what lies between the runs is written too, and nothing outside', () => {
  const found = joined(runs(blocks('aaaaaa'), blocks('abaaba')));
  expect(found).toEqual([{ start: BLOCK, end: 5 * BLOCK }]);
  expect(joined([])).toEqual([]);
});
