// What becomes of the records when a layer has been merged into the image below it.
import { formatXml } from '../../xml/document';
import { pathSource } from '../../xml/domain';
import { type DiskRecord, type ImageRef, qemuStateOf, type SetRecord } from '../records/record';

export interface MergedLayer {
  /** The set that the layer's snapshot belongs to. */
  setId: string;
  /** The target. */
  disk: string;
  overlay: ImageRef;
  /** The image that holds its data now. */
  parent: ImageRef;
}

/**
 * The sets as they must be written, without those that need no change: the snapshot itself is gone from its set, and
 * the snapshots above it, which rested on the layer, rest on its parent. A set without disks is over. The set of the
 * snapshot comes last: as long as it stands, the work can be found and done again.
 */
export function afterMerge(sets: readonly SetRecord[], merged: MergedLayer): SetRecord[] {
  const changed: SetRecord[] = [];
  const own: SetRecord[] = [];
  for (const set of sets) {
    const isOwn = set.id === merged.setId;
    const kept = set.disks.filter(({ disk }) => !(isOwn && disk === merged.disk));
    const disks = kept.map((record) => rebased(record, merged));
    const isSame = disks.length === set.disks.length && disks.every((record, i) => record === set.disks[i]);
    if (!isSame) (isOwn ? own : changed).push({ ...set, disks });
  }
  return [...changed, ...own];
}

function rebased(record: DiskRecord, { overlay, parent }: MergedLayer): DiskRecord {
  const state = qemuStateOf(record);
  const onParent = state?.base.path === overlay.path;
  const isBelow = record.backingChain.some(({ source }) => source === overlay.path);
  if (!onParent && !isBelow) return record;
  const below = record.backingChain.filter(({ source }) => source !== overlay.path);
  if (!onParent) return { ...record, backingChain: below };
  return {
    ...record,
    state: { ...state, base: parent },
    backupSource: formatXml(pathSource(parent.type, parent.path)),
    format: parent.format,
    backingChain: below.filter(({ source }) => source !== parent.path),
  };
}
