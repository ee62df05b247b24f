// A guest's disks as rows: one row for each image, the one that the guest writes to first, and every image above the one it
// rests on. Branches stand beside the guest's own chain, in lanes to the right, as in a drawn history of versions.
import type { DiskSnapshot, DiskSnapshotSet, DiskTree, Layer } from '../disk-snapshot/types';
import { parseXml } from '../xml/document';
import { bytes, printable } from './words';

/** live: the guest writes here; below: it reads through it; branch: a revert has left it; missing: it is not there. */
export type ImageState = 'live' | 'below' | 'branch' | 'missing';

export interface SnapshotMark {
  name: string;
  method: string;
  isPresent: boolean;
  /** Kept by the image itself, beside what the guest writes. */
  isInside: boolean;
}

export interface ImageRow {
  source: string;
  state: ImageState;
  /** Format and size. */
  detail: string;
  snapshots: readonly SnapshotMark[];
  lane: number;
  /** Lanes whose line goes past this row. */
  passing: readonly number[];
  /** Lanes, of images that rest on this one, whose line ends here. */
  joining: readonly number[];
  /** Whether an image rests on this one in its own lane. */
  isRestedOn: boolean;
  hasParent: boolean;
}

export interface DiskPicture {
  disk: string;
  /** What the disk itself says of its method. */
  policy: string | null;
  virtualSize: string;
  lanes: number;
  rows: readonly ImageRow[];
  /** Snapshots in places of their own: logical volumes, clones, or nobody knows where. */
  beside: readonly SnapshotMark[];
}

export interface TreePicture {
  guest: string;
  uri: string;
  disks: readonly DiskPicture[];
}

type DiskOfTree = DiskTree['disks'][number];

interface Image {
  source: string;
  state: ImageState;
  detail: string;
  marks: SnapshotMark[];
  above: Image[];
}

export function pictureOf(tree: DiskTree, sets: readonly DiskSnapshotSet[]): TreePicture {
  const snapshots = sets.flatMap((set) => set.disks);
  return {
    guest: printable(tree.guest),
    uri: printable(tree.uri),
    disks: tree.disks.map((disk) =>
      pictureOfDisk(
        disk,
        snapshots.filter((snapshot) => snapshot.disk === disk.disk),
      ),
    ),
  };
}

function pictureOfDisk(disk: DiskOfTree, snapshots: readonly DiskSnapshot[]): DiskPicture {
  const marks = new Map(disk.snapshots.map((snapshot) => [snapshot.name, markOf(snapshot)]));
  const internal = new Set(
    snapshots.flatMap(({ name, internalSnapshot }) => (internalSnapshot === null ? [] : [name])),
  );
  const placed = new Set<string>();
  const images = new Map<string, Image>();
  let above: Image | null = null;
  for (const layer of disk.layers) {
    const image = imageOf(layer);
    for (const name of layer.snapshots) {
      const mark = marks.get(name);
      if (!mark) continue;
      // What the guest writes to is nobody's point in time, but it may hold one.
      image.marks.push({ ...mark, isInside: layer.active || internal.has(name) });
      placed.add(name);
    }
    if (above) image.above.push(above);
    // An image without a name is a row of its own, and no branch can rest on it.
    if (layer.source !== '') images.set(layer.source, image);
    above = image;
  }
  for (const snapshot of snapshots) {
    const mark = marks.get(snapshot.name);
    if (!mark || placed.has(snapshot.name) || !growBranch(images, snapshot, mark)) continue;
    placed.add(snapshot.name);
  }
  const rows: ImageRow[] = [];
  if (above) addRows(rows, above, 0, [], false);
  const size = Math.max(0, ...disk.layers.map((layer) => layer.virtualSize));
  return {
    disk: printable(disk.disk),
    policy: disk.policy && printable(disk.policy.method),
    virtualSize: size > 0 ? bytes(size) : 'size unknown',
    lanes: 1 + Math.max(0, ...rows.map((row) => row.lane)),
    rows,
    beside: [...marks].filter(([name]) => !placed.has(name)).map(([, mark]) => mark),
  };
}

const markOf = ({ name, method, state }: DiskOfTree['snapshots'][number]): SnapshotMark => ({
  name: printable(name),
  method: printable(method),
  isPresent: state === 'present',
  isInside: false,
});

function imageOf({ source, format, fileSize, active, missing }: Layer): Image {
  const size = fileSize === null ? [] : [bytes(fileSize)];
  return {
    source,
    state: missing ? 'missing' : active ? 'live' : 'below',
    detail: [printable(format), ...size].join(' · '),
    marks: [],
    above: [],
  };
}

/** A layer that still holds a point in time, on a branch that the guest has left; false where it meets the chain nowhere. */
function growBranch(images: Map<string, Image>, snapshot: DiskSnapshot, mark: SnapshotMark): boolean {
  const top = pathOf(snapshot);
  if (top === null || snapshot.method !== 'qemu') return false;
  const chain = [{ source: top, format: snapshot.format }, ...snapshot.backingChain];
  const meets = chain.findIndex(({ source }) => images.has(source));
  if (meets < 0) return false;
  let below = images.get(chain[meets]?.source ?? '');
  for (const { source, format } of chain.slice(0, meets).reverse()) {
    const image: Image = { source, state: 'branch', detail: printable(format), marks: [], above: [] };
    if (source === top && !mark.isPresent) image.state = 'missing';
    below?.above.push(image);
    images.set(source, image);
    below = image;
  }
  below?.marks.push(mark);
  return true;
}

function pathOf({ backupSource }: DiskSnapshot): string | null {
  if (backupSource === null) return null;
  const { file, dev } = parseXml(backupSource).attributes;
  return file ?? dev ?? null;
}

/** What rests on an image first, the first of it in the same lane and each other in one to the right; then the image. */
function addRows(rows: ImageRow[], image: Image, lane: number, passing: readonly number[], hasParent: boolean): void {
  const lanes = image.above.map((_, at) => lane + at);
  for (const [at, above] of image.above.entries()) {
    addRows(rows, above, lane + at, [...passing, ...lanes.slice(0, at)], true);
  }
  rows.push({
    source: printable(image.source) || '(no name)',
    state: image.state,
    detail: image.detail,
    snapshots: image.marks,
    lane,
    passing,
    joining: lanes.slice(1),
    isRestedOn: lanes.length > 0,
    hasParent,
  });
}
