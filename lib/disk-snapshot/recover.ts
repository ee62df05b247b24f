// After a crash: every intent that nobody works on any more is finished or undone. What a running guest uses is asked of
// QEMU, not of the XML, which a daemon that died between the cut and its own bookkeeping leaves behind the truth.
import { dirname, isAbsolute } from 'node:path';
import { type Domain, DomainPausedReason, DomainState, DomainXMLFlags } from '../libvirt';
import type { CallOptions } from '../libvirt/options';
import { pathSource } from '../xml/disk';
import { formatXml } from '../xml/document';
import { type DomainDisk, readDomain } from '../xml/domain';
import { facade } from './facade';
import { unquiesceStorage } from './freeze/quiesce';
import { type Guest, lookAtGuest, refuseManagedSave } from './guest';
import { diskChain } from './images/disk-chain';
import { imagesFor } from './images/images-for';
import { endTemporaryPool } from './images/pool-images';
import { startFromOverlays } from './merge/definition';
import { finishMerged } from './merge/delete';
import { endLeftHelper } from './merge/helper-domain';
import { keptBy } from './methods/cut';
import { methodOf } from './methods/method-of';
import { tell } from './progress';
import { removeLeftSocketFolders } from './read/socket-folder';
import { withClaim } from './records/claim';
import { journalOf, removeRecord, writeRecord } from './records/journal';
import {
  type DiskRecord,
  type IntentRecord,
  type MethodState,
  type QemuState,
  qemuStateOf,
  type SetRecord,
} from './records/record';
import { discard, inspectOverlay, isOfThisBoot, undecided } from './recover/discard';
import { commitBack } from './recover/qemu-ahead';
import { hasRested, holdsData } from './recover/ran-on';
import { settleRevert } from './recover/revert';
import type { OperationOptions, Recovery } from './types';

/**
 * Finishes or undoes what a process that died had begun on this domain, and thaws the guest that it left frozen. Safe to
 * call at any time, by any host: where there is nothing to do, nothing is done.
 *
 * @throws DiskSnapshotError OPERATION_IN_PROGRESS where a living owner is at work; RECOVERY_NEEDED where a person has to
 * decide, with the facts
 * @example
 * const { finished, undone } = await recoverDiskSnapshots(dom);
 */
export function recoverDiskSnapshots(dom: Domain, options: OperationOptions = {}): Promise<Recovery> {
  return facade(dom, options, 'recoverDiskSnapshots', ({ signal, onProgress }) => {
    const call = signal ? { signal } : {};
    return withClaim(dom, 'recover', call, async () => {
      const recovery: Recovery = { finished: [], undone: [], thawed: false, resumed: false };
      // A daemon that has just come back calls active what it was only starting when it died, until it gives it up; but it has the
      // domain for itself until then, and the claim was written after that.
      const guest = await lookAtGuest(dom, call);
      if (!guest.active) await endHelpers(guest);
      const { intents, sets } = journalOf(guest.document);
      await dropHalfWritten(guest, call);
      // First, since the guest waits; a paused one has no agent.
      recovery.resumed = await resume(guest, intents, call);
      recovery.thawed = await thaw(guest, intents, call);
      await endPools(guest, intents, call);
      for (const intent of intents) {
        tell(onProgress, { phase: 'clean', done: 0, total: 0 });
        const isRecorded = !intent.revert && sets.some(({ id }) => id === intent.id);
        // Its process died when all was done but this.
        if (isRecorded) await removeRecord(dom, 'intent', intent.id, call);
        recovery[isRecorded ? 'finished' : await settle(guest, intent, call)].push(intent.set.name);
      }
      recovery.finished.push(...(await finishMerged(dom, call)));
      await removeLeftSocketFolders();
      return recovery;
    });
  });
}

/**
 * A daemon that died between its two copies of a record has left it in the definition alone, for the guest's next start to bring
 * back: of an intent, what it tells of was not begun yet, or is over.
 */
async function dropHalfWritten({ domain, document, active }: Guest, call: CallOptions): Promise<void> {
  if (!active || !(await domain.isPersistent(call))) return;
  const defined = journalOf(readDomain(await domain.getXMLDesc({ ...call, flags: DomainXMLFlags.INACTIVE })));
  const live = new Set(journalOf(document).intents.map(({ id }) => id));
  for (const { id } of defined.intents) if (!live.has(id)) await removeRecord(domain, 'intent', id, call);
}

/** A domain that merged a disk of this guest while it was off keeps the image locked when its owner has died. */
async function endHelpers(guest: Guest): Promise<void> {
  for (const disk of guest.document.disks) await endLeftHelper(guest.document, disk, guest.domain);
}

/**
 * An operation has the pools of its images' folders open to its end, after its intent has gone too; on another host nobody else
 * would end them.
 */
async function endPools(guest: Guest, intents: readonly IntentRecord[], call: CallOptions): Promise<void> {
  const layers = intents.flatMap(({ disks }) => disks.flatMap((planned) => qemuStateOf(planned)?.overlay.path ?? []));
  const sources = guest.document.disks.flatMap(({ sourcePath }) => sourcePath ?? []);
  for (const folder of new Set([...layers, ...sources].filter(isAbsolute).map((path) => dirname(path)))) {
    await endTemporaryPool(guest.domain.connection, folder, call);
  }
}

/** Only a pause that an intent of this very boot speaks of, and no other reason, can be the dead owner's. */
async function resume(guest: Guest, intents: readonly IntentRecord[], call: CallOptions): Promise<boolean> {
  const ours = intents.some((intent) => intent.willPause && isOfThisBoot(guest, intent));
  const { state, reason } = await guest.domain.getState(call);
  if (!ours || state !== DomainState.PAUSED || reason !== DomainPausedReason.USER) return false;
  try {
    await guest.domain.resume(call);
    return true;
  } catch (error) {
    // The guard of the dead owner may come first: the state decides.
    if ((await guest.domain.getState(call)).state === DomainState.PAUSED) throw error;
    return false;
  }
}

/** Only a freeze that an intent of this very boot speaks of can be the dead owner's. */
async function thaw(guest: Guest, intents: readonly IntentRecord[], call: CallOptions): Promise<boolean> {
  const ours = intents.some((intent) => intent.willFreeze && isOfThisBoot(guest, intent));
  const { state } = await guest.domain.getState(call);
  if (!ours || state !== DomainState.RUNNING) return false;
  return (await unquiesceStorage(guest.domain, call)).thawed > 0;
}

interface Found {
  disk: string;
  /** Whether libvirt's own document names the overlay. */
  isKnown: boolean;
  state: QemuState;
  virtualSize: number;
  on: 'base' | 'overlay' | 'other';
}

async function settle(guest: Guest, intent: IntentRecord, call: CallOptions): Promise<'finished' | 'undone'> {
  if (intent.revert) return settleRevert(guest, intent, call);
  const found: Found[] = [];
  const byMethod = intent.disks.filter((planned) => qemuStateOf(planned) === null);
  const methods = byMethod.map((planned) => ({ planned, ...methodOf(guest, intent.set, planned) }));
  for (const planned of intent.disks)
    if (!byMethod.includes(planned)) found.push(await locate(guest, intent, planned, call));
  const switched = found.filter(({ on }) => on === 'overlay');
  const known = switched.filter(({ isKnown }) => isKnown);
  if (known.length > 0 && known.length < found.length) {
    throw undecided(guest, intent, 'libvirt knows only of some of its disks that they have switched');
  }
  if (found.some(({ on }) => on === 'other') && switched.length > 0) {
    throw undecided(guest, intent, 'only some of its disks have switched');
  }
  // Those that QEMU alone has switched, or what an earlier recovery, which came to grief, has left of them.
  if (known.length === 0) {
    for (const { disk, state } of switched) await commitBack(guest.domain, diskNamed(guest, intent, disk), state, call);
  }
  // QEMU's transaction came last: where it took place, all other cuts had.
  const ranOn = switched.length === 0 && (await ranOnInOverlays(guest, intent, found, call));
  if (ranOn || known.length > 0) {
    const set = setFrom(ranOn ? await lookAtGuest(guest.domain, call) : guest, intent, found);
    for (const { planned, method, context } of methods) {
      set.disks.push({ ...(await keptBy(method, context)), state: planned.state });
    }
    await writeRecord(guest.domain, 'set', set, call);
    await removeRecord(guest.domain, 'intent', intent.id, call);
    return 'finished';
  }
  for (const { planned, method, context } of methods) {
    if ((planned.state as MethodState).state !== null) await method.undo(context);
  }
  for (const { disk, state } of found) await discard(guest, intent, disk, state, call);
  await removeRecord(guest.domain, 'intent', intent.id, call);
  return 'undone';
}

async function locate(
  guest: Guest,
  intent: IntentRecord,
  { disk, method, state, virtualSize }: IntentRecord['disks'][number],
  call: CallOptions,
): Promise<Found> {
  const layer = qemuStateOf({ method, state });
  if (!layer) throw undecided(guest, intent, `disk ${disk} is of method ${method}, which is not known here`);
  const active = (await diskChain(guest, disk, call))[0]?.path ?? null;
  const written = guest.document.disks.find(({ target }) => target === disk)?.sourcePath ?? null;
  const isAhead = active === layer.overlay.path && written === layer.base.path;
  if (active !== written && !isAhead) {
    throw undecided(guest, intent, `QEMU writes disk ${disk} to ${active}, but its XML says ${written}`);
  }
  const on = active === layer.overlay.path ? 'overlay' : active === layer.base.path ? 'base' : 'other';
  return { disk, state: layer, virtualSize, on, isKnown: !isAhead };
}

function setFrom(guest: Guest, intent: IntentRecord, found: readonly Found[]): SetRecord {
  const { disks } = guest.document;
  return {
    ...intent.set,
    evidence: [{ fact: 'its process died after the cut; finished by recovery', from: 'the intent, and QEMU' }],
    disks: found.map(({ disk, state, virtualSize }): DiskRecord => {
      const now = disks.find(({ target }) => target === disk);
      return {
        disk,
        method: 'qemu',
        backupSource: formatXml(pathSource(state.base.type, state.base.path)),
        internalSnapshot: null,
        format: state.base.format,
        virtualSize,
        modifiedDisk: now?.xml ?? null,
        backingChain: (now?.backingChain.slice(1) ?? []).map(({ sourcePath, format }) => ({
          source: sourcePath ?? '',
          format: format ?? 'raw',
        })),
        state,
      };
    }),
  };
}

function diskNamed(guest: Guest, intent: IntentRecord, target: string): DomainDisk {
  const disk = guest.document.disks.find((one) => one.target === target);
  if (disk) return disk;
  throw undecided(guest, intent, `it has no disk ${target} any more`);
}

/** Whether the guest, which is off now, wrote to the overlays without libvirt's knowledge; it will start from them then. */
async function ranOnInOverlays(
  guest: Guest,
  intent: IntentRecord,
  found: readonly Found[],
  call: CallOptions,
): Promise<boolean> {
  if (guest.active || !intent.active || found.some(({ on }) => on !== 'base')) return false;
  let isWritten = false;
  for (const { state } of found) {
    const images = await imagesFor(guest.domain.connection, state.overlay.path, call);
    const info = images && (await inspectOverlay(images, state.overlay, call).finally(() => images.close()));
    if (info?.format !== 'qcow2' || info.backing?.path !== state.base.path) return false;
    isWritten ||= holdsData(info);
  }
  if (!isWritten) return false;
  for (const { disk, state } of found) {
    if (await hasRested(guest, state)) continue;
    throw undecided(guest, intent, `the overlay ${state.overlay.path} of disk ${disk} holds data of the guest`);
  }
  await refuseManagedSave(guest, call);
  await startFromOverlays(
    guest.domain,
    found.map(({ disk, state }) => ({ disk, overlay: state.overlay })),
  );
  return true;
}
