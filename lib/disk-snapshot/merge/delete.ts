// Deleting snapshots of method `qemu`: the layer is merged into the image below, so that the point in time is gone and
// the guest's data stay. All disks are checked before the first is touched, and each step can be found and done again by
// a second call, whoever died in between.
import type { Domain } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { DiskSnapshotError, messageOf } from '../errors';
import { translate } from '../facade';
import { faultPoint } from '../fault-point';
import { neededBy, removeUnneeded } from '../images/branches';
import { imagesFor } from '../images/images-for';
import { imageUsers, layersOf } from '../images/users';
import { tell } from '../progress';
import type { Claim } from '../records/claim';
import { readJournal, removeRecord, writeRecord } from '../records/journal';
import { type DiskRecord, type ImageRef, qemuStateOf } from '../records/record';
import type { DeleteOptions } from '../types';
import { settleDefinition } from './definition';
import { type Deletion, type DeletionPlan, planDeletion, refusal, strangersTo } from './delete-plan';
import { afterMerge } from './layer-records';
import { mergeLayer } from './merge';

/**
 * Deletes layers that were looked at, one disk after the other, and each is recorded at once. What is deleted already is
 * success. An abort cancels the merge that runs, unless its end was already asked for: then that one is finished and
 * recorded first.
 *
 * @throws DiskSnapshotError OPERATION_IN_PROGRESS; from a merge: JOB_FAILED, NO_SPACE, CONNECTION_LOST, with the outcome;
 * PERMISSION_DENIED with outcome 'done': all is merged, but a file could not be removed
 */
export async function deleteLayers(
  plans: readonly DeletionPlan[],
  claim: Claim,
  options: DeleteOptions = {},
): Promise<void> {
  const { signal, bandwidth = 0 } = options;
  const done: string[] = [];
  for (const plan of plans) {
    signal?.throwIfAborted();
    claim.check();
    await named(plan.deletion, done, () => carryOut(plan, { ...options, bandwidth, signal }));
    done.push(plan.deletion.record.disk);
  }
}

/**
 * Looks at the layers of a set: all, or those of the given targets. Touches nothing.
 *
 * @throws DiskSnapshotError what speaks against deleting one of them: IN_USE, METHOD_UNSUPPORTED, GUEST_ACTIVE (a
 * managed-save image), DISK_BUSY, NOT_FOUND
 */
export async function planLayers(
  domain: Domain,
  setId: string,
  targets: readonly string[] | null,
  signal: AbortSignal | undefined,
): Promise<DeletionPlan[]> {
  const guest = domain.getName();
  const { sets } = await readJournal(domain, { signal });
  const set = sets.find(({ id }) => id === setId);
  const isMeant = (record: DiskRecord) =>
    qemuStateOf(record) !== null && (targets === null || targets.includes(record.disk));
  const records = set?.disks.filter(isMeant) ?? [];
  if (!set || records.length === 0) return [];
  const users = imageUsers(domain.connection, { signal });
  users.catch(() => {}); // told by whoever asks for them
  const plans: DeletionPlan[] = [];
  for (const record of records) {
    const deletion: Deletion = { domain, guest, set, record, signal };
    plans.push(await named(deletion, [], () => planDeletion(deletion, sets, users)));
  }
  return plans;
}

/**
 * Ends the deletions whose process died when their layer was merged already: until its record has gone, it stands in the
 * way of others. One that did not come so far is left as it is, for the point in time is gone and only the data are here.
 *
 * @returns the snapshots' names
 */
export async function finishMerged(domain: Domain, call: CallOptions): Promise<string[]> {
  const begun = layersOf((await readJournal(domain, call)).sets).filter(({ state }) => state.deleting);
  if (begun.length === 0) return [];
  const finished: string[] = [];
  const users = imageUsers(domain.connection, call);
  users.catch(() => {}); // told by whoever asks for them
  for (const { set, record } of begun) {
    const deletion: Deletion = { domain, guest: domain.getName(), set, record, signal: call.signal };
    const { sets } = await readJournal(domain, call);
    const plan = await planDeletion(deletion, sets, users).catch((error: unknown) => {
      if (error instanceof DiskSnapshotError) return null; // for whoever deletes it to be told
      throw error;
    });
    if (!plan || plan.merge) continue;
    await named(deletion, [], () => carryOut(plan, { bandwidth: 0, signal: call.signal }));
    finished.push(set.name);
  }
  return finished;
}

async function carryOut(
  { deletion, state, merge }: DeletionPlan,
  { bandwidth, signal, onProgress }: Pick<DeleteOptions, 'onProgress' | 'signal'> & { bandwidth: number },
): Promise<void> {
  const { domain, set, record } = deletion;
  const { overlay } = state;
  const { disk } = record;
  if (state.left) return dropLeft(deletion);
  let parent: ImageRef = state.base;
  if (!merge) {
    if (await domain.isPersistent()) await settleDefinition(domain, disk, overlay, parent);
  } else {
    const report = (done: number, total: number) => tell(onProgress, { phase: 'commit', disk, done, total });
    const note = (deleting: boolean) => noteDeleting(deletion, deleting);
    parent = await mergeLayer(
      { domain, disk, overlay, base: state.base, begun: state.deleting ?? false },
      { bandwidth, signal, onProgress: report, note },
    );
  }
  await faultPoint('delete.defined');
  // From here on it is finished, whatever the signal says. The file goes first: as long as the records still tell of the
  // layer, whoever comes after a crash knows that it was merged, and ends what we began.
  tell(onProgress, { phase: 'clean', disk, done: 0, total: 0 });
  const kept = await removeFile(deletion, overlay, merge);
  await faultPoint('delete.file-removed');
  const { sets } = await readJournal(domain);
  for (const changed of afterMerge(sets, { setId: set.id, disk, overlay, parent })) {
    if (changed.disks.length > 0) await writeRecord(domain, 'set', changed);
    else await removeRecord(domain, 'set', changed.id);
  }
  await faultPoint('delete.recorded');
  if (kept !== null) {
    const why = `it is merged, and no longer recorded, but ${overlay.path} is still there: ${kept}`;
    throw refusal(deletion, 'PERMISSION_DENIED', why, 'done');
  }
}

/** Of a branch that the guest has left nothing is merged: the images go that only it needed, then the record. */
async function dropLeft(deletion: Deletion): Promise<void> {
  const { domain, set, record } = deletion;
  await noteDeleting(deletion, true); // who dies in between leaves a record that says so
  const { sets } = await readJournal(domain);
  const now = sets.find(({ id }) => id === set.id) ?? set;
  const disks = now.disks.filter(({ disk }) => disk !== record.disk);
  const others = sets.map((one) => (one.id === set.id ? { ...one, disks } : one));
  await removeUnneeded(domain, record.disk, neededBy(record), others);
  await faultPoint('delete.file-removed');
  if (disks.length > 0) await writeRecord(domain, 'set', { ...now, disks });
  else await removeRecord(domain, 'set', set.id);
  await faultPoint('delete.recorded');
}

/** A merge that is cancelled or fails leaves a base that holds neither the point in time nor the present, a removal perhaps none. */
async function noteDeleting({ domain, set, record: { disk } }: Deletion, deleting: boolean): Promise<void> {
  const now = (await readJournal(domain)).sets.find(({ id }) => id === set.id);
  if (!now) return;
  const disks = now.disks.map((record) => {
    const state = record.disk === disk ? qemuStateOf(record) : null;
    if (!state) return record;
    const { deleting: _, ...rest } = state;
    return { ...record, state: deleting ? { ...rest, deleting } : rest };
  });
  await writeRecord(domain, 'set', { ...now, disks });
}

/** Removes the layer's file; gives the reason why it had to stay where it should go, or null. */
async function removeFile(deletion: Deletion, overlay: ImageRef, merged: boolean): Promise<string | null> {
  if (overlay.type !== 'file') return null;
  const { connection } = deletion.domain;
  try {
    const strangers = await strangersTo(deletion, [overlay.path], imageUsers(connection));
    // Of a layer that was not ours to merge, such as in records that a cloned domain was given, others may live on.
    if (strangers.length > 0) return merged ? `${strangers.join(', ')} began to use it` : null;
    const images = await imagesFor(connection, overlay.path);
    if (images === null) return 'nobody here may delete it; do it yourself';
    await images.remove(overlay.path).finally(() => images.close());
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** Errors of one disk's turn name the snapshot, and the disks that were done before it. */
async function named<T>(
  { guest, set, record }: Deletion,
  before: readonly string[],
  turn: () => Promise<T>,
): Promise<T> {
  try {
    return await turn();
  } catch (error) {
    const where = { guest, disk: record.disk, snapshot: set.name };
    const told = translate(error, where);
    if (!(told instanceof DiskSnapshotError)) throw told;
    const done = before.length > 0 ? ` (deleted before that: ${before.join(', ')})` : '';
    const { code, message, outcome, cause } = told;
    throw new DiskSnapshotError(code, message + done, { ...where, outcome, cause });
  }
}
