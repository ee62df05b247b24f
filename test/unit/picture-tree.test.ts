import { describe, expect, test } from '@jest/globals';
import { drawTree } from '../../lib/picture';
import { hostile, large, largeSets, small } from '../picture-samples';

describe('a tree as text', () => {
  test('has one line for each image, from the live one down, and one for each snapshot', () => {
    expect(drawTree(small, { format: 'text' })).toBe(`web1  qemu:///system

vda  20 GiB
  ● /images/web1.nightly.qcow2  qcow2 · 300 MiB  live
  ○ /images/web1.qcow2  qcow2 · 2.5 GiB
      ◆ nightly · qemu
`);
  });

  test('shows branches, missing layers and snapshots, and those that lie elsewhere', () => {
    expect(drawTree(large, { format: 'text', snapshots: largeSets })).toMatchSnapshot();
  });

  test('without the records, a point in time on a branch is named all the same', () => {
    expect(drawTree(large, { format: 'text' })).toContain('◆ attempt-2 · qemu · in a place of its own');
  });

  test('no name breaks a line or reaches the terminal', () => {
    const text = drawTree(hostile, { format: 'text' });
    expect(text.trimEnd().split('\n')).toHaveLength(10);
    expect(text).not.toMatch(/[\p{Bidi_Control}\p{Surrogate}]|[^\P{Cc}\n]/u);
    expect(text).toContain('\\u{202e}');
  });

  test('has colours only where they are wanted', () => {
    const coloured = drawTree(large, { format: 'text', snapshots: largeSets, colour: true });
    expect(coloured).toContain('\u001b[');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(drawTree(large, { format: 'text', snapshots: largeSets }));
  });
});

test('a tree as JSON is the tree', () => {
  expect(JSON.parse(drawTree(large, { format: 'json' }))).toEqual(JSON.parse(JSON.stringify(large)));
});
