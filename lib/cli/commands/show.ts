import { Command } from 'commander';
import type { Frame } from '../action';
import { describeSet } from '../set-text';

export const showCommand = (frame: Frame): Command =>
  new Command('show')
    .summary('one snapshot: its disks, and what its consistency rests on')
    .argument('<guest>', 'name, UUID or id')
    .argument('<snapshot>', 'its name')
    .action(
      frame<[string, string], object>(async (session, [named, name]) => {
        const set = await session.snapshot(await session.guest(named), name);
        session.output.result(set, () => describeSet(session.output, set));
        return undefined;
      }),
    );
