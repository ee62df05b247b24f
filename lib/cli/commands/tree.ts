import { Command } from 'commander';
import { type DiskTree, diskTree } from '../../index';
import type { Frame } from '../action';
import { formatBytes } from '../format';
import type { Cell, Output } from '../output';

export const treeCommand = (frame: Frame): Command =>
  new Command('tree')
    .summary('disks, the chain of images of each, and the snapshots on them')
    .argument('<guest>', 'name, UUID or id')
    .action(
      frame<[string], object>(async (session, [named]) => {
        const tree = await diskTree(await session.guest(named), { signal: session.signal });
        session.output.result(tree, () => describe(session.output, tree));
        return undefined;
      }),
    );

function describe(output: Output, { disks }: DiskTree): string {
  const rows = disks.flatMap(({ disk, layers }) =>
    layers.map(({ source, format, fileSize, active, missing, snapshots }, depth): Cell[] => [
      depth === 0 ? disk : '',
      `${'  '.repeat(depth)}${source}`,
      format,
      fileSize === null ? '' : formatBytes(fileSize),
      missing ? { text: 'missing', colour: 'red' } : active ? { text: 'live', colour: 'green' } : '',
      snapshots.join(', '),
    ]),
  );
  return output.table(['Disk', 'Image', 'Format', 'Size', 'State', 'Snapshots'], rows);
}
