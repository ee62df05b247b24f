import { Command, Option } from 'commander';
import { diskTree, listDiskSnapshots } from '../../index';
import { drawTree, PICTURE_FORMATS, type PictureFormat } from '../../picture';
import type { Frame } from '../action';

export const treeCommand = (frame: Frame): Command =>
  new Command('tree')
    .summary('disks, the chain of images of each, and the snapshots on them')
    .argument('<guest>', 'name, UUID or id')
    .addOption(new Option('--format <format>', 'of the picture').choices(PICTURE_FORMATS).default('text'))
    .action(
      frame<[string], { format: PictureFormat }>(async (session, [named], { format }) => {
        const { signal, output } = session;
        const guest = await session.guest(named);
        const tree = await diskTree(guest, { signal });
        const snapshots = await listDiskSnapshots(guest, { signal });
        output.result(tree, () => drawTree(tree, { format, snapshots, colour: output.colour }));
        return undefined;
      }),
    );
