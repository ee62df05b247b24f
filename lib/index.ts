// The public face: libvirt's objects, and the disk snapshots on top of them.
export * from './libvirt';
export { adoptDiskSnapshots } from './disk-snapshot/adopt';
export { diskSnapshotCreate, planSnapshot, snapshotDisks } from './disk-snapshot/create';
export { diagnose } from './disk-snapshot/diagnose';
export { DiskSnapshotError, type DiskSnapshotErrorCode } from './disk-snapshot/errors';
export { DiskSnapshotFlags } from './disk-snapshot/flags';
export { findDiskSnapshot, listDiskSnapshots } from './disk-snapshot/list';
export { registerSnapshotMethod } from './disk-snapshot/methods/registry';
export { defineDomain, describeDomain, updateDisk } from './disk-snapshot/policy';
export { quiesceStorage, unquiesceStorage } from './disk-snapshot/quiesce';
export { recoverDiskSnapshots } from './disk-snapshot/recover';
export { diskTree } from './disk-snapshot/tree';
export type {
  Consistency,
  CreateOptions,
  DeleteOptions,
  DiskSnapshot,
  DiskSnapshotSet,
  Disks,
  DiskTree,
  Finding,
  FrozenFilesystem,
  Layer,
  Method,
  MethodContext,
  MethodDisk,
  MethodElement,
  OperationOptions,
  Phase,
  Problem,
  Progress,
  Quiesce,
  QuiescedStorage,
  ReadOptions,
  RevertOptions,
  SnapshotMethod,
  SnapshotPlan,
  ThawResult,
  WithQuiesce,
} from './disk-snapshot/types';
