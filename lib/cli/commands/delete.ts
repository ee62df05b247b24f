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

/**
 * The guest's disks hold what they held, on the images that they had. But a merge writes into the image that is the point in
 * time: where one was begun there is none any more, and disks that were merged before the interrupt stay merged.
 */
async function whatIsLeft(guest: Domain, { name, disks }: DiskSnapshotSet): Promise<Aftermath> {
  const left = (await findDiskSnapshot(guest, name))?.disks ?? [];
  if (left.length === 0) return { message: `${name} was deleted already`, outcome: 'done' };
  const whole = left.filter(({ state }) => state === 'present').map(({ disk }) => disk);
  if (whole.length === disks.length) return { message: `${name} is still there`, outcome: 'undone' };
  const still = whole.length === 0 ? 'no disk' : `only ${whole.join(', ')}`;
  const message = `${guest.getName()} goes on as before, but of ${name} ${still} can still be gone back to, as merges were begun; delete it again to finish them`;
  return { message, outcome: 'done' };
}
