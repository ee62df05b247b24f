// The rows and columns, and why a cell makes no sense.
import { FAULT_POINTS, type FaultPoint } from '../../lib/disk-snapshot/fault-point';
import type { Operation } from './running';

export const COLUMNS = [
  'process killed',
  'libvirtd killed',
  'driver forgets',
  'QEMU killed',
  'agent killed',
  'agent stopped',
  'no space',
  'second caller',
  'deadline',
] as const;
export type Column = (typeof COLUMNS)[number];

export interface Row {
  operation: Operation;
  point: FaultPoint;
}

/** Points that a quiesced snapshot of one method does not pass. */
const PAUSED: readonly FaultPoint[] = ['pause.begun', 'snapshot.methods-cut', 'pause.ended'];
const POINTS: Readonly<Record<Operation, readonly FaultPoint[]>> = {
  freeze: ['guard.armed', 'freeze.sent', 'freeze.held', 'thaw.sent', 'thaw.proven'],
  snapshot: FAULT_POINTS.snapshot.filter((point) => !PAUSED.includes(point)),
  'snapshot, mixed': ['snapshot.prepared', 'pause.begun', 'snapshot.methods-cut', 'snapshot.layers-cut', 'pause.ended'],
  delete: FAULT_POINTS.delete.filter((point) => point !== 'delete.method-done'),
  'delete, mixed': ['delete.method-done'],
};

export const ROWS: readonly Row[] = Object.entries(POINTS).flatMap(([operation, points]) =>
  points.map((point) => ({ operation: operation as Operation, point })),
);

/** Whether QEMU's transaction, the commit point of a snapshot, has taken place. */
export function isAfterCut(point: FaultPoint): boolean {
  const order: readonly FaultPoint[] = FAULT_POINTS.snapshot;
  return order.indexOf(point) >= order.indexOf('snapshot.layers-cut');
}

/** Where QEMU has done something of which the driver has still to make a note. */
export const NOTED_LATE: Readonly<Partial<Record<FaultPoint, FaultPoint>>> = {
  'snapshot.layers-cut': 'snapshot.prepared',
  'delete.pivot-sent': 'delete.job-ready',
};

/** Null: it makes sense. */
export function whyNot({ operation, point }: Row, column: Column): string | null {
  const usesAgent = operation === 'freeze' || operation === 'snapshot';
  if (column === 'driver forgets') return NOTED_LATE[point] ? null : 'no change';
  if ((column === 'agent killed' || column === 'agent stopped') && !usesAgent) return 'no agent';
  if (column === 'no space' && operation === 'freeze') return 'no file';
  if (column === 'second caller' && point === 'claim.removed') return 'free again';
  return null;
}

/** One cell of each column, at the step where it hurts most. */
export const SLICE: Readonly<Record<Column, Row>> = {
  'process killed': { operation: 'snapshot', point: 'freeze.held' },
  'libvirtd killed': { operation: 'snapshot', point: 'snapshot.layers-cut' },
  'driver forgets': { operation: 'snapshot', point: 'snapshot.layers-cut' },
  'QEMU killed': { operation: 'delete', point: 'delete.job-ready' },
  'agent killed': { operation: 'snapshot', point: 'snapshot.layers-cut' },
  'agent stopped': { operation: 'freeze', point: 'freeze.held' },
  'no space': { operation: 'delete', point: 'delete.noted' },
  'second caller': { operation: 'snapshot, mixed', point: 'snapshot.methods-cut' },
  deadline: { operation: 'snapshot', point: 'freeze.held' },
};
