// The points at which tests let things die are really passed, in the order in which they are listed.
import { afterEach, expect, jest, test } from '@jest/globals';
import { snapshotDisks } from '../../lib';
import { FAULT_POINTS, type FaultPoint, installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { TestGuest } from '../../lib/testing';

jest.setTimeout(120_000);
afterEach(() => installFaultHook(null));

const firsts = (passed: readonly FaultPoint[]) => [...new Set(passed)];

test('a snapshot and its deletion pass the points in order', async () => {
  await using guest = await TestGuest.boot({ disks: 2, restorable: false });
  const passed: FaultPoint[] = [];
  installFaultHook((point) => {
    passed.push(point);
  });
  const set = await snapshotDisks(guest.domain, { quiesce: 'required' });
  const elsewhere: FaultPoint[] = ['pause.begun', 'pause.ended'];
  const expected = FAULT_POINTS.snapshot.filter((point) => !elsewhere.includes(point));
  expect(firsts(passed).filter((point) => !elsewhere.includes(point))).toEqual(expected);
  expect(passed.filter((point) => point === 'snapshot.layer-made')).toHaveLength(2);

  passed.length = 0;
  await set.delete();
  expect(passed).toContain('delete.job-started'); // a small merge is ready before its start has returned
  const unordered: FaultPoint[] = ['claim.written', 'claim.removed', 'delete.job-started'];
  expect(firsts(passed).filter((point) => !unordered.includes(point))).toEqual(
    FAULT_POINTS.delete.filter((point) => !['delete.job-started', 'delete.method-done'].includes(point)),
  );
});
