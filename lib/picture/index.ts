// Pictures of what the library tells: pure functions from data to text, nothing read and nothing written.
import type { DiskSnapshotSet, DiskTree } from '../disk-snapshot/types';
import { pictureOf } from './tree-model';
import { treeText } from './tree-text';

export const PICTURE_FORMATS = ['text', 'json'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

export interface TreeOptions {
  format: PictureFormat;
  /** ANSI colours in the text; default false. */
  colour?: boolean;
  /** What listDiskSnapshots() gave: branches that a revert has left are drawn from it. */
  snapshots?: readonly DiskSnapshotSet[];
}

/**
 * Guest, disks, the images of each with the snapshots on them, what is live and what is missing. Characters in names that
 * would break lines or turn the text around are shown as `\u{…}`. `json` is the tree as it came.
 *
 * @example
 * console.log(drawTree(await diskTree(dom), { format: 'text', snapshots: await listDiskSnapshots(dom) }));
 */
export function drawTree(tree: DiskTree, options: TreeOptions): string {
  const { format, colour = false, snapshots = [] } = options;
  if (format === 'json') return `${JSON.stringify(tree, null, 2)}\n`;
  return treeText(pictureOf(tree, snapshots), colour);
}
