// Snapshots from the records in the domain's metadata, each held against what is really there.
import type { Domain } from '../libvirt';
import type { CallOptions } from '../libvirt/options';
import { invalidType } from './argument';
import { DiskSnapshotError } from './errors';
import { facade } from './facade';
import { type Guest, lookAtGuest } from './guest';
import { type Chain, positionOf } from './images/backing-chain';
import { diskChain } from './images/disk-chain';
import { imagesFor } from './images/images-for';
import { whyLost } from './images/point-in-time';
import { methodOf } from './methods/method-of';
import { journalOf } from './records/journal';
import { type DiskRecord, type ImageRef, qemuStateOf, type SetRecord } from './records/record';
import { setOf } from './result';
import type { DiskSnapshot, DiskSnapshotSet } from './types';

/**
 * All disk snapshots of a domain, oldest first; what diskSnapshotCreate made is a set of one. A snapshot that somebody
 * removed behind our back is listed with `state: 'missing'`, as is one whose method is not known here.
 *
 * @throws DiskSnapshotError NOT_FOUND where the domain is gone; CONNECTION_LOST
 * @example
 * for (const set of await listDiskSnapshots(dom)) console.log(set.name, set.createdAt, set.disks.map((d) => d.state));
 */
export function listDiskSnapshots(dom: Domain, options: CallOptions = {}): Promise<DiskSnapshotSet[]> {
  return facade(dom, options, 'listDiskSnapshots', ({ signal }) => list(dom, signal ? { signal } : {}, () => true));
}

/** The disk snapshot of that name, or null. */
export function findDiskSnapshot(
  dom: Domain,
  name: string,
  options: CallOptions = {},
): Promise<DiskSnapshotSet | null> {
  return facade(dom, options, 'findDiskSnapshot', async ({ signal }) => {
    if (typeof name !== 'string') throw invalidType('name', 'a string', name);
    const [found] = await list(dom, signal ? { signal } : {}, (set) => set.name === name);
    return found ?? null;
  });
}

async function list(
  domain: Domain,
  call: CallOptions,
  isWanted: (set: SetRecord) => boolean,
): Promise<DiskSnapshotSet[]> {
  const guest = await lookAtGuest(domain, call);
  const look = looking(guest, call);
  const found: DiskSnapshotSet[] = [];
  for (const set of journalOf(guest.document).sets.filter(isWanted)) {
    const states = new Map<string, DiskSnapshot['state']>();
    for (const record of set.disks) states.set(record.disk, await look(set, record));
    found.push(setOf(domain, set, states));
  }
  return found;
}

/** Looks at records of one guest; each disk's chain is read once. */
type Look = (set: SetRecord, record: DiskRecord) => Promise<DiskSnapshot['state']>;

function looking(guest: Guest, call: CallOptions): Look {
  const chains = new Map<string, Promise<Chain>>();
  return async (set, record) => {
    const state = qemuStateOf(record);
    if (!state) return (await isKept(guest, set, record, call)) ? 'present' : 'missing';
    const chain = chains.get(record.disk) ?? diskChain(guest, record.disk, call);
    chains.set(record.disk, chain);
    if (whyLost(state, (await chain)[0]?.path) !== null) return 'missing';
    const at = positionOf(await chain, state.base.path);
    if (at > 0) return (await chain)[at]?.missing ? 'missing' : 'present';
    return (await isThere(guest, state.base, call)) ? 'present' : 'missing';
  };
}

/** Asked of the method itself; one that is not known here cannot show its snapshot. */
async function isKept(guest: Guest, set: SetRecord, record: DiskRecord, call: CallOptions): Promise<boolean> {
  try {
    const { method, context } = methodOf(guest, set, record, call);
    return await method.exists(context);
  } catch (error) {
    if (error instanceof DiskSnapshotError) return false;
    throw error;
  }
}

/** For an image on no chain, as after a revert: it is there as long as its file is. */
async function isThere(guest: Guest, { path, format }: ImageRef, call: CallOptions): Promise<boolean> {
  const images = await imagesFor(guest.domain.connection, path, call);
  if (images === null) return false;
  try {
    return (await images.inspect(path, { ...call, format })) !== null;
  } finally {
    await images.close();
  }
}
