// The options of every function of the facade, by name: a type that gets one more does not compile before it stands here.
import { CALL_OPTIONS, type OptionNames } from '../libvirt/options';
import type {
  CreateOptions,
  DeleteOptions,
  DiskSnapshotCreateOptions,
  ExportOptions,
  OperationOptions,
  PlanOptions,
  QuiesceOptions,
  ReadOptions,
  RevertOptions,
  SnapshotDisksOptions,
  WithQuiesce,
} from './types';

const OPERATION: OptionNames<OperationOptions> = { ...CALL_OPTIONS, onProgress: true };
const CREATE: OptionNames<CreateOptions & WithQuiesce> = {
  ...OPERATION,
  name: true,
  description: true,
  labels: true,
  quiesce: true,
  flags: true,
  maxFreezeMs: true,
  pause: true,
  strict: true,
  guard: true,
  deadman: true,
};

export const OPTIONS = {
  snapshotDisks: { ...CREATE, disks: true } satisfies OptionNames<SnapshotDisksOptions>,
  diskSnapshotCreate: { ...CREATE, method: true } satisfies OptionNames<DiskSnapshotCreateOptions>,
  planSnapshot: {
    ...CALL_OPTIONS,
    disks: true,
    name: true,
    quiesce: true,
    pause: true,
    strict: true,
  } satisfies OptionNames<PlanOptions>,
  quiesceStorage: {
    ...CALL_OPTIONS,
    disks: true,
    maxFreezeMs: true,
    guard: true,
  } satisfies OptionNames<QuiesceOptions>,
  unquiesceStorage: CALL_OPTIONS,
  unquiesce: CALL_OPTIONS,
  listDiskSnapshots: CALL_OPTIONS,
  findDiskSnapshot: CALL_OPTIONS,
  adoptDiskSnapshots: { ...CALL_OPTIONS, disks: true },
  recoverDiskSnapshots: OPERATION,
  diskTree: CALL_OPTIONS,
  diagnose: { ...OPERATION, fix: true },
  defineDomain: CALL_OPTIONS,
  describeDomain: { ...CALL_OPTIONS, inactive: true, secure: true },
  updateDisk: { ...CALL_OPTIONS, live: true, config: true },
  delete: { ...OPERATION, bandwidth: true } satisfies OptionNames<DeleteOptions>,
  revert: { ...OPERATION, force: true, discardManagedSave: true } satisfies OptionNames<RevertOptions>,
  read: { signal: true, as: true } satisfies OptionNames<ReadOptions>,
  export: { ...OPERATION, format: true } satisfies OptionNames<ExportOptions>,
} as const;

/** A function of the facade that takes options. */
export type OptionsOf = keyof typeof OPTIONS;
