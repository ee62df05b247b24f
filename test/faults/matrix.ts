// The rows and columns, and why a cell makes no sense.
import { FAULT_POINTS, type FaultPoint } from '../../lib/disk-snapshot/fault-point';
import type { Operation } from './running';

export const COLUMNS = [
  'process killed',
  'libvirtd killed',
  'driver forgets', // killed between QEMU's transaction and its own note of it
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
  revert: FAULT_POINTS.revert.filter((point) => point !== 'revert.method-done'),
  'revert, mixed': ['revert.begun', 'revert.method-done', 'revert.defined'],
};

export const ROWS: readonly Row[] = Object.entries(POINTS).flatMap(([operation, points]) =>
  points.map((point) => ({ operation: operation as Operation, point })),
);

/** Whether QEMU's transaction, the commit point of a snapshot, has taken place. */
export function isAfterCut(point: FaultPoint): boolean {
  const order: readonly FaultPoint[] = FAULT_POINTS.snapshot;
  return order.indexOf(point) >= order.indexOf('snapshot.layers-cut');
}

/** Whether a revert has begun to change disks: from there on it is finished, before it is taken back. */
export function isBegun(point: FaultPoint): boolean {
  const order: readonly FaultPoint[] = FAULT_POINTS.revert;
  return order.indexOf(point) >= order.indexOf('revert.begun');
}

const stopsGuest = (point: FaultPoint) => {
  const order: readonly FaultPoint[] = FAULT_POINTS.revert;
  return order.indexOf(point) >= order.indexOf('revert.guest-off');
};

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
  if (column === 'QEMU killed' && stopsGuest(point)) return 'guest off';
  if (column === 'second caller' && point === 'claim.removed') return 'free again';
  return null;
}

const rowOf = (operation: Operation, point: FaultPoint): Row => {
  const row = ROWS.find((one) => one.operation === operation && one.point === point);
  if (!row) throw new Error(`no row ${operation}: ${point}`);
  return row;
};

/** One cell of each column, at a step where it hurts. */
export const SLICE: Readonly<Record<Column, Row>> = {
  'process killed': rowOf('snapshot', 'freeze.held'),
  'libvirtd killed': rowOf('snapshot', 'snapshot.layers-cut'),
  'driver forgets': rowOf('snapshot', 'snapshot.layers-cut'),
  'QEMU killed': rowOf('delete', 'delete.job-ready'),
  'agent killed': rowOf('snapshot', 'snapshot.layers-cut'),
  'agent stopped': rowOf('freeze', 'freeze.held'),
  'no space': rowOf('delete', 'delete.noted'),
  'second caller': rowOf('snapshot, mixed', 'snapshot.methods-cut'),
  deadline: rowOf('snapshot', 'freeze.held'),
};
