import { Command } from 'commander';
import { type DeleteOptions, type DiskSnapshotSet, type Domain, findDiskSnapshot } from '../../index';
import type { Frame } from '../action';
import { disksOf } from '../chosen-disks';
import { addDiskOption, wholeNumber } from '../options';
import type { Aftermath } from '../session';

interface Options {
  disk?: string[];
  bandwidth?: number;
}

export const deleteCommand = (frame: Frame): Command =>
  addDiskOption(new Command('delete'))
    .summary('a snapshot away, the guest’s data kept: its layers are merged')
    .argument('<guest>', 'name, UUID or id')
    .argument('<snapshot>', 'its name')
    .option('--bandwidth <MiB/s>', 'of the merge; default: unlimited', wholeNumber)
    .action(
      frame<[string, string], Options>(async (session, [named, name], { disk, bandwidth = 0 }) => {
        const guest = await session.guest(named);
        const set = await session.snapshot(guest, name);
        const disks = disksOf(set, disk);
        session.begin({
          guest: set.guest,
          leaves: `The merge of ${name} may go on in QEMU; delete it again`,
          givenUp: () => whatIsLeft(guest, set),
        });
        const call: DeleteOptions = { bandwidth, ...session.operation };
        if (disk === undefined) await set.delete(call);
        else for (const one of disks) await one.delete(call);
        const deleted = disks.map((one) => one.disk);
        session.output.result(
          { guest: set.guest, snapshot: name, disks: deleted },
          () => `Deleted ${name} of ${set.guest}: ${deleted.join(', ')}`,
        );
        return undefined;
      }),
    );

/** Disks that were merged before the interrupt stay merged. */
async function whatIsLeft(guest: Domain, set: DiskSnapshotSet): Promise<Aftermath> {
  const now = await findDiskSnapshot(guest, set.name);
  const left = now?.disks.map(({ disk }) => disk) ?? [];
  if (left.length === set.disks.length) return { message: `${set.name} is still there`, outcome: 'undone' };
  if (left.length === 0) return { message: `${set.name} was deleted already`, outcome: 'done' };
  return { message: `of ${set.name} only ${left.join(', ')} is still there`, outcome: 'done' };
}
