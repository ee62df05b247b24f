// Failures as users and scripts get them: what happened, what is true now, and the exit code.
import { DiskSnapshotError, type DiskSnapshotErrorCode, LibvirtError, type Outcome } from '../index';
import { EXIT } from './exit-codes';
import { Interrupted } from './interrupt';

/** The command's own refusals. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    readonly code: 'USAGE' | 'NOT_FOUND' | 'NO_CONNECTION' | 'NOT_POSSIBLE' | 'COMMAND_FAILED' | 'FREEZE_ENDED',
    readonly exitCode: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export const usageError = (message: string): CliError => new CliError('USAGE', EXIT.USAGE, message);

/** The document `error` of schemas/error.json. */
export interface Failure {
  code: string;
  message: string;
  outcome: Outcome;
  exitCode: number;
  guest?: string;
  disk?: string;
  snapshot?: string;
  /** The way out in terms of the command line, where the message speaks of the library. */
  hint?: string;
}

const HINTS: Partial<Record<DiskSnapshotErrorCode, (guest: string) => string>> = {
  RECOVERY_NEEDED: (guest) => `disksnap recover ${guest}`,
  CONNECTION_LOST: (guest) => `when the hypervisor answers again: disksnap recover ${guest}`,
  THAW_FAILED: (guest) => `disksnap recover ${guest}, or virsh domfsthaw ${guest}`,
  ALREADY_FROZEN: (guest) => `if nobody is at work there: virsh domfsthaw ${guest}`,
  QUIESCE_UNAVAILABLE: () => 'without a freeze: --no-quiesce',
  FREEZE_BUDGET_EXCEEDED: () => 'a longer freeze: --max-freeze SECONDS',
  METHOD_UNSUPPORTED: () => 'another method: --method METHOD, or --disk DISK=METHOD',
  GUEST_ACTIVE: () => 'shut the guest down first, or --force',
  NAME_EXISTS: () => 'another name: --name NAME',
  DISK_NOT_FOUND: (guest) => `its disks: disksnap tree ${guest}`,
};

const EXIT_OF: Partial<Record<DiskSnapshotErrorCode, number>> = {
  INVALID_ARGUMENT: EXIT.USAGE,
  INVALID_XML: EXIT.USAGE,
  METHOD_UNKNOWN: EXIT.USAGE,
  DISK_NOT_FOUND: EXIT.NOT_FOUND,
  NOT_FOUND: EXIT.NOT_FOUND,
  OPERATION_IN_PROGRESS: EXIT.BUSY,
  DISK_BUSY: EXIT.BUSY,
  IN_USE: EXIT.BUSY,
};

export function failureOf(error: unknown): Failure {
  if (error instanceof DiskSnapshotError) return failureOfSnapshot(error);
  if (error instanceof Interrupted)
    return { code: 'INTERRUPTED', message: error.message, outcome: 'undone', exitCode: error.exitCode };
  if (error instanceof CliError)
    return { code: error.code, message: error.message, outcome: 'unchanged', exitCode: error.exitCode };
  if (error instanceof LibvirtError)
    return { code: error.codeName, message: error.message, outcome: 'unchanged', exitCode: EXIT.FAILED };
  if (isTimeout(error))
    return { code: 'TIME_OVER', message: 'the time was over', outcome: 'undone', exitCode: EXIT.TIME_OVER };
  if (error instanceof Error && /^ERR_(INVALID_ARG|OUT_OF_RANGE)/.test(codeOf(error)))
    return { code: 'USAGE', message: error.message, outcome: 'unchanged', exitCode: EXIT.USAGE };
  if (error instanceof Error && 'syscall' in error)
    return { code: codeOf(error), message: error.message, outcome: 'unchanged', exitCode: EXIT.FAILED };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'DEFECT', message, outcome: 'unknown', exitCode: EXIT.DEFECT };
}

function failureOfSnapshot(error: DiskSnapshotError): Failure {
  const { code, message, outcome, guest, disk, snapshot } = error;
  return {
    code,
    message,
    outcome,
    exitCode: exitCodeOf(error),
    ...(guest === undefined ? {} : { guest }),
    ...(disk === undefined ? {} : { disk }),
    ...(snapshot === undefined ? {} : { snapshot }),
    ...hintFor(error),
  };
}

function hintFor({ code, guest = 'GUEST' }: DiskSnapshotError): { hint?: string } {
  const hint = HINTS[code]?.(guest);
  return hint === undefined ? {} : { hint };
}

function exitCodeOf({ code, outcome }: DiskSnapshotError): number {
  if (outcome === 'unknown') return EXIT.UNKNOWN;
  if (outcome === 'done') return EXIT.DONE_THOUGH_FAILED;
  return EXIT_OF[code] ?? EXIT.FAILED;
}

/** Of AbortSignal.timeout: a DOMException, perhaps of another realm. */
const isTimeout = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'name' in error && error.name === 'TimeoutError';
const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '');
