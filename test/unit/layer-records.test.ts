// What is recorded of a disk's snapshots, after one of its layers was merged into the image below.
import { expect, test } from '@jest/globals';
import { afterMerge } from '../../lib/disk-snapshot/merge/layer-records';
import type { DiskRecord, ImageRef, SetRecord } from '../../lib/disk-snapshot/records/record';

const ref = (path: string, format = 'qcow2'): ImageRef => ({ type: 'file', path, format });
const base = ref('/i/base.img', 'raw');
const [one, two, three] = [ref('/i/1'), ref('/i/2'), ref('/i/3')];

const record = (disk: string, overlay: ImageRef, below: ImageRef[]): DiskRecord => ({
  disk,
  method: 'qemu',
  backupSource: `<source file='${below[0]?.path}'/>`,
  internalSnapshot: null,
  format: below[0]?.format ?? '',
  virtualSize: 1,
  modifiedDisk: null,
  backingChain: below.slice(1).map(({ path, format }) => ({ source: path, format })),
  state: { mode: 'external', overlay, base: below[0] },
});
const set = (id: string, ...disks: DiskRecord[]): SetRecord => ({
  version: 1,
  id,
  name: id,
  description: null,
  labels: {},
  createdAt: '2026-01-01T00:00:00.000Z',
  consistency: 'disk',
  frozenMs: 0,
  pausedMs: 0,
  evidence: [],
  disks,
});
const chain = [
  set('s1', record('vda', one, [base])),
  set('s2', record('vda', two, [one, base])),
  set('s3', record('vda', three, [two, one, base])),
];

test('the newest layer goes: only its own set changes', () => {
  expect(afterMerge(chain, { setId: 's3', disk: 'vda', overlay: three, parent: two })).toEqual([set('s3')]);
});

test('an inner layer goes: the snapshot above rests on the parent, and nobody names the layer any more', () => {
  const changed = afterMerge(chain, { setId: 's2', disk: 'vda', overlay: two, parent: one });

  expect(changed).toEqual([set('s3', record('vda', three, [one, base])), set('s2')]);
  expect(JSON.stringify(changed)).not.toContain(two.path);
});

test('the lowest layer goes: the chain below the others gets shorter, its own set is written last', () => {
  const changed = afterMerge(chain, { setId: 's1', disk: 'vda', overlay: one, parent: base });

  expect(changed).toEqual([
    set('s2', record('vda', two, [base])),
    set('s3', record('vda', three, [two, base])),
    set('s1'),
  ]);
});

test('other disks of the set, and snapshots of other methods, stay as they are', () => {
  const other = { ...record('vdb', ref('/j/1'), [ref('/j/base')]), method: 'vendor', state: { any: 'thing' } };
  const both = set('s1', record('vda', one, [base]), other);

  expect(afterMerge([both], { setId: 's1', disk: 'vda', overlay: one, parent: base })).toEqual([set('s1', other)]);
});

test('what was merged already changes nothing', () => {
  expect(
    afterMerge([chain[2] as SetRecord], { setId: 'gone', disk: 'vda', overlay: ref('/i/0'), parent: base }),
  ).toEqual([]);
});
