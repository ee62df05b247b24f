import { Command } from 'commander';
import { adoptDiskSnapshots } from '../../index';
import type { Frame } from '../action';
import { addDiskOption } from '../options';

export const adoptCommand = (frame: Frame): Command =>
  addDiskOption(new Command('adopt'))
    .summary('overlays that others made, as virsh, become snapshots here')
    .argument('<guest>', 'name, UUID or id')
    .action(
      frame<[string], { disk?: string[] }>(async (session, [named], { disk }) => {
        const guest = await session.guest(named);
        const snapshots = await adoptDiskSnapshots(guest, { disks: disk ?? 'all', signal: session.signal });
        session.output.result({ snapshots }, () => {
          if (snapshots.length === 0) return 'There was nothing to adopt';
          const rows = snapshots.map((set) => [set.name, set.disks.map((one) => one.disk).join(', ')]);
          return session.output.table(['Adopted', 'Disk'], rows);
        });
        return undefined;
      }),
    );
