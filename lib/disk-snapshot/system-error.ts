// What the system says where a file cannot be made or used, in the facade's words.
import { tmpdir } from 'node:os';
import { DiskSnapshotError, type DiskSnapshotErrorCode } from './errors';

const CAUSES: Readonly<Record<string, { code: DiskSnapshotErrorCode; advice: string }>> = {
  EEXIST: { code: 'FILE_EXISTS', advice: 'choose another name, or move the file away' },
  ENOENT: { code: 'NOT_FOUND', advice: 'check the path' },
  ENOTDIR: { code: 'NOT_FOUND', advice: 'check the path' },
  EACCES: { code: 'PERMISSION_DENIED', advice: 'give this user the right, or make the folder a libvirt storage pool' },
  EPERM: { code: 'PERMISSION_DENIED', advice: 'give this user the right, or make the folder a libvirt storage pool' },
  EROFS: { code: 'PERMISSION_DENIED', advice: 'the file system is mounted read-only' },
  ENOSPC: { code: 'NO_SPACE', advice: 'free some space' },
  EDQUOT: { code: 'NO_SPACE', advice: 'the quota is used up' },
  ENAMETOOLONG: { code: 'LIMIT_EXCEEDED', advice: 'choose a shorter name' },
};

const OTHER_TMPDIR = 'set TMPDIR to a folder that is there, and may be written to';

/** fail, of the temporary directory. */
export function failInTemporary(what: string, e: unknown): never {
  const better = { ENOENT: OTHER_TMPDIR, ENOTDIR: OTHER_TMPDIR, EACCES: OTHER_TMPDIR, EROFS: OTHER_TMPDIR };
  fail(what, tmpdir(), e, better);
}

/**
 * @param better what to do instead, by the system's name for the error
 * @throws DiskSnapshotError with what to do about it
 */
export function fail(what: string, path: string, e: unknown, better: Readonly<Record<string, string>> = {}): never {
  const { code, advice } = CAUSES[errno(e)] ?? { code: 'OPERATION_FAILED' as const, advice: 'see the cause' };
  const message = `cannot ${what} ${path} (${(e as Error).message}): ${better[errno(e)] ?? advice}`;
  throw new DiskSnapshotError(code, message, { cause: e });
}

export function errno(e: unknown): string {
  return (e as NodeJS.ErrnoException).code ?? '';
}
