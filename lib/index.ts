// The public face: libvirt's objects, and the disk snapshots on top of them.

export { adoptDiskSnapshots } from './disk-snapshot/adopt';
export { diskSnapshotCreate, planSnapshot, snapshotDisks } from './disk-snapshot/create';
export { defineDomain, describeDomain, updateDisk } from './disk-snapshot/element/policy';
export {
  DiskSnapshotError,
  type DiskSnapshotErrorCode,
  type DiskSnapshotErrorDetails,
  type Outcome,
} from './disk-snapshot/errors';
export { DiskSnapshotFlags } from './disk-snapshot/flags';
export { quiesceStorage, unquiesceStorage } from './disk-snapshot/freeze/quiesce';
export { findDiskSnapshot, listDiskSnapshots } from './disk-snapshot/list';
export { diagnose } from './disk-snapshot/look/diagnose';
export { diskTree } from './disk-snapshot/look/tree';
export { registerSnapshotMethod } from './disk-snapshot/methods/registry';
export { recoverDiskSnapshots } from './disk-snapshot/recover';
export type {
  Consistency,
  CreateOptions,
  DeleteOptions,
  DiskSelection,
  DiskSnapshot,
  DiskSnapshotCreateOptions,
  DiskSnapshotSet,
  Disks,
  DiskTree,
  ExportOptions,
  Finding,
  FrozenFilesystem,
  Layer,
  Method,
  MethodContext,
  MethodDisk,
  MethodElement,
  OperationOptions,
  Phase,
  PlannedDisk,
  PlanOptions,
  Problem,
  Progress,
  Quiesce,
  QuiescedStorage,
  QuiesceOptions,
  ReadOptions,
  Recovery,
  RevertOptions,
  SnapshotDisksOptions,
  SnapshotMethod,
  SnapshotPlan,
  ThawResult,
  WithQuiesce,
} from './disk-snapshot/types';
export * from './libvirt';
