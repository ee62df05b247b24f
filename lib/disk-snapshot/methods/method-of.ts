// The method of a snapshot that is recorded.
import { DiskSnapshotError } from '../errors';
import type { Guest } from '../guest';
import { tell } from '../progress';
import type { DiskRecord, MethodState, SetRecord } from '../records/record';
import type { DeleteOptions } from '../types';
import { contextOf } from './context';
import type { CutContext, Method } from './method';
import { methodNamed } from './registry';

/** The method that made a snapshot, with what it needs to find it again. */
export function methodOf(
  guest: Guest,
  set: Pick<SetRecord, 'name'>,
  record: Pick<DiskRecord, 'disk' | 'method' | 'state'>,
  options: Pick<DeleteOptions, 'signal' | 'onProgress'> = {},
): { method: Method; context: CutContext } {
  const method = methodNamed(record.method);
  const disk = guest.document.disks.find(({ target }) => target === record.disk);
  const where = { guest: guest.name, disk: record.disk, snapshot: set.name };
  if (!method) {
    const message = `${guest.name}: snapshot ${set.name} of disk ${record.disk} was made by method ${record.method}, which nobody registered here. Nothing was touched; call registerSnapshotMethod() first`;
    throw new DiskSnapshotError('METHOD_UNKNOWN', message, where);
  }
  if (!disk) {
    const message = `${guest.name} has no disk ${record.disk} any more; its snapshot ${set.name} cannot be worked on. Attach the disk again first`;
    throw new DiskSnapshotError('DISK_NOT_FOUND', message, where);
  }
  const { data, state } = record.state as MethodState;
  const progress = (done: number, total: number) =>
    tell(options.onProgress, { phase: 'clean', disk: record.disk, done, total });
  return { method, context: { ...contextOf(guest, disk, data, set.name, options.signal, progress), state } };
}
