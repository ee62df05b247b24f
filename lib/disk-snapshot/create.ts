// The calls that take a snapshot or plan one: their arguments checked, and turned into one request.
import type { Domain } from '../libvirt';
import type { CallOptions } from '../libvirt/options';
import { invalidType, invalidValue, outOfRange } from './argument';
import { DiskSnapshotError } from './errors';
import { checkMilliseconds, checkOptionsObject, facade } from './facade';
import { DiskSnapshotFlags } from './flags';
import { isQuiescedStorage } from './freeze/held-storage';
import { lookAtGuest } from './guest';
import { describePlan, makePlan, type SnapshotRequest } from './plan';
import { tell } from './progress';
import { setOf } from './result';
import { findDisk } from './select';
import { takeSnapshot } from './snapshot-set';
import type { SnapshotOptions } from './snapshot-state';
import type {
  DiskSnapshot,
  DiskSnapshotCreateOptions,
  DiskSnapshotSet,
  Disks,
  PlanOptions,
  Quiesce,
  QuiescedStorage,
  SnapshotDisksOptions,
  SnapshotPlan,
} from './types';

/** What a guest is frozen for at most, unless the caller says otherwise: what Windows grants before VSS gives up. */
const MAX_FREEZE_MS = 10_000;
/** With the tag around it, far below what libvirt's RPC takes for one string. */
const LONGEST_TEXT = 64 * 1024;

/**
 * Takes a snapshot of one disk: the proposal's virDomainDiskSnapshotCreate.
 *
 * @param disk `'<…'` is `<disk>` XML, `'/…'` a source path, anything else a target.
 * @param options `method`: `'<…'` is `<diskSnapshot>` XML, else a method's name, or the object; inferred where it is left out.
 * @returns the snapshot, with `modifiedDisk` (what the guest writes to now) and `backupSource` (what stays as it is).
 * @throws DiskSnapshotError; `outcome` says what is true then.
 *
 * @example
 * const snap = await diskSnapshotCreate(dom, 'vda', { quiesce: 'required' });
 * console.log(snap.backupSource);   // <source file='/images/web1.qcow2'/>
 */
export function diskSnapshotCreate(
  dom: Domain,
  disk: string,
  options: DiskSnapshotCreateOptions = {},
): Promise<DiskSnapshot> {
  return facade(dom, options, 'diskSnapshotCreate', async (call) => {
    if (typeof disk !== 'string') throw invalidType('disk', 'a string: a target, a source path or <disk> XML', disk);
    const { method, ...rest } = options;
    const { document } = await lookAtGuest(dom, callOf(call));
    const { target } = findDisk(document, disk);
    const disks: Disks = method === undefined ? [target] : { [target]: method };
    const set = setOf(dom, await takeSnapshot(dom, snapshotOptions({ ...rest, disks }), callOf(call)));
    const [only] = set.disks;
    if (!only) throw new Error('a set without a disk'); // takeSnapshot records one disk per layer, and there is one
    return only;
  });
}

/**
 * Takes a snapshot of several disks at one instant: all of them, or none.
 *
 * @param options `disks`: `'all'` (default), targets, or `{ target: method }`.
 * @throws DiskSnapshotError; `outcome` says what is true then.
 *
 * @example
 * const set = await snapshotDisks(dom, { disks: ['vda', 'vdb'], quiesce: 'required' });
 * console.log(set.consistency, set.frozenMs);
 * await set.delete();
 */
export function snapshotDisks(dom: Domain, options: SnapshotDisksOptions = {}): Promise<DiskSnapshotSet> {
  return facade(dom, options, 'snapshotDisks', async (call) =>
    setOf(dom, await takeSnapshot(dom, snapshotOptions(options), callOf(call))),
  );
}

/**
 * The dry run of {@link snapshotDisks}: every reason against it at once, the steps, files and bytes. Touches nothing.
 *
 * @throws DiskSnapshotError only where there is nothing to plan: an unknown disk, or the domain is gone.
 */
export function planSnapshot(dom: Domain, options: PlanOptions = {}): Promise<SnapshotPlan> {
  return facade(dom, options, 'planSnapshot', async (call) => {
    const plan = await makePlan(dom, requestOf(options), callOf(call));
    try {
      return describePlan(plan);
    } finally {
      await plan.close();
    }
  });
}

const callOf = ({ signal }: CallOptions): CallOptions => (signal ? { signal } : {});

function requestOf(
  options: Omit<PlanOptions, 'quiesce'> & { quiesce?: Quiesce | QuiescedStorage; flags?: number },
): SnapshotRequest {
  const { disks = 'all', name, strict = false, pause = 'auto' } = options;
  if (name !== undefined && typeof name !== 'string') throw invalidType('options.name', 'a string', name);
  if (typeof strict !== 'boolean') throw invalidType('options.strict', 'a boolean', strict);
  if (pause !== 'auto' && pause !== false) throw invalidValue('options.pause', "'auto' or false", pause);
  return { disks, name, strict, pause: pause === 'auto', quiesce: quiesceOf(options.quiesce, options.flags) };
}

function quiesceOf(quiesce: Quiesce | QuiescedStorage | undefined, flags: unknown): Quiesce | QuiescedStorage {
  if (flags === undefined && quiesce === undefined) return 'preferred';
  if (flags === undefined) {
    if (quiesce === 'required' || quiesce === 'preferred' || quiesce === 'never') return quiesce;
    if (isQuiescedStorage(quiesce)) return quiesce;
    throw invalidValue('options.quiesce', "'required', 'preferred', 'never', or what quiesceStorage() gave", quiesce);
  }
  if (quiesce !== undefined) throw invalidValue('options.flags', 'left out where options.quiesce is given', flags);
  if (typeof flags !== 'number') throw invalidType('options.flags', 'a number', flags);
  if (flags === 0) return 'preferred';
  if (flags === DiskSnapshotFlags.QUIESCE_REQUIRED) return 'required';
  throw outOfRange('options.flags', `0 or DiskSnapshotFlags.QUIESCE_REQUIRED`, flags);
}

function snapshotOptions(options: SnapshotDisksOptions): SnapshotOptions {
  const {
    description = null,
    labels = {},
    maxFreezeMs = MAX_FREEZE_MS,
    guard = true,
    deadman = false,
    onProgress,
  } = options;
  checkMilliseconds('options.maxFreezeMs', maxFreezeMs);
  checkTexts(description, labels);
  checkFlags({ guard, deadman });
  return {
    ...requestOf(options as Omit<SnapshotDisksOptions, 'flags'> & { flags?: number }),
    description,
    labels: { ...labels },
    maxFreezeMs,
    guard,
    deadman,
    report: (phase, disk) => tell(onProgress, { phase, ...(disk === undefined ? {} : { disk }), done: 0, total: 0 }),
  };
}

function checkTexts(description: string | null, labels: Record<string, string>): void {
  if (description !== null && typeof description !== 'string') {
    throw invalidType('options.description', 'a string', description);
  }
  checkOptionsObject(labels, 'options.labels');
  for (const [key, value] of Object.entries(labels)) {
    if (typeof value !== 'string') throw invalidType(`options.labels.${key}`, 'a string', value);
  }
  const bytes = Buffer.byteLength(JSON.stringify([description, labels]));
  if (bytes <= LONGEST_TEXT) return;
  throw new DiskSnapshotError(
    'LIMIT_EXCEEDED',
    `description and labels take ${bytes} bytes; the domain's metadata has room for ${LONGEST_TEXT} of them. Keep the long text elsewhere, and its key in a label`,
  );
}

function checkFlags(flags: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(flags)) {
    if (typeof value !== 'boolean') throw invalidType(`options.${name}`, 'a boolean', value);
  }
}
