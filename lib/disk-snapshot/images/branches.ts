// Branches: after a revert the guest goes on beside its former layers, and some of them hold points in time.
//
//   root ← a ← b(active)        snapshots: one (on root), two (on a)
//   root ← r(active)            after the revert to `one`: b is gone, for it held what the guest wrote since `two`;
//        ← a                    a stays, for it holds `two`, whose branch the guest has left
import type { Connection, Domain } from '../../libvirt';
import { lookAtGuest } from '../guest';
import { type DiskRecord, qemuStateOf, type SetRecord } from '../records/record';
import { type Chain, positionOf } from './backing-chain';
import { diskChain, imageChain } from './disk-chain';
import { imagesFor } from './images-for';
import { imageInside, snapshotsInside } from './inside';
import { type ImageUsers, imageUsers, layersOf } from './users';

/** Every image that a recorded point in time needs. Of one below the guest's own images, those are in use anyhow. */
export function neededBy(record: DiskRecord): string[] {
  const state = qemuStateOf(record);
  // A copy of an overlay rests on the images below, and a snapshot inside one on that image too.
  if (!state) return [imageInside(record) ?? [], record.backingChain.map(({ source }) => source)].flat();
  return state.left ?? [state.base.path];
}

/** Snapshots of this disk, on branches that its guest has left, which need one of these images: in words. */
export function leftBranchesOn(paths: readonly string[], disk: string, sets: readonly SetRecord[]): string[] {
  return leftOn(paths, disk, sets).map(inWords);
}

/**
 * Snapshots further up on a branch that this disk has left, over this one's image: in words. When the guest goes back to one of them,
 * nobody but this one's record tells that a layer of ours ends there, to be merged some day.
 */
export function leftOver({ disk }: DiskRecord, base: string, sets: readonly SetRecord[]): string[] {
  return leftOn([base], disk, sets)
    .filter(({ state }) => state.base.path !== base)
    .map(inWords);
}

function leftOn(paths: readonly string[], disk: string, sets: readonly SetRecord[]) {
  return layersOf(sets).filter(
    ({ record, state }) => record.disk === disk && state.left?.some((path) => paths.includes(path)),
  );
}

const inWords = ({ set, record }: { set: SetRecord; record: DiskRecord }) => `snapshot ${set.name} of ${record.disk}`;

/** Snapshots inside images that this disk has left, which need one of these images: in words. */
export function leftInside(paths: readonly string[], disk: string, chain: Chain, sets: readonly SetRecord[]): string[] {
  return sets.flatMap((set) =>
    set.disks
      .filter((record) => record.disk === disk && isLeft(record, chain))
      .filter((record) => neededBy(record).some((path) => paths.includes(path)))
      .map((record) => inWords({ set, record })),
  );
}

function isLeft(record: DiskRecord, chain: Chain): boolean {
  const image = imageInside(record);
  return image !== null && positionOf(chain, image) < 0;
}

/**
 * The sets whose records of this disk change, now that it rests on this chain: each point in time has the layer that lies on
 * it now, or is on a branch that the guest has left.
 */
export async function relinked(
  conn: Connection,
  sets: readonly SetRecord[],
  disk: string,
  chain: Chain,
): Promise<SetRecord[]> {
  const changed: SetRecord[] = [];
  for (const set of sets) {
    const disks: DiskRecord[] = [];
    for (const record of set.disks) disks.push(record.disk === disk ? await relink(conn, record, chain) : record);
    if (disks.some((record, i) => record !== set.disks[i])) changed.push({ ...set, disks });
  }
  return changed;
}

async function relink(conn: Connection, record: DiskRecord, chain: Chain): Promise<DiskRecord> {
  const state = qemuStateOf(record);
  if (!state) return record;
  const { left, ...rest } = state;
  const above = chain[chain.findIndex(({ path }) => path === state.base.path) - 1];
  if (!above?.path) {
    if (left) return record;
    const below = await imageChain(conn, state.base);
    return { ...record, state: { ...rest, left: below.flatMap(({ path }) => path ?? []) } };
  }
  if (!left && above.path === state.overlay.path) return record;
  return { ...record, state: { ...rest, overlay: { type: 'file', path: above.path, format: above.format } } };
}

/**
 * When a snapshot inside an image, or a copy of a layer, is deleted: of the images that it needed, those that the disk has left
 * and nobody needs any more. What cannot be known is kept.
 */
export async function removeAfter(domain: Domain, record: DiskRecord, sets: readonly SetRecord[]): Promise<void> {
  const needed = neededBy(record);
  if (needed.length === 0) return;
  const guest = await lookAtGuest(domain, {});
  const chain = await diskChain(guest, record.disk).catch(() => null);
  const left = needed.filter((path) => chain && positionOf(chain, path) < 0);
  if (left.length > 0) await removeUnneeded(domain, record.disk, left, sets);
}

/**
 * Removes those of these images that nobody needs any more: no disk of any domain, and no recorded point in time. They come
 * from records, which may name anything: only a layer is removed that rests on the same image as the disk itself does.
 */
export async function removeUnneeded(
  domain: Domain,
  disk: string,
  paths: readonly string[],
  sets: readonly SetRecord[],
): Promise<void> {
  const conn = domain.connection;
  const uuid = domain.getUUIDString();
  const guest = await lookAtGuest(domain, {});
  const held = guest.document.disks.find(({ target }) => target === disk);
  const { users, sameFile } = await imageUsers(conn);
  // Of this domain's own snapshots, those count that `sets` still holds.
  const others = users.filter((user) => user.as !== 'snapshot' || user.uuid !== uuid);
  if (others.some(({ unseen }) => unseen !== null)) return; // what cannot be known is kept
  const inUse = new Set(others.flatMap((user) => [...user.paths]));
  for (const path of sets.flatMap(({ disks }) => disks.flatMap(neededBy))) inUse.add(await sameFile(path));
  const chain = await diskChain(guest, disk);
  for (const path of paths) {
    if (inUse.has(await sameFile(path))) continue;
    if (!(await isLayerOf(conn, path, chain, sameFile))) continue;
    // Made by whomever: they are nowhere else. Where nobody can look, nobody removes.
    const inside = held && (await snapshotsInside(guest, held, path).catch(() => null));
    if (inside?.length !== 0) continue;
    const images = await imagesFor(conn, path); // null: nobody here may delete it
    await images?.remove(path).finally(() => images.close());
  }
}

/** Whether an image is a layer over the same image as all of this chain. */
export async function isLayerOf(
  conn: Connection,
  path: string,
  chain: Chain,
  sameFile: ImageUsers['sameFile'],
): Promise<boolean> {
  const own = await imageChain(conn, { type: 'file', path, format: 'qcow2' }).catch((): Chain => []);
  const [root, other] = [chain.at(-1)?.path, own.at(-1)?.path];
  return own.length > 1 && !!root && !!other && (await sameFile(root)) === (await sameFile(other));
}
