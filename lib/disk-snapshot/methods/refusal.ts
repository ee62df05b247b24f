// What a method answers when it does not do what it was asked for.
import { DiskSnapshotError, type DiskSnapshotErrorCode } from '../errors';
import type { MethodContext } from '../types';

/** @param why in words, with the way out */
export function refusal(
  c: Pick<MethodContext<unknown>, 'domain' | 'disk'>,
  code: DiskSnapshotErrorCode,
  why: string,
  cause?: unknown,
): DiskSnapshotError {
  const guest = c.domain.getName();
  return new DiskSnapshotError(code, `${guest}: disk ${c.disk.target}: ${why}`, { guest, disk: c.disk.target, cause });
}
