// What a snapshot would do, and every reason against it. Planning asks much and touches nothing.
import { dirname } from 'node:path';
import type { Domain } from '../libvirt';
import type { CallOptions } from '../libvirt/options';
import { DiskSnapshotError } from './errors';
import { translate } from './facade';
import { type Guest, lookAtGuest, refuseManagedSave, refuseSleeping } from './guest';
import { heldFreeze } from './held-storage';
import { type Images, imagesFor } from './image';
import { journalOf } from './journal';
import { chooseMethod } from './methods/choose';
import { planLayer, type QemuLayer } from './methods/qemu-external';
import { checkSnapshotName, defaultName } from './name';
import { type PreparedFreeze, prepareFreeze } from './quiesce';
import { selectDisks } from './select';
import type { Consistency, Disks, Quiesce, QuiescedStorage, SnapshotPlan } from './types';

/** What the caller asked for, after its JavaScript was checked. */
export interface SnapshotRequest {
  disks: Disks;
  name: string | undefined;
  quiesce: Quiesce | QuiescedStorage;
  strict: boolean;
}

/** What is done about the guest's file systems, and why. */
export type FreezePlan =
  | { kind: 'own'; prepared: PreparedFreeze }
  | { kind: 'held'; held: QuiescedStorage }
  | { kind: 'none'; because: string };

export interface Plan {
  guest: Guest;
  /** Of the snapshot. */
  name: string;
  layers: { layer: QemuLayer; because: string }[];
  freeze: FreezePlan;
  problems: DiskSnapshotError[];
  /** Lets go of what looking at images needed. */
  close(): Promise<void>;
}

/**
 * Plans a snapshot. Reasons against it are collected, so that a caller hears all of them at once; only what makes
 * planning itself impossible (the domain is gone, the selection is wrong) is thrown.
 */
export async function makePlan(domain: Domain, request: SnapshotRequest, call: CallOptions): Promise<Plan> {
  const guest = await lookAtGuest(domain, call);
  const problems: DiskSnapshotError[] = [];
  const attempt = async <T>(disk: string | undefined, work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      const problem = translate(error, { guest: guest.name, disk });
      if (!(problem instanceof DiskSnapshotError)) throw error;
      problems.push(problem);
      return undefined;
    }
  };

  const name = (await attempt(undefined, () => nameFor(guest, request.name))) ?? '';
  const selected = selectDisks(guest.document, request.disks);
  await attempt(undefined, () => refuseManagedSave(guest, call));

  const folders = new Map<string, Promise<Images | null>>();
  const images = (path: string) => {
    const folder = dirname(path);
    const known = folders.get(folder) ?? imagesFor(domain.connection, path, call);
    folders.set(folder, known);
    return known;
  };
  const layers: Plan['layers'] = [];
  for (const { disk, method: asked } of name === '' ? [] : selected) {
    await attempt(disk.target, async () => {
      const { method, because } = chooseMethod(guest, disk, asked, request.strict);
      const layer = await planLayer({ domain, document: guest.document, disk, method, name, imagesFor: images }, call);
      refuseSamePlace(guest, layer, layers);
      layers.push({ layer, because });
    });
  }
  const targets = selected.map(({ disk }) => disk.target);
  const freeze = (await attempt(undefined, () => planFreeze(guest, targets, request.quiesce, call))) ?? {
    kind: 'none',
    because: 'it cannot be frozen',
  };
  const close = async () => {
    for (const opened of folders.values()) await (await opened.catch(() => null))?.close();
  };
  return { guest, name, layers, freeze, problems, close };
}

function nameFor(guest: Guest, asked: string | undefined): string {
  const taken = new Set(journalOf(guest.document).sets.map((set) => set.name));
  if (asked === undefined) return defaultName(new Date(), taken);
  checkSnapshotName(asked);
  if (!taken.has(asked)) return asked;
  throw new DiskSnapshotError(
    'NAME_EXISTS',
    `${guest.name} has a disk snapshot ${JSON.stringify(asked)} already. Choose another name, leave it out for a time stamp, or delete that one`,
    { guest: guest.name, snapshot: asked },
  );
}

function refuseSamePlace(guest: Guest, layer: QemuLayer, earlier: Plan['layers']): void {
  const other = earlier.find(({ layer: { overlay } }) => overlay.path === layer.overlay.path);
  if (!other) return;
  throw new DiskSnapshotError(
    'INVALID_ARGUMENT',
    `${guest.name}: disks ${other.layer.disk.target} and ${layer.disk.target} would both go on in ${layer.overlay.path}. ` +
      "Name a place for each: { method: 'qemu', source }",
    { guest: guest.name, disk: layer.disk.target },
  );
}

async function planFreeze(
  guest: Guest,
  targets: string[],
  quiesce: Quiesce | QuiescedStorage,
  call: CallOptions,
): Promise<FreezePlan> {
  if (typeof quiesce === 'object') {
    heldFreeze(quiesce, guest.domain, targets); // throws where it does not hold, or not for these disks
    return { kind: 'held', held: quiesce };
  }
  if (quiesce === 'never') return { kind: 'none', because: 'the caller asked for none' };
  try {
    refuseSleeping(guest);
    const prepared = await prepareFreeze(guest.domain, guest.document, targets, call);
    return prepared.filesystems.length > 0
      ? { kind: 'own', prepared }
      : { kind: 'none', because: 'no file system lies on these disks' };
  } catch (error) {
    if (quiesce === 'required' || !(error instanceof DiskSnapshotError)) throw error;
    return { kind: 'none', because: error.message };
  }
}

/** What this plan can prove at best. One transaction of QEMU cuts all its disks at one instant. */
export function consistencyOf(plan: Pick<Plan, 'freeze'>): Consistency {
  const { freeze } = plan;
  if (freeze.kind === 'own') return freeze.prepared.unfreezable.length === 0 ? 'filesystem' : 'crash';
  return freeze.kind === 'held' ? 'filesystem' : 'crash';
}

/** The plan as callers see it. */
export function describePlan(plan: Plan): SnapshotPlan {
  const { guest, freeze, layers } = plan;
  const frozen = freeze.kind === 'own' ? freeze.prepared.filesystems.map(({ mountpoint }) => mountpoint) : [];
  const steps: SnapshotPlan['steps'][number][] = [
    { phase: 'record', what: `claim ${guest.name} and record the intent in its metadata` },
    ...layers.map(({ layer }) => ({
      phase: 'prepare' as const,
      disk: layer.disk.target,
      what: layer.images
        ? `make the overlay ${layer.overlay.path} through ${layer.images.through}`
        : `libvirt makes the overlay ${layer.overlay.path} during the cut: nobody else can reach its folder`,
    })),
    ...(freeze.kind === 'own' ? [{ phase: 'quiesce' as const, what: `freeze ${frozen.join(', ')}` }] : []),
    { phase: 'cut', what: `switch ${layers.map(({ layer }) => layer.disk.target).join(', ')} in one transaction` },
    ...(freeze.kind === 'own' ? [{ phase: 'thaw' as const, what: `thaw ${frozen.join(', ')}` }] : []),
    { phase: 'verify', what: 'read the disks back from the domain, and record the snapshot' },
  ];
  return {
    ok: plan.problems.length === 0,
    problems: plan.problems.map((p) => ({
      code: p.code,
      ...(p.disk === undefined ? {} : { disk: p.disk }),
      message: p.message,
    })),
    consistency: consistencyOf(plan),
    willFreeze: freeze.kind === 'own',
    willPause: false,
    disks: layers.map(({ layer, because }) => ({
      disk: layer.disk.target,
      method: 'qemu',
      because,
      creates: [layer.overlay.path],
      bytes: OVERLAY_BYTES,
    })),
    steps,
  };
}

/** An empty overlay: header, two tables and a cluster of reference counts. It grows as the guest writes. */
const OVERLAY_BYTES = 4 * 65536;
