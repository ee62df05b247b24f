// A snapshot in words.
import type { Consistency, DiskSnapshotSet } from '../index';
import { formatBytes, formatTime } from './format';
import type { Cell, Output } from './output';

const COLOUR_OF = { filesystem: 'green', crash: 'yellow', disk: 'yellow' } as const satisfies Record<
  Consistency,
  string
>;

export const consistencyCell = ({ consistency }: { consistency: Consistency }): Cell => ({
  text: consistency,
  colour: COLOUR_OF[consistency],
});

/** Of all its disks together. */
export function stateOf({ disks }: DiskSnapshotSet): Cell {
  const missing = disks.filter(({ state }) => state === 'missing').map(({ disk }) => disk);
  if (missing.length === 0) return 'present';
  return { text: missing.length === disks.length ? 'missing' : `missing: ${missing.join(', ')}`, colour: 'red' };
}

export function describeSet(output: Output, set: DiskSnapshotSet): string {
  const { name, guest, description, labels, createdAt, frozenMs, pausedMs, evidence } = set;
  const facts: (readonly Cell[])[] = [
    ['Snapshot', { text: name, colour: 'bold' }],
    ['Guest', guest],
    ['Created', formatTime(createdAt)],
    ...(description === null ? [] : [['Description', description]]),
    ...Object.entries(labels).map(([key, value]) => ['Label', `${key}=${value}`]),
    ['Consistency', consistencyCell(set)],
    ['Frozen', `${Math.round(frozenMs)} ms`],
    ['Paused', `${Math.round(pausedMs)} ms`],
    ...evidence.map(({ fact, from }) => ['Evidence', `${fact} (${from})`]),
  ];
  const rows = set.disks.map((disk): Cell[] => [
    disk.disk,
    disk.method,
    disk.internalSnapshot ?? disk.backupSource ?? '',
    disk.format,
    formatBytes(disk.virtualSize),
    disk.state === 'present' ? disk.state : { text: disk.state, colour: 'red' },
  ]);
  const disks = output.table(['Disk', 'Method', 'Immutable state', 'Format', 'Size', 'State'], rows);
  return `${output.columns(facts)}\n\n${disks}`;
}
