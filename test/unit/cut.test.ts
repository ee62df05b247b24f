// Several cuts that fail: which failure is told decides what is done next.
import { expect, test } from '@jest/globals';
import { DiskSnapshotError } from '../../lib/disk-snapshot/errors';
import { cutMethods, type MethodCut } from '../../lib/disk-snapshot/methods/cut';
import { readDisk } from '../../lib/xml/disk';

const disk = readDisk("<disk><source file='/image'/><target dev='vda'/></disk>");
const failing = (error: Error) =>
  ({
    disk,
    plan: { guest: { domain: null, active: true }, name: 's' },
    method: { cut: () => Promise.reject(error) },
  }) as unknown as MethodCut;

const plain = new Error('one');
const undone = new DiskSnapshotError('OPERATION_FAILED', 'two');
const unknown = new DiskSnapshotError('RECOVERY_NEEDED', 'three', { outcome: 'unknown' });

test.each([
  [[plain, undone], plain],
  [[undone, plain], undone],
  [[plain, undone, unknown], unknown],
  [[unknown, undone], unknown],
])('of %p', async (errors, told) => {
  await expect(cutMethods(errors.map(failing))).rejects.toBe(told);
});
