// Pictures of what the library tells: pure functions from data to text, nothing read and nothing written.
import type { DiskSnapshotSet, DiskTree, SnapshotPlan } from '../disk-snapshot/types';
import { timelineHtml } from './timeline-html';
import { timelineMermaid } from './timeline-mermaid';
import { pictureOfTimeline } from './timeline-model';
import type { SnapshotTimeline } from './timeline-record';
import { timelineSvg } from './timeline-svg';
import { timelineText } from './timeline-text';
import { treeHtml } from './tree-html';
import { treeMermaid } from './tree-mermaid';
import { pictureOf } from './tree-model';
import { treeSvg } from './tree-svg';
import { treeText } from './tree-text';

export { recordTimeline, type SnapshotTimeline, type TimelineRecorder } from './timeline-record';

export const PICTURE_FORMATS = ['text', 'svg', 'html', 'mermaid', 'json'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

export interface PictureOptions {
  format: PictureFormat;
  /** ANSI colours in the text; default false. */
  colour?: boolean;
}

export interface TreeOptions extends PictureOptions {
  /** What listDiskSnapshots() gave: branches that a revert has left are drawn from it. */
  snapshots?: readonly DiskSnapshotSet[];
}

/**
 * Guest, disks, the images of each with the snapshots on them, what is live and what is missing. Characters in names that
 * would break lines or turn the text around are shown as `\u{…}`; `svg` and `mermaid` shorten long names, `html` and `text`
 * never. `json` is the tree as it came.
 */
export function drawTree(tree: DiskTree, options: TreeOptions): string {
  const { format, colour = false, snapshots = [] } = options;
  const picture = pictureOf(tree, snapshots);
  switch (format) {
    case 'text':
      return treeText(picture, colour);
    case 'svg':
      return treeSvg(picture);
    case 'html':
      return treeHtml(picture);
    case 'mermaid':
      return treeMermaid(picture);
    case 'json':
      return json(tree);
  }
}

/**
 * The steps of one snapshot, with the window in which the guest stands still: of a plan in their order, of what
 * `recordTimeline` measured to scale. `json` is the report as it came.
 */
export function drawTimeline(report: SnapshotPlan | SnapshotTimeline, options: PictureOptions): string {
  const { format, colour = false } = options;
  const picture = pictureOfTimeline(report);
  switch (format) {
    case 'text':
      return timelineText(picture, colour);
    case 'svg':
      return timelineSvg(picture);
    case 'html':
      return timelineHtml(picture);
    case 'mermaid':
      return timelineMermaid(picture);
    case 'json':
      return json(report);
  }
}

const json = (data: object): string => `${JSON.stringify(data, null, 2)}\n`;
