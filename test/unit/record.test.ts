// Records are read from metadata that anybody may have damaged: what fits is a record, anything else says why not.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { qemuStateOf, readRecord, type SetRecord } from '../../lib/disk-snapshot/records/record';

const set: SetRecord = {
  version: 1,
  id: 'a1',
  name: 'monday',
  description: null,
  labels: { job: 'nightly' },
  createdAt: '2026-11-22T20:00:00.000Z',
  consistency: 'filesystem',
  frozenMs: 41,
  pausedMs: 0,
  evidence: [{ fact: 'frozen: /', from: 'agent' }],
  disks: [
    {
      disk: 'vda',
      method: 'qemu',
      backupSource: "<source file='/i/a'/>",
      internalSnapshot: null,
      format: 'qcow2',
      virtualSize: 1024,
      modifiedDisk: '<disk/>',
      backingChain: [],
      state: {
        mode: 'external',
        overlay: { type: 'file', path: '/i/a.monday', format: 'qcow2' },
        base: { type: 'file', path: '/i/a', format: 'qcow2' },
      },
    },
  ],
};
const without = (key: string) => Object.fromEntries(Object.entries(set).filter(([k]) => k !== key));

describe('a record', () => {
  test('that was written is read back as it was', () => {
    expect(readRecord('set', JSON.stringify(set))).toEqual(set);
  });

  test.each(Object.keys(set).filter((key) => key !== 'version'))('without its %s is refused by that name', (key) => {
    expect(readRecord('set', JSON.stringify(without(key)))).toContain(key);
  });

  test('of a later version is refused as such, and not as damaged', () => {
    expect(readRecord('set', JSON.stringify({ ...set, version: 2 }))).toContain('version 2');
  });

  test('of another kind is not taken for this one', () => {
    expect(typeof readRecord('claim', JSON.stringify(set))).toBe('string');
  });

  test('that holds anything at all is a record or a reason, and never an exception', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.jsonValue().map((v) => JSON.stringify({ ...set, disks: v })),
    );
    fc.assert(
      fc.property(anything, (text) => {
        const read = readRecord('set', text);
        return typeof read === 'string' || read.version === 1;
      }),
    );
  });
});

describe('the state of a qemu layer', () => {
  const [disk] = set.disks;
  test('is read from a record of method qemu', () => {
    expect(qemuStateOf(disk ?? { method: '', state: null })?.overlay.path).toBe('/i/a.monday');
  });
  test.each([
    [{ method: 'lvm', state: disk?.state }],
    [{ method: 'qemu', state: { mode: 'external' } }],
    [{ method: 'qemu', state: null }],
  ])('is not seen in %j', (record) => {
    expect(qemuStateOf(record)).toBeNull();
  });
});
