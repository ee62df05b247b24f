// The list of what goes wrong names tests that exist: one that is renamed or removed shows here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const root = join(__dirname, '..', '..');
const list = readFileSync(join(root, 'docs', 'what-goes-wrong.md'), 'utf8');
const rows = list.split('\n').filter((line) => line.startsWith('| ') && line.includes('.test.ts`'));
const named = rows.flatMap((row) =>
  (row.split(' | ')[2] ?? '')
    .replace(/ \|$/, '')
    .split(' · ')
    .map((one) => /^`([^`]+)` (.+)$/.exec(one)?.slice(1) ?? [one, '']),
);

test('every line of every table names tests', () => {
  const lines = list.split('\n').filter((line) => line.startsWith('| ') && !/^\| (what|---)/.test(line));
  expect(rows).toEqual(lines);
  expect(rows.length).toBeGreaterThan(20);
});

test.each(named)('%s: %s', (file = '', title = '') => {
  const text = readFileSync(join(root, 'test', file), 'utf8');
  // The last: behind the name of the cell that it proves.
  const written = [`'${title}'`, `"${title}"`, `} ${title}\``];
  expect(written.some((each) => text.includes(each))).toBe(true);
});
