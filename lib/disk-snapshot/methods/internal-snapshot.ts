// Snapshots that QEMU makes inside an image: of a qcow2 by its own tables, of an RBD image by its cluster. On the guest's own
// QEMU, and on a helper's for a guest that is off; the steps are the same, and need no other access to the storage.
import { type Domain, LibvirtError } from '../../libvirt';
import { type DomainDisk, type Image, readDisk } from '../../xml/disk';
import { DiskSnapshotError } from '../errors';
import { lookAtGuest } from '../guest';
import { type BlockDevice, deviceOf, diskOf, type QemuImage } from '../images/backing-chain';
import { qmp } from '../images/qmp';
import { findHelper, HELPER_DISK, lookThroughHelper, withHelper } from '../merge/helper-domain';
import type { MethodContext, MethodDisk } from '../types';
import type { CutContext, CutTogether } from './method';
import { refusal } from './refusal';

export interface InternalState {
  /** The image that holds the snapshot. */
  image: string;
  snapshot: string;
  /** Bytes that the guest sees. */
  virtualSize: number;
  /** By which commands address the disk of a guest that runs, from its preparation to its cut. */
  node?: string;
  /** Somebody made a snapshot of that name at the last moment: it is not ours to take back. */
  isForeign?: true;
}

type Context = Pick<MethodContext<unknown>, 'domain' | 'disk' | 'active' | 'signal'>;

/** What a disk of a running QEMU writes to. */
export interface DiskNode {
  /** By which commands address it. */
  name: string;
  driver: string;
  virtualSize: number;
  /** Names of the snapshots inside. */
  snapshots: readonly string[];
}

/** A daemon that has not answered by then is hung. */
const LIMIT_MS = 60_000;

/** What holds the disk's data, in the words of its XML: a path, or a name in the storage. */
export function imageOf({ sourcePath, network, volume }: Image): string {
  return sourcePath ?? network?.name ?? (volume ? `${volume.pool}/${volume.name}` : '');
}

/**
 * Runs `work` on the QEMU that has the disk open: the guest's own, or one that holds `disk` for a guest that is off.
 *
 * @param how `'look'`: nothing is changed, and nobody else who works on the disk is disturbed
 */
export async function withQemu<T>(
  c: Context,
  work: (qemu: Domain, disk: DomainDisk) => Promise<T>,
  { disk = readDisk(c.disk.xml), how = 'work' }: { disk?: DomainDisk; how?: 'look' | 'work' } = {},
): Promise<T> {
  if (c.active) return work(c.domain, disk);
  const guest = await lookAtGuest(c.domain, { signal: c.signal });
  const run = how === 'look' ? lookThroughHelper : withHelper;
  const workOn = async (helper: Domain) => work(helper, (await diskOf(helper, HELPER_DISK)) ?? disk);
  let isOpen = false;
  try {
    return await run(guest.document, disk, c.domain, async (helper) => {
      isOpen = true;
      return workOn(helper);
    });
  } catch (error) {
    if (isOpen || !(error instanceof LibvirtError)) throw error;
    // Somebody's helper is at work and has the image locked: it knows what we ask as well.
    const theirs = how === 'look' ? await findHelper(guest.document, disk, c.domain) : null;
    if (theirs) return workOn(theirs);
    const code = /No such file/i.test(error.message) ? 'NOT_FOUND' : 'OPERATION_FAILED';
    throw refusal(c, code, `QEMU cannot open ${imageOf(disk)}: ${error.message}`, error);
  }
}

/** @throws DiskSnapshotError OPERATION_FAILED where QEMU does not know the disk */
export async function nodeOf(qemu: Domain, disk: DomainDisk): Promise<DiskNode> {
  const devices = await qmp<BlockDevice[]>(qemu, 'query-block', {}, { timeoutMs: LIMIT_MS });
  const inserted = deviceOf(devices, disk.alias)?.inserted;
  const name = inserted?.['node-name'];
  if (!inserted || !name)
    throw refusal({ domain: qemu, disk }, 'OPERATION_FAILED', 'QEMU does not show it in query-block');
  const image: QemuImage = inserted.image;
  const snapshots = (image.snapshots ?? []).map((snapshot) => snapshot.name);
  return { name, driver: inserted.drv ?? '', virtualSize: image['virtual-size'], snapshots };
}

/** Whether the disk still writes to the image that holds the snapshot. */
export const isOnImage = (disk: MethodDisk, state: InternalState) => imageOf(readDisk(disk.xml)) === state.image;

export function refuseOtherImage(c: Context, { image, snapshot }: InternalState): void {
  const now = imageOf(readDisk(c.disk.xml));
  if (now === image) return;
  const why = `the snapshot ${snapshot} lies in ${image}, and the disk writes to ${now} now. Delete what lies above it first, or put the image back`;
  throw refusal(c, 'IN_USE', why);
}

/** One transaction of QEMU: each image is quiet from its own snapshot until the last, so that together they are one instant. */
export const snapshotTogether: CutTogether = async (cuts) => {
  const [first] = cuts;
  if (!first) return;
  // The guest stands still: QEMU would look into every image, and into the cluster, to tell again what the nodes are called.
  if (first.active) return snapshotAll(first.domain, cuts.map(prepared));
  for (const c of cuts) {
    await withQemu(c, async (helper, disk) => {
      const state = c.state as InternalState;
      await snapshotAll(helper, [{ c, state, node: (await nodeOf(helper, disk)).name }]);
    });
  }
};

interface ReadyCut {
  c: CutContext;
  state: InternalState;
  node: string;
}

function prepared(c: CutContext): ReadyCut {
  const state = c.state as InternalState;
  if (state.node === undefined) throw new Error(`${c.disk.target} was not prepared`);
  return { c, state, node: state.node };
}

async function snapshotAll(qemu: Domain, cuts: readonly ReadyCut[]): Promise<void> {
  const actions = cuts.map(({ state, node }) => {
    return { type: 'blockdev-snapshot-internal-sync', data: { device: node, name: state.snapshot } };
  });
  await qmp(qemu, 'transaction', { actions }, { timeoutMs: LIMIT_MS }).catch((error: unknown) => {
    if (error instanceof DiskSnapshotError) throw nameTaken(cuts, error) ?? error;
    if (error instanceof LibvirtError) throw error;
    // QEMU may still be at it: nothing is taken back before it has answered.
    const guest = qemu.getName();
    const message = `${guest}: QEMU has not answered its snapshot transaction. Call recoverDiskSnapshots(domain) when it does`;
    throw new DiskSnapshotError('RECOVERY_NEEDED', message, { guest, outcome: 'unknown', cause: error });
  });
}

/** Since it was prepared, somebody has made a snapshot of that name, which stays theirs. */
function nameTaken(cuts: readonly ReadyCut[], { message }: DiskSnapshotError): DiskSnapshotError | undefined {
  const taken = cuts.find(({ node }) => message.includes(`already exists on device '${node}'`));
  if (!taken) return undefined;
  const { c, state } = taken;
  state.isForeign = true;
  const why = `somebody has just made a snapshot ${state.snapshot} in ${state.image}. Choose another name`;
  return refusal(c, 'NAME_EXISTS', why);
}

/** Deletes by name, and looks whether it has gone. One that is not there is success. */
export async function deleteSnapshot(c: Context, state: InternalState): Promise<void> {
  if (state.isForeign) return;
  refuseOtherImage(c, state);
  await withQemu(c, async (qemu, disk) => {
    const node = await nodeOf(qemu, disk);
    if (!node.snapshots.includes(state.snapshot)) return;
    const args = { device: node.name, name: state.snapshot };
    await qmp(qemu, 'blockdev-snapshot-delete-internal-sync', args, { timeoutMs: LIMIT_MS }).catch((error: unknown) => {
      if (!(error instanceof DiskSnapshotError) || !/busy/i.test(error.message)) throw error;
      throw refusal(
        c,
        'IN_USE',
        `the snapshot ${state.snapshot} of ${state.image} is protected, as one with clones is`,
        error,
      );
    });
    if (!(await nodeOf(qemu, disk)).snapshots.includes(state.snapshot)) return;
    throw refusal(
      c,
      'OPERATION_FAILED',
      `the snapshot ${state.snapshot} of ${state.image} is still there after its deletion`,
    );
  });
}
