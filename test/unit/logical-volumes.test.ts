import { expect, test } from '@jest/globals';
import {
  listedPath,
  mapperPath,
  nameFault,
  roomForAll,
  snapshotName,
} from '../../lib/disk-snapshot/methods/logical-volumes';

test('a snapshot is named after its origin', () => {
  expect(snapshotName('/dev/vg0/root', '20261122T204307.123Z')).toBe('root.20261122T204307.123Z');
});

test.each(['root.nightly', 'a+b_c-d.1', 'root.20261122T204307.123Z-02'])('LVM takes %s', (name) => {
  expect(nameFault('vg0', name)).toBeNull();
});

test.each([
  ['root.with space', 'letters'],
  ['root.größe', 'letters'],
  ['-root', 'letters'],
  ['root_tmeta', '_tmeta'],
  ['root.x_mimage0', '_mimage'],
  ['x'.repeat(120), '127'],
  ['a-'.repeat(40), '127'],
])('LVM takes no %s', (name, says) => {
  expect(nameFault('vg0', name)).toContain(says);
});

test.each([
  ['/dev/vg0/a', '/dev/mapper/vg0-a'],
  ['/dev/my-group/web-1', '/dev/mapper/my--group-web--1'],
])('%s and %s are one volume', (listed, mapped) => {
  expect(listedPath(mapped)).toBe(listed);
  expect(mapperPath(listed)).toBe(mapped);
  expect(listedPath(listed)).toBe(listed);
});

test.each(['/dev/mapper/control', '/dev/mapper/a-b-c', '/dev/sda', '/images/a.img'])('%s stays as it is', (path) => {
  expect(listedPath(path)).toBe(path);
});

test.each([
  [4096, 1, 1],
  [255 * 4096, 255, 1],
  [256 * 4096, 256, 2], // a full table is followed by an empty one
  [256 * 4096 + 512, 257, 2],
])('a volume of %i bytes needs a header, %i blocks and %i tables', (size, blocks, tables) => {
  expect(roomForAll(size)).toBe((1 + blocks + tables) * 4096);
});
