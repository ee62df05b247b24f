// A record of a snapshot, as it stands in a domain's metadata.
import type { SetRecord } from '../../lib/disk-snapshot/records/record';

/** Without disks. */
export const SET: SetRecord = {
  version: 1,
  id: 's1',
  name: 'monday',
  description: null,
  labels: {},
  createdAt: '2026-11-22T20:00:00.000Z',
  consistency: 'crash',
  frozenMs: 0,
  pausedMs: 0,
  evidence: [],
  disks: [],
};
