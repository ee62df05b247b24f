// What a snapshot would do, and every reason against it. Planning asks much and touches nothing.
import { dirname } from 'node:path';
import type { Domain } from '../libvirt';
import type { CallOptions } from '../libvirt/options';
import type { DomainDisk } from '../xml/domain';
import { checkSnapshotName, defaultName } from './element/name';
import { DiskSnapshotError } from './errors';
import { translate } from './facade';
import { heldFreeze } from './freeze/held-storage';
import { type PreparedFreeze, prepareFreeze } from './freeze/quiesce';
import { type Guest, lookAtGuest, refuseManagedSave, refuseSleeping } from './guest';
import { refuseDeep } from './images/chain-depth';
import type { Images } from './images/image';
import { imagesFor } from './images/images-for';
import { recordedAt } from './images/users';
import { refuseBusy } from './merge/block-job';
import { type Choice, chooseMethod } from './methods/choose';
import { contextOf } from './methods/context';
import type { Method, MethodPlan } from './methods/method';
import { type LayerRequest, planLayer, type QemuLayer } from './methods/qemu-external';
import { journalOf } from './records/journal';
import { type DiskRecord, qemuStateOf } from './records/record';
import { refuseFull } from './records/room';
import { selectDisks } from './select';
import type { Consistency, DiskSelection, Quiesce, QuiescedStorage, SnapshotPlan } from './types';

/** What the caller asked for, after its JavaScript was checked. */
export interface SnapshotRequest {
  disks: DiskSelection;
  name: string | undefined;
  quiesce: Quiesce | QuiescedStorage;
  strict: boolean;
  /** The guest may be paused where one instant needs it. */
  pause: boolean;
}

/** What is done about the guest's file systems, and why. */
export type FreezePlan =
  | { kind: 'own'; prepared: PreparedFreeze }
  | { kind: 'held'; held: QuiescedStorage }
  | { kind: 'none'; because: string };

/** What is done to one disk, and why. All layers are cut together, by QEMU; each other method cuts its own disk. */
export type PlannedCut = { disk: DomainDisk; because: string } & (
  | { kind: 'layer'; layer: QemuLayer }
  | {
      kind: 'method';
      method: Method;
      data: unknown;
      creates: readonly string[];
      bytes: number;
      space: MethodPlan['space'] | null;
    }
);

export interface Plan {
  guest: Guest;
  /** Of the snapshot. */
  name: string;
  cuts: PlannedCut[];
  freeze: FreezePlan;
  /** The guest is paused for the moment of the cuts. */
  pause: boolean;
  /** The same where the freeze is refused and the snapshot goes on. */
  pauseUnfrozen: boolean;
  problems: DiskSnapshotError[];
  /** Lets go of what looking at images needed. */
  close(): Promise<void>;
}

/**
 * Plans a snapshot. Reasons against it are collected, so that a caller hears all of them at once; only what makes
 * planning itself impossible (the domain is gone, the selection is wrong) is thrown.
 */
export async function makePlan(domain: Domain, request: SnapshotRequest, call: CallOptions): Promise<Plan> {
  const folders = new Map<string, Promise<Images | null>>();
  const close = async () => {
    for (const opened of folders.values()) await (await opened.catch(() => null))?.close();
  };
  try {
    return { ...(await plan(domain, request, folders, call)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param folders that were opened, to be closed by the caller */
async function plan(
  domain: Domain,
  request: SnapshotRequest,
  folders: Map<string, Promise<Images | null>>,
  call: CallOptions,
): Promise<Omit<Plan, 'close'>> {
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
  await attempt(undefined, () => refuseFull(guest));

  const images = (path: string) => {
    const folder = dirname(path);
    const known = folders.get(folder) ?? imagesFor(domain.connection, path, call);
    folders.set(folder, known);
    return known;
  };
  const cuts: PlannedCut[] = [];
  for (const { disk, method: asked } of name === '' ? [] : selected) {
    await attempt(disk.target, async () => {
      // A clone would change with the base that a merge writes to.
      if (guest.active) await refuseBusy(domain, disk.target, call, beingDeleted(guest, disk.target));
      const choice = await chooseMethod(guest, disk, asked, { strict: request.strict, mayPause: request.pause }, call);
      const cut =
        choice.kind === 'layer'
          ? await planLayerCut(guest, { domain, document: guest.document, disk, name, imagesFor: images }, choice, call)
          : await planMethodCut(guest, disk, name, choice, problems, call);
      refuseSamePlace(guest, cut, cuts);
      refuseRecordedPlace(guest, cut);
      cuts.push(cut);
    });
  }
  const targets = selected.map(({ disk }) => disk.target);
  const freeze = (await attempt(undefined, () => planFreeze(guest, targets, request.quiesce, call))) ?? {
    kind: 'none',
    because: 'it cannot be frozen',
  };
  const pause = needsPause(guest, cuts, freeze) && request.pause;
  const pauseUnfrozen = needsPause(guest, cuts, { kind: 'none', because: '' }) && request.pause;
  await attempt(undefined, () => refuseUnflushed(guest, cuts, freeze, pause));
  problems.push(...crowded(guest, cuts));
  return { guest, name, cuts, freeze, pause, pauseUnfrozen, problems };
}

/**
 * The same where the freeze was refused and the snapshot goes on without: what the freeze stood for, a pause does.
 *
 * @throws DiskSnapshotError where the caller forbids the pause that a cut cannot do without
 */
export function withoutFreeze(plan: Plan, because: string): Plan {
  const freeze: FreezePlan = { kind: 'none', because };
  refuseUnflushed(plan.guest, plan.cuts, freeze, plan.pauseUnfrozen);
  return { ...plan, freeze, pause: plan.pauseUnfrozen };
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

/** The snapshot whose layer on this disk began to be merged. */
function beingDeleted({ document }: Guest, target: string): string | undefined {
  const isDeleted = (record: DiskRecord) => record.disk === target && qemuStateOf(record)?.deleting === true;
  return journalOf(document).sets.find(({ disks }) => disks.some(isDeleted))?.name;
}

async function planLayerCut(
  guest: Guest,
  request: Omit<LayerRequest, 'method'>,
  { method, because }: Extract<Choice, { kind: 'layer' }>,
  call: CallOptions,
): Promise<PlannedCut> {
  const { disk } = request;
  const layer = await planLayer({ ...request, method }, call);
  await refuseDeep(guest, disk, layer.base, call);
  return { kind: 'layer', disk, because, layer };
}

async function planMethodCut(
  guest: Guest,
  disk: DomainDisk,
  name: string,
  { method, data, because }: Extract<Choice, { kind: 'method' }>,
  problems: DiskSnapshotError[],
  call: CallOptions,
): Promise<PlannedCut> {
  const planned = await method.plan(contextOf(guest, disk, data, name, call.signal));
  for (const { code, message } of planned.problems) {
    problems.push(new DiskSnapshotError(code, message, { guest: guest.name, disk: disk.target }));
  }
  const { creates, bytes, space = null } = planned;
  return { kind: 'method', disk, because, method, data, creates, bytes, space };
}

/** What a cut brings into being: paths, or names in the storage. */
export const creates = (cut: PlannedCut): readonly string[] =>
  cut.kind === 'layer' ? [cut.layer.overlay.path] : cut.creates;

/** Disks that have room each by itself, but not together. */
function crowded(guest: Guest, cuts: readonly PlannedCut[]): DiskSnapshotError[] {
  const shared = new Map<string, { free: number; bytes: number; disks: string[] }>();
  for (const cut of cuts) {
    if (cut.kind !== 'method' || !cut.space || cut.bytes > cut.space.free) continue; // that has been said
    const { where, free } = cut.space;
    const { bytes, disks } = shared.get(where) ?? { bytes: 0, disks: [] };
    shared.set(where, { free, bytes: bytes + cut.bytes, disks: [...disks, cut.disk.target] });
  }
  return [...shared].flatMap(([where, { free, bytes, disks }]) => {
    if (bytes <= free) return [];
    const message =
      `${guest.name}: disks ${disks.join(', ')} need ${bytes} bytes together, and ${where} has ${free} left. ` +
      "Give them less: { method: 'lvm', bytes }; extend it, or take fewer disks at once";
    return [new DiskSnapshotError('NO_SPACE', message, { guest: guest.name, disk: disks.at(-1) })];
  });
}

function refuseSamePlace(guest: Guest, cut: PlannedCut, earlier: readonly PlannedCut[]): void {
  for (const place of creates(cut)) {
    const other = earlier.find((one) => creates(one).includes(place));
    if (!other) continue;
    throw new DiskSnapshotError(
      'INVALID_ARGUMENT',
      `${guest.name}: disks ${other.disk.target} and ${cut.disk.target} would both go to ${place}. ` +
        "Name a place for each, such as { method: 'qemu', source }",
      { guest: guest.name, disk: cut.disk.target },
    );
  }
}

/** A snapshot whose image has gone would be shown as present again, with what it never was. */
function refuseRecordedPlace(guest: Guest, cut: PlannedCut): void {
  const { sets } = journalOf(guest.document);
  for (const place of creates(cut)) {
    const snapshot = recordedAt(place, sets);
    if (snapshot === null) continue;
    throw new DiskSnapshotError(
      'IN_USE',
      `${guest.name}: disk ${cut.disk.target}: ${place} is missing, and snapshot ${snapshot} needs it. ` +
        'Choose another name or place, bring the file back, or delete that snapshot, which forgets it',
      { guest: guest.name, disk: cut.disk.target },
    );
  }
}

/** Every file system on the disks will be frozen: no cut needs anything else. */
function isWholeFreeze(freeze: FreezePlan): boolean {
  return freeze.kind === 'held' || (freeze.kind === 'own' && freeze.prepared.unfreezable.length === 0);
}

/** Cuts that follow each other are one instant only while the guest stands still; and a clone wants QEMU's flush. */
function needsPause(guest: Guest, cuts: readonly PlannedCut[], freeze: FreezePlan): boolean {
  if (!guest.active || guest.paused || isWholeFreeze(freeze)) return false;
  return instants(cuts) > 1 || cuts.some((cut) => cut.kind === 'method' && cut.method.needs === 'frozen');
}

/** How many cuts there are one after the other: all layers are one, and so are methods that cut together. */
function instants(cuts: readonly PlannedCut[]): number {
  return new Set(cuts.map((cut) => (cut.kind === 'layer' ? 'layers' : (cut.method.cutTogether ?? cut)))).size;
}

function refuseUnflushed(guest: Guest, cuts: readonly PlannedCut[], freeze: FreezePlan, pause: boolean): void {
  if (pause || !needsPause(guest, cuts, freeze)) return;
  const unflushed = cuts.find((cut) => cut.kind === 'method' && cut.method.needs === 'frozen');
  if (!unflushed) return;
  throw new DiskSnapshotError(
    'METHOD_UNSUPPORTED',
    `${guest.name}: disk ${unflushed.disk.target}: its method is right only while the guest is frozen or paused, and it ` +
      'will be neither. Leave out pause: false, or ask for a quiesce',
    { guest: guest.name, disk: unflushed.disk.target },
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
export function consistencyOf({ guest, cuts, freeze, pause }: Omit<Plan, 'close' | 'problems'>): Consistency {
  if (isWholeFreeze(freeze)) return 'filesystem';
  const oneInstant = pause || instants(cuts) <= 1 || !guest.active || guest.paused;
  return oneInstant ? 'crash' : 'disk';
}

/** The plan as callers see it. */
export function describePlan(plan: Plan): SnapshotPlan {
  const { cuts, freeze, problems } = plan;
  return {
    ok: problems.length === 0,
    problems: problems.map(({ code, disk, message }) => ({ code, ...(disk === undefined ? {} : { disk }), message })),
    consistency: consistencyOf(plan),
    willFreeze: freeze.kind === 'own',
    willPause: plan.pause,
    disks: cuts.map((cut) => ({
      disk: cut.disk.target,
      method: cut.kind === 'layer' ? 'qemu' : cut.method.method,
      because: cut.because,
      creates: creates(cut),
      bytes: cut.kind === 'layer' ? OVERLAY_BYTES : cut.bytes,
    })),
    steps: stepsOf(plan),
  };
}

function stepsOf({ guest, cuts, freeze, pause }: Plan): SnapshotPlan['steps'] {
  const mountpoints = freeze.kind === 'own' ? freeze.prepared.filesystems.map((one) => one.mountpoint).join(', ') : '';
  const layers = cuts.filter((cut) => cut.kind === 'layer').map(({ disk }) => disk.target);
  const own = <T>(wanted: boolean, step: T): T[] => (wanted ? [step] : []);
  return [
    { phase: 'record', what: `claim ${guest.name} and record the intent in its metadata` },
    ...cuts.map((cut) => ({ phase: 'prepare' as const, disk: cut.disk.target, what: preparationOf(cut) })),
    ...own(freeze.kind === 'own', { phase: 'quiesce' as const, what: `freeze ${mountpoints}` }),
    ...own(pause, { phase: 'pause' as const, what: `pause ${guest.name}` }),
    ...cuts
      .filter((cut) => cut.kind === 'method')
      .map((cut) => ({ phase: 'cut' as const, disk: cut.disk.target, what: `make ${cut.creates.join(', ')}` })),
    ...own(layers.length > 0, { phase: 'cut' as const, what: `switch ${layers.join(', ')} in one transaction` }),
    ...own(pause, { phase: 'resume' as const, what: `resume ${guest.name}` }),
    ...own(freeze.kind === 'own', { phase: 'thaw' as const, what: `thaw ${mountpoints}` }),
    { phase: 'verify', what: 'read the disks back from the domain, and record the snapshot' },
  ];
}

function preparationOf(cut: PlannedCut): string {
  if (cut.kind === 'method') return `prepare ${cut.creates.join(', ')}`;
  const { images, overlay } = cut.layer;
  return images
    ? `make the overlay ${overlay.path} through ${images.through}`
    : `libvirt makes the overlay ${overlay.path} during the cut: nobody else can reach its folder`;
}

/** An empty overlay: header, two tables and a cluster of reference counts. It grows as the guest writes. */
const OVERLAY_BYTES = 4 * 65536;
