import { Command } from 'commander';
import type { RevertOptions } from '../../index';
import type { Frame } from '../action';
import { disksOf } from '../chosen-disks';
import { addDiskOption } from '../options';

interface Options {
  disk?: string[];
  force?: boolean;
  discardManagedSave?: boolean;
}

export const revertCommand = (frame: Frame): Command =>
  addDiskOption(new Command('revert'))
    .summary('the disks back to a snapshot, which stays')
    .description('What the guest wrote since, and no other snapshot holds, is gone. The guest is off, or --force.')
    .argument('<guest>', 'name, UUID or id')
    .argument('<snapshot>', 'its name')
    .option('--force', 'stop a guest that runs, and start it again')
    .option('--discard-managed-save', 'let a managed-save image go')
    .action(
      frame<[string, string], Options>(async (session, [named, name], options) => {
        const { force = false, discardManagedSave = false } = options;
        const set = await session.snapshot(await session.guest(named), name);
        const disks = disksOf(set, options.disk);
        session.begin({ guest: set.guest, leaves: `${set.guest} may be off, and on its way back to ${name}` });
        const call: RevertOptions = { force, discardManagedSave, ...session.operation };
        if (options.disk === undefined) await set.revert(call);
        else for (const disk of disks) await disk.revert(call);
        const reverted = disks.map(({ disk }) => disk);
        session.output.result(
          { guest: set.guest, snapshot: name, disks: reverted },
          () => `Reverted ${set.guest} to ${name}: ${reverted.join(', ')}`,
        );
        return undefined;
      }),
    );
