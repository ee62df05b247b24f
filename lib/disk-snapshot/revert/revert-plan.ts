// What speaks against going back to a snapshot, and what it takes: everything is looked at before anything is touched.
import { DomainXMLFlags } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { type DomainDisk, readDomain } from '../../xml/domain';
import { defaultOverlayPath } from '../element/name';
import { DiskSnapshotError, type DiskSnapshotErrorCode } from '../errors';
import type { Guest } from '../guest';
import { type Chain, chainOfXml, liveChain, positionOf } from '../images/backing-chain';
import { diskChain, imageChain } from '../images/disk-chain';
import { imagesFor } from '../images/images-for';
import { imageInside, snapshotsInside } from '../images/inside';
import { whyLost } from '../images/point-in-time';
import { recordedAt } from '../images/users';
import { refuseBusy } from '../merge/block-job';
import { methodOf } from '../methods/method-of';
import { type DiskRecord, type ImageRef, type QemuState, qemuStateOf, type SetRecord } from '../records/record';

/** A disk that goes on in a new layer over its point in time. */
export interface NewLayer {
  record: DiskRecord;
  /** With the new overlay, and the images that the disk rests on now. */
  state: QemuState & { previous: string[] };
  virtualSize: number;
}
export interface RevertPlan {
  set: SetRecord;
  layers: NewLayer[];
  /** Disks whose method brings them back itself. */
  others: DiskRecord[];
}

/** @throws DiskSnapshotError with the reason against it; nothing was touched */
export async function planRevert(
  guest: Guest,
  set: SetRecord,
  sets: readonly SetRecord[],
  targets: readonly string[] | null,
  force: boolean,
  call: CallOptions,
): Promise<RevertPlan> {
  const refuse = (code: DiskSnapshotErrorCode, why: string, disk?: string) =>
    new DiskSnapshotError(code, `${guest.name}: snapshot ${set.name}${disk ? ` of disk ${disk}` : ''}: ${why}`, {
      guest: guest.name,
      disk,
      snapshot: set.name,
    });
  if (!(await guest.domain.isPersistent(call))) {
    throw refuse('METHOD_UNSUPPORTED', 'the domain is transient: it has no definition that could name other disks');
  }
  if (guest.active && !force) {
    throw refuse('GUEST_ACTIVE', 'the guest runs. Shut it down, or let it be stopped and started: { force: true }');
  }
  const defined = readDomain(await guest.domain.getXMLDesc({ ...call, flags: [DomainXMLFlags.INACTIVE] }));
  const plan: RevertPlan = { set, layers: [], others: [] };
  /** By another disk, whose layers have the same stem, or by a snapshot that would take the layer for its own, which is missing. */
  const isSpokenFor = (path: string) =>
    plan.layers.some(({ state }) => state.overlay.path === path) || recordedAt(path, sets) !== null;
  for (const record of set.disks.filter(({ disk }) => targets === null || targets.includes(disk))) {
    const { disk } = record;
    const now = defined.disks.find(({ target }) => target === disk);
    if (!now) throw refuse('DISK_NOT_FOUND', 'the guest has no such disk any more. Attach it again first', disk);
    if (guest.active) await refuseBusy(guest.domain, disk);
    const state = qemuStateOf(record);
    if (!state) {
      const { method, context } = methodOf(guest, set, record, call);
      if (!(await method.exists(context))) throw refuse('NOT_FOUND', 'it is not there any more', disk);
      await method.checkRevert?.(context);
      plan.others.push(record);
      continue;
    }
    const live = guest.document.disks.find(({ target }) => target === disk);
    const chain = guest.active && live ? await liveChain(guest.domain, live, call) : await diskChain(guest, disk, call);
    const previous = [...chain, ...chainOfXml(now)].flatMap(({ path }) => path ?? []);
    const lost = whyLost(state, chain[0]?.path);
    if (lost !== null) throw refuse('NOT_FOUND', lost, disk);
    const unrecorded = await unrecordedInside(guest, now, chain, state.base, sets, call);
    if (unrecorded !== null) throw refuse('IN_USE', unrecorded, disk);
    plan.layers.push({
      record,
      state: {
        mode: 'external',
        overlay: await freeOverlay(guest, set, state, isSpokenFor, call),
        base: state.base,
        previous,
      },
      virtualSize: record.virtualSize,
    });
  }
  return plan;
}

/**
 * Snapshots inside an image that the disk would leave. Those that are recorded keep it, and what it rests on; of others nobody
 * would know, and the next merge below would spoil them.
 */
async function unrecordedInside(
  guest: Guest,
  disk: DomainDisk,
  chain: Chain,
  base: ImageRef,
  sets: readonly SetRecord[],
  call: CallOptions,
): Promise<string | null> {
  const kept = await imageChain(guest.domain.connection, base, call);
  for (const { path, format, internalSnapshots, missing } of chain) {
    if (path === null || format !== 'qcow2' || missing || positionOf(kept, path) >= 0) continue;
    const recorded = sets.flatMap(({ disks }) => disks).filter((record) => imageInside(record) === path);
    const names = (internalSnapshots ?? (await snapshotsInside(guest, disk, path))).filter(
      (name) => !recorded.some(({ internalSnapshot }) => internalSnapshot === name),
    );
    if (names.length === 0) continue;
    return (
      `the guest would leave ${path}, inside which lie snapshots that are not recorded here (${names.join(', ')}). ` +
      'Delete them first (virsh snapshot-delete, or qemu-img snapshot -d while the guest is off)'
    );
  }
  return null;
}

/** A place for the new layer beside the old one, under a name that tells what it is. */
async function freeOverlay(
  guest: Guest,
  set: SetRecord,
  { base, overlay }: QemuState,
  isSpokenFor: (path: string) => boolean,
  call: CallOptions,
): Promise<ImageRef> {
  const where = { guest: guest.name, snapshot: set.name };
  const images = await imagesFor(guest.domain.connection, overlay.path, call);
  if (images === null) {
    const message = `${guest.name}: nobody here may make a file beside ${overlay.path}. Work as a user who may, or make a storage pool of that folder`;
    throw new DiskSnapshotError('PERMISSION_DENIED', message, where);
  }
  try {
    if (base.type === 'file' && (await inspectBase()) === null) {
      throw new DiskSnapshotError(
        'NOT_FOUND',
        `${guest.name}: ${base.path}, which holds snapshot ${set.name}, is gone`,
        where,
      );
    }
    for (let n = 1; ; n++) {
      const path = defaultOverlayPath(overlay.path, `${set.name}-revert${n}`);
      if (isSpokenFor(path)) continue;
      if ((await images.inspect(path, call).catch(() => true)) === null) return { type: 'file', path, format: 'qcow2' };
    }
  } finally {
    await images.close();
  }

  async function inspectBase() {
    const below = await imagesFor(guest.domain.connection, base.path, call);
    if (below === null) return null;
    return below.inspect(base.path, { ...call, format: base.format }).finally(() => below.close());
  }
}
