// The facade's error: what went wrong, what is true now, and what to do about it.

/** The cause, for programs. The message says the same in words, with the way out. */
export type DiskSnapshotErrorCode =
  | 'INVALID_ARGUMENT'
  | 'INVALID_XML'
  | 'LIMIT_EXCEEDED'
  | 'DISK_NOT_FOUND'
  | 'DISK_BUSY'
  | 'METHOD_UNKNOWN'
  | 'METHOD_UNSUPPORTED'
  | 'NAME_EXISTS'
  | 'FILE_EXISTS'
  | 'NO_SPACE'
  | 'PERMISSION_DENIED'
  | 'QUIESCE_UNAVAILABLE'
  | 'ALREADY_FROZEN'
  | 'FREEZE_BUDGET_EXCEEDED'
  | 'THAW_FAILED'
  | 'GUARD_UNAVAILABLE'
  | 'OPERATION_IN_PROGRESS'
  | 'OPERATION_FAILED'
  | 'JOB_FAILED'
  | 'NOT_FOUND'
  | 'IN_USE'
  | 'GUEST_ACTIVE'
  | 'CONNECTION_LOST'
  | 'RECOVERY_NEEDED';

/**
 * What is true after a failed call.
 *
 * - `'unchanged'`: nothing was touched.
 * - `'undone'`: something was done, and all of it was taken back.
 * - `'done'`: the disks were cut although the call failed.
 * - `'unknown'`: not known; `recoverDiskSnapshots` finds out and repairs.
 */
export type Outcome = 'unchanged' | 'undone' | 'done' | 'unknown';

/** What a {@link DiskSnapshotError} carries beside its code and message. */
export interface DiskSnapshotErrorDetails {
  /** Default `'unchanged'`. */
  outcome?: Outcome | undefined;
  /** The domain's name. */
  guest?: string | undefined;
  /** The disk's target. */
  disk?: string | undefined;
  /** The snapshot's name. */
  snapshot?: string | undefined;
  /** What libvirt, or a method, said. */
  cause?: unknown;
}

const BRAND = Symbol.for('libvirt-disksnapshot.DiskSnapshotError');

/**
 * Rejection of every function of the facade. What libvirt said, if it said anything, is the `cause`.
 *
 * `instanceof` works across copies of the package and across realms.
 *
 * @example
 * try {
 *   await snapshotDisks(dom, { quiesce: 'required' });
 * } catch (e) {
 *   if (!(e instanceof DiskSnapshotError) || e.code !== 'QUIESCE_UNAVAILABLE') throw e;
 *   console.log('no agent answers');
 * }
 */
export class DiskSnapshotError extends Error {
  /** Always `'DiskSnapshotError'`. */
  override readonly name = 'DiskSnapshotError' as const;
  /** The cause, for programs. */
  readonly code: DiskSnapshotErrorCode;
  /** What is true now. */
  readonly outcome: Outcome;
  /** The domain's name. */
  declare readonly guest?: string;
  /** The disk's target, or what the caller named it by. */
  declare readonly disk?: string;
  /** The snapshot's name. */
  declare readonly snapshot?: string;

  /** For methods of one's own, which may throw it: {@link SnapshotMethod}. */
  constructor(code: DiskSnapshotErrorCode, message: string, details: DiskSnapshotErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.outcome = details.outcome ?? 'unchanged';
    for (const key of ['guest', 'disk', 'snapshot'] as const) {
      if (details[key] !== undefined) Object.defineProperty(this, key, { value: details[key], enumerable: true });
    }
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** By a brand, so that errors of another copy of this package are known too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

/** @internal What anything that was thrown says. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
