// What every function of the facade does around its work: check the domain, keep the deadline, translate libvirt's errors.
import { Domain, ErrorDomain, ErrorNumber, LibvirtError } from '../libvirt';
import { type CallOptions, refuseUnknown } from '../libvirt/options';
import { invalidType, isRecord, outOfRange } from './argument';
import { DiskSnapshotError, type DiskSnapshotErrorCode, type Outcome } from './errors';
import { OPTIONS, type OptionsOf } from './option-names';

/** Timers of Node and seconds of libvirt's agent calls both end here. */
const LONGEST_MS = 2 ** 31 - 1;

export function checkDomain(value: unknown): asserts value is Domain {
  if (!(value instanceof Domain)) throw invalidType('dom', 'a Domain', value);
}

export function checkOptionsObject(value: unknown, name = 'options'): void {
  if (!isRecord(value)) throw invalidType(name, 'an object', value);
}

export function checkMilliseconds(name: string, value: unknown): asserts value is number | undefined {
  if (value === undefined) return;
  if (typeof value !== 'number') throw invalidType(name, 'a number of milliseconds', value);
  if (!Number.isInteger(value) || value < 1 || value > LONGEST_MS) {
    throw outOfRange(name, `an integer from 1 to ${LONGEST_MS}`, value);
  }
}

/** Of the function of that name. */
export function checkCallOptions(options: CallOptions & { onProgress?: unknown }, name: OptionsOf): void {
  checkOptionsObject(options);
  refuseUnknown(options, OPTIONS[name], name);
  const { signal, timeoutMs, onProgress } = options;
  // A signal of another realm is no AbortSignal by `instanceof`; what is used of it is what counts.
  if (signal !== undefined && typeof (signal as AbortSignal | null)?.addEventListener !== 'function') {
    throw invalidType('options.signal', 'an AbortSignal', signal);
  }
  checkMilliseconds('options.timeoutMs', timeoutMs);
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalidType('options.onProgress', 'a function', onProgress);
  }
}

/** One signal for the caller's own and the deadline; undefined where there is neither. */
export function signalOf({ signal, timeoutMs }: CallOptions): AbortSignal | undefined {
  if (timeoutMs === undefined) return signal;
  const deadline = AbortSignal.timeout(timeoutMs);
  return signal ? AbortSignal.any([signal, deadline]) : deadline;
}

// ---- libvirt's errors, in the facade's words ----------------------------------------------------------------------

/** libvirt's client has no number for it: what its transport says is a system or internal error of domain RPC. */
export const isLostConnection = (e: unknown): boolean =>
  e instanceof LibvirtError &&
  (e.code === ErrorNumber.RPC ||
    e.code === ErrorNumber.INVALID_CONN ||
    (e.domain === ErrorDomain.RPC && (e.code === ErrorNumber.SYSTEM_ERROR || e.code === ErrorNumber.INTERNAL_ERROR)));

const LOST = 'the connection to the hypervisor ended; connect again, then call recoverDiskSnapshots(domain)';
const translations: readonly {
  test: (e: LibvirtError) => boolean;
  code: DiskSnapshotErrorCode;
  advice: string;
}[] = [
  {
    test: isLostConnection,
    code: 'CONNECTION_LOST',
    advice: LOST,
  },
  {
    test: (e) => e.code === ErrorNumber.OPERATION_DENIED || e.code === ErrorNumber.ACCESS_DENIED,
    code: 'PERMISSION_DENIED',
    advice: 'this connection may not do that: connect without readonly, or as a user who may',
  },
  { test: (e) => e.code === ErrorNumber.NO_DOMAIN, code: 'NOT_FOUND', advice: 'the domain is not there any more' },
  {
    test: (e) => e.code === ErrorNumber.OPERATION_TIMEOUT,
    code: 'OPERATION_FAILED',
    advice:
      'libvirt is at work on this domain: try again. Where `virsh domstate --reason` says that it is starting up, and no QEMU runs, its ' +
      'daemon died at that moment, and docs/recovery.md tells what to do',
  },
  { test: (e) => /No space left/i.test(e.message), code: 'NO_SPACE', advice: 'free space where the images lie' },
  {
    test: (e) => /Permission denied/i.test(e.message),
    code: 'PERMISSION_DENIED',
    advice: "the hypervisor's user, or its security driver (AppArmor, SELinux), may not use that file",
  },
];

export interface Where {
  guest?: string | undefined;
  disk?: string | undefined;
  snapshot?: string | undefined;
  outcome?: Outcome | undefined;
}

/** A DiskSnapshotError for what libvirt said; anything else is passed through as it is. */
export function translate(error: unknown, where: Where = {}): unknown {
  if (!(error instanceof LibvirtError)) return error;
  const known = translations.find((t) => t.test(error));
  const subject = [where.guest, where.disk].filter(Boolean).join(': ');
  const message = `${subject ? `${subject}: ` : ''}${error.message}${known ? ` (${known.advice})` : ''}`;
  const outcome = where.outcome ?? (known?.code === 'CONNECTION_LOST' ? 'unknown' : 'unchanged');
  return new DiskSnapshotError(known?.code ?? 'OPERATION_FAILED', message, { ...where, outcome, cause: error });
}

/**
 * The frame of a public function: `dom` and `options` checked, the deadline made a signal, libvirt's errors translated.
 * Being async, it turns whatever is thrown into a rejection.
 */
export async function facade<O extends CallOptions, T>(
  domain: Domain,
  options: O,
  name: OptionsOf,
  work: (call: O & { signal?: AbortSignal }) => Promise<T>,
): Promise<T> {
  checkDomain(domain);
  checkCallOptions(options, name);
  const guest = domain.getName(); // a connection that has ended gives none any more
  const signal = signalOf(options);
  signal?.throwIfAborted();
  const { timeoutMs: _, ...rest } = options;
  try {
    return await work({ ...rest, ...(signal ? { signal } : {}) } as O & { signal?: AbortSignal });
  } catch (error) {
    throw translate(error, { guest });
  }
}
