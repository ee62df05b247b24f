import { Command } from 'commander';
import { type DeleteOptions, type DiskSnapshot, type Domain, findDiskSnapshot } from '../../index';
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
          givenUp: () => whatIsLeft(guest, set.name, disks),
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
async function whatIsLeft(guest: Domain, name: string, asked: readonly DiskSnapshot[]): Promise<Aftermath> {
  const left = (await findDiskSnapshot(guest, name))?.disks ?? [];
  const found = asked.map(({ disk }) => left.find((one) => one.disk === disk)?.state ?? 'deleted');
  const named = (wanted: (typeof found)[number]) =>
    asked.flatMap(({ disk }, at) => (found[at] === wanted ? [disk] : [])).join(', ');
  if (found.every((state) => state === 'deleted')) return { message: `${name} was deleted already`, outcome: 'done' };
  if (found.every((state) => state === 'present')) return { message: `${name} is still there`, outcome: 'undone' };
  const facts = [
    [named('deleted'), 'merged and no longer part of it'],
    [named('missing'), 'lost to it, as the merge had begun'],
    [named('present'), 'still there'],
  ].flatMap(([disks, fact]) => (disks ? [`${disks}: ${fact}`] : []));
  const message = `${guest.getName()} goes on as before, but of ${name} ${facts.join('; ')}. Delete it again to finish`;
  return { message, outcome: 'done' };
}
