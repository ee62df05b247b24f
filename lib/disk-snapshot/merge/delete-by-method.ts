// Deleting snapshots, each by its own method. Of every method but `qemu` it removes its own point in time, and the guest is
// not concerned; layers are merged (delete.ts).
import type { Domain } from '../../libvirt';
import { invalidType, outOfRange } from '../argument';
import { faultPoint } from '../fault-point';
import { type Guest, lookAtGuest } from '../guest';
import { removeAfter } from '../images/branches';
import { methodOf } from '../methods/method-of';
import { type Claim, withClaim } from '../records/claim';
import { readJournal, removeRecord, writeRecord } from '../records/journal';
import { type DiskRecord, qemuStateOf, type SetRecord } from '../records/record';
import type { DeleteOptions } from '../types';
import { deleteLayers, planLayers } from './delete';

/** Deletes the snapshots of a set, each by its own method: all, or those of the given targets. Done twice is success. */
export async function deleteSnapshots(
  domain: Domain,
  setId: string,
  targets: readonly string[] | null,
  options: DeleteOptions,
): Promise<void> {
  checkBandwidth(options.bandwidth);
  const call = options.signal ? { signal: options.signal } : {};
  await withClaim(domain, 'delete', call, (claim) => deleteClaimed(domain, claim, setId, targets, options));
}

/** The same by whoever has the claim on the domain. */
export async function deleteClaimed(
  domain: Domain,
  claim: Claim,
  setId: string,
  targets: readonly string[] | null,
  options: DeleteOptions,
): Promise<void> {
  const call = options.signal ? { signal: options.signal } : {};
  const ofMethods = (set: SetRecord | undefined): DiskRecord[] =>
    (set?.disks ?? []).filter((r) => qemuStateOf(r) === null && (targets === null || targets.includes(r.disk)));
  const find = async () => (await readJournal(domain, call)).sets.find(({ id }) => id === setId);
  // All of them are looked at, and the layers, before the first is deleted.
  const first = await find();
  const guest = await lookAtGuest(domain, call);
  for (const record of ofMethods(first)) if (first) methodOf(guest, first, record);
  const layers = await planLayers(domain, setId, targets, options.signal);
  for (let set = await find(); set; set = await find()) {
    const [record] = ofMethods(set);
    if (!record) break;
    options.signal?.throwIfAborted();
    claim.check();
    await deleteOne(guest, set, record, options);
  }
  await deleteLayers(layers, claim, options);
}

/** In MiB/s; what the C function's type holds on every machine. */
const MOST_BANDWIDTH = 2 ** 32 - 1;

function checkBandwidth(bandwidth: unknown): void {
  if (bandwidth === undefined) return;
  if (typeof bandwidth !== 'number') throw invalidType('options.bandwidth', 'a number of MiB/s', bandwidth);
  if (Number.isInteger(bandwidth) && bandwidth >= 0 && bandwidth <= MOST_BANDWIDTH) return;
  throw outOfRange('options.bandwidth', `an integer from 0 (unlimited) to ${MOST_BANDWIDTH}`, bandwidth);
}

async function deleteOne(guest: Guest, set: SetRecord, record: DiskRecord, options: DeleteOptions): Promise<void> {
  const { method, context } = methodOf(guest, set, record, options);
  await method.delete(context);
  await faultPoint('delete.method-done');
  const disks = set.disks.filter((one) => one !== record);
  const { sets } = await readJournal(guest.domain);
  await removeAfter(
    guest.domain,
    record,
    sets.map((one) => (one.id === set.id ? { ...one, disks } : one)),
  );
  if (disks.length > 0) await writeRecord(guest.domain, 'set', { ...set, disks });
  else await removeRecord(guest.domain, 'set', set.id);
}
