// The rows and columns, and why a cell makes no sense.
import { FAULT_POINTS, type FaultPoint } from '../../lib/disk-snapshot/fault-point';
import { hasLayers, OPERATIONS, type Operation } from './operations';

/** An abort by the caller's own signal goes the way of a deadline: the facade makes one signal of both. */
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

export const titleOf = ({ operation: { does, kind }, point }: Row) =>
  `${[does, kind].filter(Boolean).join(', ')}: ${point}`;

export const ROWS: readonly Row[] = OPERATIONS.flatMap((operation) =>
  operation.points.map((point) => ({ operation, point })),
);

const isReached = (step: 'snapshot' | 'revert', point: FaultPoint, from: FaultPoint) => {
  const order: readonly FaultPoint[] = FAULT_POINTS[step];
  return order.indexOf(point) >= order.indexOf(from);
};

/**
 * Whether recovery finishes a snapshot whose process is gone. QEMU's transaction is the commit point; where no disk is cut by
 * it, the record is.
 */
export function isCommitted({ operation, point }: Row): boolean {
  return isReached('snapshot', point, hasLayers(operation) ? 'snapshot.layers-cut' : 'snapshot.written');
}

/** Whether a revert has begun to change disks: from there on it is finished, before it is taken back. */
export const isBegun = (point: FaultPoint) => isReached('revert', point, 'revert.begun');

/**
 * Whether a call that has come so far is finished, whatever the time. The points of a deletion are those of its first disk: the
 * second is left as it is.
 */
export function mustFinish({ operation: { does }, point }: Row): boolean {
  if (does === 'freeze') return !['guard.armed', 'freeze.sent'].includes(point);
  if (does === 'snapshot') return isReached('snapshot', point, 'snapshot.layers-cut');
  return does === 'revert' && isBegun(point);
}

/** Whether the operation waits at the point. A job's end is waited for beside its start: it may be merged by then. */
export const isHeldUp = ({ point }: Row) => point !== 'delete.job-started';

const stopsGuest = (point: FaultPoint) => isReached('revert', point, 'revert.guest-off');

/** Where QEMU has done something of which the driver has still to make a note. */
const NOTED_LATE: Readonly<Partial<Record<FaultPoint, FaultPoint>>> = {
  'snapshot.layers-cut': 'snapshot.prepared',
  'delete.pivot-sent': 'delete.job-ready',
};

/** The point before which the driver must lose its notes, to know nothing of what QEMU did then; null: it has to note nothing. */
export function notedAfter({ operation, point }: Row): FaultPoint | null {
  return (!operation.isOff && hasLayers(operation) && NOTED_LATE[point]) || null;
}

export const freezes = ({ does, quiesce }: Operation) =>
  quiesce === 'required' && (does === 'freeze' || does === 'snapshot');

/** Points of a guest that is off at which a QEMU of ours holds its disk. */
const HELPED: readonly FaultPoint[] = [
  'delete.noted',
  'delete.job-started',
  'delete.job-ready',
  'delete.pivot-sent',
  'delete.merged',
];

const OF_NO_METHOD: readonly Column[] = ['agent killed', 'agent stopped', 'second caller'];
/** The claim and the freeze are the same for all methods: with layers these meet every fault. A freeze beside a pause is not. */
const isSameWithLayers = ({ kind, hasFat, quiesce }: Operation) => kind !== '' && !hasFat && quiesce === 'required';

/** Null: it makes sense. */
export function whyNot(row: Row, column: Column): string | null {
  const { operation, point } = row;
  if (column === 'driver forgets') return notedAfter(row) ? null : 'no change';
  if ((column === 'agent killed' || column === 'agent stopped') && !freezes(operation)) return 'no agent';
  if (OF_NO_METHOD.includes(column) && isSameWithLayers(operation)) return 'as layers';
  if (column === 'no space' && operation.does === 'freeze') return 'no file';
  if (column === 'QEMU killed' && point === 'revert.restarted') return 'runs anew'; // its death concerns no revert any more
  if (column === 'QEMU killed' && stopsGuest(point)) return 'guest off';
  if (column === 'QEMU killed' && operation.isOff && !HELPED.includes(point)) return 'guest off';
  if (column === 'second caller' && point === 'claim.removed') return 'free again';
  return null;
}

const rowOf = (does: Operation['does'], kind: string, point: FaultPoint): Row => {
  const row = ROWS.find((one) => one.operation.does === does && one.operation.kind === kind && one.point === point);
  if (!row) throw new Error(`no row ${does}, ${kind}: ${point}`);
  return row;
};

/** One cell of each column, at a step where it hurts; all of them in one laboratory. */
export const SLICE: Readonly<Record<Column, Row>> = {
  'process killed': rowOf('snapshot', '', 'freeze.held'),
  'libvirtd killed': rowOf('snapshot', '', 'snapshot.layers-cut'),
  'driver forgets': rowOf('snapshot', '', 'snapshot.layers-cut'),
  'QEMU killed': rowOf('delete', '', 'delete.job-ready'),
  'agent killed': rowOf('snapshot', '', 'snapshot.layers-cut'),
  'agent stopped': rowOf('freeze', '', 'freeze.held'),
  'no space': rowOf('delete', '', 'delete.noted'),
  'second caller': rowOf('snapshot', 'mixed, paused', 'snapshot.methods-cut'),
  deadline: rowOf('snapshot', '', 'freeze.held'),
};
