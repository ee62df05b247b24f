import { Command } from 'commander';
import { DiskSnapshotError, type DiskSnapshotSet, type Domain, listDiskSnapshots } from '../../index';
import type { Frame } from '../action';
import { formatTime } from '../format';
import type { Cell } from '../output';
import { consistencyCell, stateOf } from '../set-text';

export const listCommand = (frame: Frame): Command =>
  new Command('list')
    .summary('the snapshots of some guests, or of all')
    .description('Lists disk snapshots, oldest first. virsh snapshot-list does not show them.')
    .argument('[guest...]', 'name, UUID or id; default: all guests')
    .action(
      frame<[string[]], object>(async (session, [named]) => {
        const guests = await session.guests(named);
        const isThere = named.length > 0;
        const found = await Promise.all(guests.map((guest) => snapshotsOf(guest, session.signal, isThere)));
        const snapshots = found.flat();
        session.output.result({ snapshots }, () =>
          session.output.table(['Guest', 'Name', 'Created', 'Disks', 'Consistency', 'State'], snapshots.map(rowOf)),
        );
        return undefined;
      }),
    );

/** A guest that nobody named may have gone since it was listed. */
async function snapshotsOf(guest: Domain, signal: AbortSignal, mustBeThere: boolean): Promise<DiskSnapshotSet[]> {
  try {
    return await listDiskSnapshots(guest, { signal });
  } catch (error) {
    if (!mustBeThere && error instanceof DiskSnapshotError && error.code === 'NOT_FOUND') return [];
    throw error;
  }
}

function rowOf(set: DiskSnapshotSet): Cell[] {
  const disks = set.disks.map(({ disk, method }) => `${disk} (${method})`).join(', ');
  return [set.guest, set.name, formatTime(set.createdAt), disks, consistencyCell(set), stateOf(set)];
}
