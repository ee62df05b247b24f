// Everything that speaks against deleting a snapshot of method `qemu`, found before anything is touched.
import { dirname } from 'node:path';
import type { Domain } from '../../libvirt';
import { DiskSnapshotError, type DiskSnapshotErrorCode, type Outcome } from '../errors';
import { lookAtGuest, refuseManagedSave } from '../guest';
import { type Chain, type ChainLayer, positionOf } from '../images/backing-chain';
import { leftBranchesOn, leftInside, leftOver } from '../images/branches';
import { diskChain } from '../images/disk-chain';
import { imagesFor } from '../images/images-for';
import { copiesOf, type ImageUser, type ImageUsers, layersOf, usersAmong } from '../images/users';
import { type DiskRecord, type QemuState, qemuStateOf, type SetRecord } from '../records/record';
import { refuseBusy } from './block-job';

/** One snapshot of one disk that is to be deleted. */
export interface Deletion {
  domain: Domain;
  /** Its name, for errors: a connection that has ended gives none any more. */
  guest: string;
  set: SetRecord;
  record: DiskRecord;
  signal?: AbortSignal | undefined;
}

export interface DeletionPlan {
  deletion: Deletion;
  state: QemuState;
  /** False: the layer is merged already, or gone; only the clean-up is left. */
  merge: boolean;
}

/** @throws DiskSnapshotError with the reason against it; nothing was touched */
export async function planDeletion(
  deletion: Deletion,
  sets: readonly SetRecord[],
  users: Promise<ImageUsers>,
): Promise<DeletionPlan> {
  const { domain, record, signal } = deletion;
  const state = qemuStateOf(record);
  if (!state) {
    const why = `method ${record.method}, by which it was made, cannot delete in this version`;
    throw refusal(deletion, 'METHOD_UNSUPPORTED', why);
  }
  const found = await lookAtGuest(domain, { signal });
  await refuseManagedSave(found, { signal });
  if (state.left) {
    const over = leftOver(record, state.base.path, sets);
    if (over.length === 0) return { deletion, state, merge: false };
    const why = `its disk has left it for another branch, on which others lie over it: ${over.join(', ')}. Delete those first`;
    throw refusal(deletion, 'IN_USE', why);
  }
  const chain = await diskChain(found, record.disk, { signal });
  const at = positionOf(chain, state.overlay.path);
  if (at < 0) {
    await refuseBranch(deletion, state, chain, sets, users);
    await refuseForeign(deletion, state, users);
    return { deletion, state, merge: false };
  }
  const { layer, parent } = mergeable(deletion, chain, at);
  // A merge that has begun may still run, though whoever began it is gone.
  if (found.active && !state.deleting) await refuseBusy(domain, record.disk);
  const above = chain[at - 1]?.path ?? null;
  const needed = [
    ...branchesOf(state, parent, above, sets),
    ...copiesOver([layer, parent], sets),
    ...leftBranchesOn([layer, parent], record.disk, sets),
    ...leftInside([layer, parent], record.disk, chain, sets),
    ...(await strangersTo(deletion, [layer, parent], users)),
  ];
  if (needed.length > 0) {
    const why = `${layer} cannot be merged into ${parent}, which others need: ${needed.join(', ')}. Delete those first`;
    throw refusal(deletion, 'IN_USE', why);
  }
  return { deletion, state, merge: true };
}

export function refusal(
  { guest, set, record: { disk } }: Deletion,
  code: DiskSnapshotErrorCode,
  why: string,
  outcome: Outcome = 'unchanged',
): DiskSnapshotError {
  const message = `${guest}: snapshot ${set.name} of disk ${disk}: ${why}`;
  return new DiskSnapshotError(code, message, { guest, disk, snapshot: set.name, outcome });
}

/** Users of these images that are not this disk of this domain, nor this domain's own snapshots: in words. */
export async function strangersTo(
  { domain, record }: Deletion,
  paths: readonly string[],
  pending: Promise<ImageUsers>,
): Promise<string[]> {
  const uuid = domain.getUUIDString();
  const isStranger = (user: ImageUser) => user.uuid !== uuid || (user.as !== 'snapshot' && user.disk !== record.disk);
  const users = await usersAmong(await pending, paths, isStranger);
  return users.map(({ guest, disk, snapshot }) =>
    snapshot === null ? `${guest} (${disk})` : `${guest} (snapshot ${snapshot})`,
  );
}

/** The two images of a merge, if one is possible. */
function mergeable(deletion: Deletion, chain: Chain, at: number): { layer: string; parent: string } {
  const lost = chain.find(({ missing }) => missing);
  if (lost) {
    throw refusal(deletion, 'NOT_FOUND', `its disk needs ${lost.path}, which is not there. Bring it back first`);
  }
  const [layer, parent]: (ChainLayer | undefined)[] = chain.slice(at);
  const inside = layer?.internalSnapshots ?? [];
  if (inside.length > 0) {
    const why =
      `${layer?.path} carries internal snapshots (${inside.join(', ')}), which a merge would lose. ` +
      'Delete them first (virsh snapshot-delete, or qemu-img snapshot -d while the guest is off)';
    throw refusal(deletion, 'METHOD_UNSUPPORTED', why);
  }
  if (layer?.path && parent?.path) return { layer: layer.path, parent: parent.path };
  throw refusal(deletion, 'METHOD_UNSUPPORTED', 'below its layer lies no file or device into which it could be merged');
}

/** Snapshots of this domain that a merge would damage: other layers over the parent, and over the layer itself. */
function branchesOf(
  { overlay }: QemuState,
  parent: string,
  above: string | null,
  sets: readonly SetRecord[],
): string[] {
  return layersOf(sets)
    .filter(({ state }) => state.overlay.path !== overlay.path)
    .filter(
      ({ state }) => state.base.path === parent || (state.base.path === overlay.path && state.overlay.path !== above),
    )
    .map(({ set, record }) => `snapshot ${set.name} of ${record.disk}`);
}

/** Snapshots by other methods that copied a layer's file alone: what lies below it, a merge would change or take away. */
function copiesOver(paths: readonly string[], sets: readonly SetRecord[]): string[] {
  return copiesOf(sets)
    .filter(({ record }) => record.backingChain.some(({ source }) => paths.includes(source)))
    .map(({ set, record }) => `snapshot ${set.name} of ${record.disk}`);
}

/**
 * A layer outside the chain is merged already (by somebody else, or by us before a crash), or it is gone, or it belongs to
 * another domain, from which this one was cloned with its records; or it is another branch, and what it holds exists
 * nowhere else.
 */
async function refuseBranch(
  deletion: Deletion,
  { overlay, base, deleting }: QemuState,
  chain: Chain,
  sets: readonly SetRecord[],
  users: Promise<ImageUsers>,
): Promise<void> {
  const at = positionOf(chain, base.path);
  const above = chain[at - 1]?.path;
  const wasBetween = layersOf(sets).some(
    ({ state }) => state.overlay.path === above && state.base.path === overlay.path,
  );
  // Only the end of a merge takes a layer out of its chain, once one has begun.
  if (at === 0 || (at > 0 && (deleting || wasBetween))) return;
  if ((await strangersTo(deletion, [overlay.path], users)).length > 0) return;
  const { domain, signal } = deletion;
  const images = await imagesFor(domain.connection, overlay.path, { signal });
  if (images === null)
    throw refusal(deletion, 'PERMISSION_DENIED', `nobody here may look into ${dirname(overlay.path)}`);
  try {
    if ((await images.inspect(overlay.path, { signal, format: overlay.format })) === null) return;
  } finally {
    await images.close();
  }
  const why =
    `the guest does not run on ${overlay.path}, and it was never merged: what it holds exists nowhere else. ` +
    'If nobody needs it, delete the file, then the snapshot';
  throw refusal(deletion, 'OPERATION_FAILED', why);
}

/** Metadata is open to everybody who manages the domain: only what rests on the recorded base is the layer of that record. */
async function refuseForeign(
  deletion: Deletion,
  { overlay, base }: QemuState,
  users: Promise<ImageUsers>,
): Promise<void> {
  const { domain, signal } = deletion;
  const images = overlay.type === 'file' ? await imagesFor(domain.connection, overlay.path, { signal }) : null;
  if (images === null) return; // nor will anybody remove it
  try {
    const found = await images.inspect(overlay.path, { signal, format: overlay.format }).catch((error: unknown) => {
      if (error instanceof DiskSnapshotError && error.code === 'OPERATION_FAILED') return { backing: null };
      throw error;
    });
    if (found === null) return;
    const { sameFile } = await users;
    if (found.backing && (await sameFile(found.backing.path)) === (await sameFile(base.path))) return;
  } finally {
    await images.close();
  }
  const why = `its record names ${overlay.path}, which is no layer over ${base.path}. Nothing was removed`;
  throw refusal(deletion, 'OPERATION_FAILED', why);
}
