// Back to a snapshot, all its disks or none: the state machine.
//
//   RevertPlan → recorded → layers made → guest off → methods' disks → defined → records and files → guest on
//
// Layers are made first, for they can be taken back. Then the methods bring back their disks, which cannot; and one
// definition names all layers. From the first of these on, whoever finds the intent finishes it: each step may be done twice.
import { randomUUID } from 'node:crypto';
import { type Domain, DomainCreateFlags, DomainState } from '../../libvirt';
import { onAbort } from '../../libvirt/on-abort';
import type { CallOptions } from '../../libvirt/options';
import { invalidType } from '../argument';
import { DiskSnapshotError, messageOf } from '../errors';
import { facade, isLostConnection, translate } from '../facade';
import { faultPoint } from '../fault-point';
import { type Guest, lookAtGuest, refuseManagedSave } from '../guest';
import { relinked, removeUnneeded } from '../images/branches';
import { diskChain, imageChain } from '../images/disk-chain';
import { imagesFor } from '../images/images-for';
import { startFromOverlays } from '../merge/definition';
import { methodOf } from '../methods/method-of';
import { tell } from '../progress';
import { type Claim, withClaim } from '../records/claim';
import { readJournal, removeRecord, writeIntent, writeRecord } from '../records/journal';
import { type IntentRecord, type QemuState, qemuStateOf, type Restart, type RevertStage } from '../records/record';
import type { RevertOptions } from '../types';
import { UndoLog } from '../undo';
import { planRevert, type RevertPlan } from './revert-plan';

/**
 * Brings disks back to a snapshot of the set: all, or those of the given targets. Can be done any number of times; the
 * snapshot stays. What the guest wrote since, and no other snapshot holds, is gone.
 *
 * @throws DiskSnapshotError before anything is touched: NOT_FOUND, GUEST_ACTIVE (running without `force`, or saved without
 * `discardManagedSave`), DISK_BUSY, DISK_NOT_FOUND, METHOD_UNKNOWN, METHOD_UNSUPPORTED, OPERATION_IN_PROGRESS; later with
 * the outcome: 'undone', or 'unknown', and recoverDiskSnapshots finishes it
 */
export function revertSnapshots(
  domain: Domain,
  setId: string,
  targets: readonly string[] | null,
  options: RevertOptions,
): Promise<void> {
  return facade(domain, options, 'revert', ({ signal, force = false, discardManagedSave = false, onProgress }) => {
    if (typeof force !== 'boolean') throw invalidType('options.force', 'a boolean', force);
    if (typeof discardManagedSave !== 'boolean') {
      throw invalidType('options.discardManagedSave', 'a boolean', discardManagedSave);
    }
    const call = signal ? { signal } : {};
    return withClaim(domain, 'revert', call, async (claim) => {
      tell(onProgress, { phase: 'plan', done: 0, total: 0 });
      const guest = await lookAtGuest(domain, call);
      const { sets } = await readJournal(domain, call);
      const set = sets.find(({ id }) => id === setId);
      if (!set) {
        throw new DiskSnapshotError('NOT_FOUND', `${guest.name}: that snapshot has been deleted`, {
          guest: guest.name,
        });
      }
      if (!discardManagedSave) await refuseManagedSave(guest, call);
      const plan = await planRevert(guest, set, sets, targets, force, call);
      const { state } = await domain.getState(call);
      const restart = guest.active && (state === DomainState.PAUSED ? 'paused' : 'running');
      await run(domain, plan, { force, discardManagedSave, onProgress, restart, claim }, call);
    });
  });
}

/** What is left to do after the call has failed does not wait longer than that for a host that hangs. */
const CALL = { timeoutMs: 30_000 };

interface Options {
  force: boolean;
  discardManagedSave: boolean;
  /** How the guest was before, if it was not off: as it is to be again. */
  restart: Restart;
  claim: Claim;
  onProgress: RevertOptions['onProgress'];
}

async function run(domain: Domain, plan: RevertPlan, options: Options, call: CallOptions): Promise<void> {
  const { set, layers, others } = plan;
  const undo = new UndoLog();
  const guest = domain.getName(); // a connection that has ended gives none any more
  const id = randomUUID();
  const { disks: _, ...head } = set;
  const intent: IntentRecord = {
    version: 1,
    id,
    claim: options.claim.id,
    active: options.restart !== false,
    domainId: null,
    revert: { setId: set.id, stage: 'planned', restart: options.restart },
    willFreeze: false,
    willPause: false,
    set: head,
    disks: [
      ...layers.map(({ record, state, virtualSize }) => ({ disk: record.disk, method: 'qemu', state, virtualSize })),
      ...others.map(({ disk, method, state, virtualSize }) => ({ disk, method, state, virtualSize })),
    ],
  };
  try {
    undo.note('the intent in the metadata', (limit) => removeRecord(domain, 'intent', id, limit), {
      onlyAfterAll: true,
    });
    await writeIntent(domain, intent, call);
    await faultPoint('revert.recorded');
    undo.note('the guest, which ran', (limit) => startAgain(domain, options.restart, limit));
    for (const layer of layers) {
      call.signal?.throwIfAborted();
      tell(options.onProgress, { phase: 'prepare', disk: layer.record.disk, done: 0, total: 0 });
      await makeLayer(domain, layer.state, layer.virtualSize, undo, call);
    }
    await faultPoint('revert.layer-made');
    call.signal?.throwIfAborted();
    options.claim.check();
    await turnOff(domain, set.name, options);
    if (options.discardManagedSave && (await domain.hasManagedSaveImage())) await domain.managedSaveRemove();
    await faultPoint('revert.guest-off');
  } catch (error) {
    throw await takenBack(guest, set.name, undo, error);
  }
  try {
    await finishRevert(domain, intent, { ...options, ...call });
  } catch (error) {
    if (call.signal?.aborted && error === call.signal.reason && intent.revert?.stage === 'planned') {
      throw await takenBack(guest, set.name, undo, error);
    }
    throw unfinished(guest, set.name, error);
  }
  await concludeRevert(domain, guest, intent);
}

/** The disks are as they are to be. What ran before runs again; one that cannot be started is no reason to keep the intent. */
export async function concludeRevert(domain: Domain, guest: string, intent: IntentRecord): Promise<void> {
  const { name: snapshot } = intent.set;
  try {
    await startAgain(domain, intent.revert?.restart ?? false);
  } catch (error) {
    if (isLostConnection(error)) throw notYetStarted(guest, snapshot, error); // the intent stays: recovery starts the guest
    await removeRecord(domain, 'intent', intent.id, CALL).catch(() => undefined);
    const message = `${guest}: the revert to snapshot ${snapshot} is over, but the guest could not be started again: ${messageOf(error)}. Start it: virsh start ${guest}`;
    throw new DiskSnapshotError('OPERATION_FAILED', message, { guest, snapshot, outcome: 'done', cause: error });
  }
  await faultPoint('revert.restarted');
  await removeRecord(domain, 'intent', intent.id);
}

function notYetStarted(guest: string, snapshot: string, error: unknown): DiskSnapshotError {
  const message = `${guest}: the revert to snapshot ${snapshot} is over, but the connection ended while the guest was being started again (${messageOf(error)}). Connect again, then call recoverDiskSnapshots(domain), which starts it`;
  return new DiskSnapshotError('CONNECTION_LOST', message, { guest, snapshot, outcome: 'unknown', cause: error });
}

async function turnOff(domain: Domain, snapshot: string, { force, restart }: Options): Promise<void> {
  if (!(await domain.isActive())) return;
  if (!force || !restart) {
    const guest = domain.getName();
    const message = `${guest} was started since it was looked at. Shut it down${force ? ', and try again' : ', or let it be stopped and started: { force: true }'}`;
    throw new DiskSnapshotError('GUEST_ACTIVE', message, { guest, snapshot });
  }
  await domain.destroy();
}

/** What ran before the revert runs again, on the disks that it has now. */
async function startAgain(domain: Domain, restart: Restart, call: CallOptions = {}): Promise<void> {
  if (!restart || (await domain.isActive(call))) return;
  await domain.createWithFlags({ flags: restart === 'paused' ? DomainCreateFlags.START_PAUSED : 0, ...call });
}

async function makeLayer(
  domain: Domain,
  { overlay, base }: QemuState,
  virtualSize: number,
  undo: UndoLog,
  call: CallOptions,
): Promise<void> {
  const images = await imagesFor(domain.connection, overlay.path, call);
  try {
    const strike = undo.note(`the layer ${overlay.path}`, async (limit) => {
      const again = await imagesFor(domain.connection, overlay.path, limit);
      await again?.remove(overlay.path, limit).finally(() => again.close());
    });
    try {
      await images?.createOverlay({ path: overlay.path, backing: base, virtualSize }, call);
    } catch (error) {
      // Somebody made it since we planned: it is not ours to take back.
      if (error instanceof DiskSnapshotError && error.code === 'FILE_EXISTS') strike();
      throw error;
    }
  } finally {
    await images?.close();
  }
}

/**
 * The second half, for the operation itself and for whoever finds its intent: the guest is off, and its layers are made.
 * Every step may have been done before.
 */
export async function finishRevert(
  domain: Domain,
  intent: IntentRecord,
  options: { force: boolean; signal?: AbortSignal | undefined; onProgress?: RevertOptions['onProgress'] | undefined },
): Promise<void> {
  const guest = await lookAtGuest(domain, {});
  const layers = intent.disks.flatMap(({ disk, method, state }) => {
    const layer = qemuStateOf({ method, state });
    return layer ? [{ disk, ...layer }] : [];
  });
  const others = intent.disks.filter((planned) => qemuStateOf(planned) === null);
  for (const planned of others) {
    await revertByMethod(domain, guest, intent, planned, options);
    await faultPoint('revert.method-done');
  }
  for (const layer of layers) await checkLayer(domain, intent, layer);
  if (intent.revert?.stage === 'planned') options.signal?.throwIfAborted();
  await noteBegun(domain, intent);
  if (layers.length > 0) await startFromOverlays(domain, layers);
  await faultPoint('revert.defined');
  await settleRecords(domain, intent);
}

/** Until the first disk is changed the caller's signal counts, and then no more. */
async function revertByMethod(
  domain: Domain,
  guest: Guest,
  intent: IntentRecord,
  planned: IntentRecord['disks'][number],
  { force, signal, onProgress }: Parameters<typeof finishRevert>[2],
): Promise<void> {
  const until = new AbortController();
  const abort = () => until.abort(signal?.reason);
  const heed = intent.revert?.stage === 'planned' ? signal : undefined;
  if (heed?.aborted) abort();
  const stopListening = onAbort(heed, abort);
  const begin = async () => {
    until.signal.throwIfAborted();
    stopListening();
    await noteBegun(domain, intent);
  };
  const { method, context } = methodOf(guest, intent.set, planned, {
    signal: until.signal,
    onProgress: ({ done, total }) => tell(onProgress, { phase: 'copy', disk: planned.disk, done, total }),
  });
  try {
    if (!method.tellsBegin) await begin();
    await method.revert({ ...context, force, begin });
  } catch (error) {
    until.signal.throwIfAborted();
    throw error;
  } finally {
    stopListening();
  }
}

/** An intent may have been damaged since: the guest starts from nothing but a layer over its point in time. */
async function checkLayer(domain: Domain, intent: IntentRecord, { disk, overlay, base }: QemuState & { disk: string }) {
  const chain = await imageChain(domain.connection, overlay);
  if (chain[1]?.path === base.path) return;
  const guest = domain.getName();
  throw new DiskSnapshotError(
    'RECOVERY_NEEDED',
    `${guest}: disk ${disk}: ${overlay.path} is no layer over ${base.path}, to which the revert to snapshot ${intent.set.name} was to go. Nothing was changed on this disk`,
    { guest, disk, snapshot: intent.set.name, outcome: 'unknown' },
  );
}

/** The definition names the new layers: the records follow, then what nobody needs goes. */
export async function settleRecords(domain: Domain, intent: IntentRecord): Promise<void> {
  const guest = await lookAtGuest(domain, {});
  const replaced: { disk: string; previous: string[] }[] = [];
  for (const { disk, method, state } of intent.disks) {
    const layer = qemuStateOf({ method, state });
    if (!layer) continue;
    replaced.push({ disk, previous: layer.previous ?? [] });
    const chain = await diskChain(guest, disk);
    for (const changed of await relinked(domain.connection, (await readJournal(domain)).sets, disk, chain)) {
      await writeRecord(domain, 'set', changed);
    }
  }
  await faultPoint('revert.written');
  const { sets } = await readJournal(domain);
  for (const { disk, previous } of replaced) await removeUnneeded(domain, disk, previous, sets);
  await faultPoint('revert.cleaned');
  // A method's disk is not brought back once more, when the guest may have written to it.
  await noteStage(domain, intent, 'done');
}

async function noteBegun(domain: Domain, intent: IntentRecord): Promise<void> {
  if (intent.revert?.stage !== 'planned') return;
  await noteStage(domain, intent, 'begun');
  await faultPoint('revert.begun');
}

async function noteStage(domain: Domain, intent: IntentRecord, stage: RevertStage): Promise<void> {
  if (!intent.revert) return;
  intent.revert.stage = stage;
  await writeIntent(domain, intent);
}

async function takenBack(guest: string, snapshot: string, undo: UndoLog, error: unknown): Promise<unknown> {
  const failed = await undo.run();
  const cause = translate(error, { guest, snapshot });
  if (failed.length > 0) return unfinished(guest, snapshot, error);
  if (!(cause instanceof DiskSnapshotError)) return cause;
  return new DiskSnapshotError(cause.code, cause.message, {
    guest,
    snapshot,
    outcome: 'undone',
    cause: cause.cause ?? error,
  });
}

function unfinished(guest: string, snapshot: string, error: unknown): DiskSnapshotError {
  const said = messageOf(error);
  return new DiskSnapshotError(
    'RECOVERY_NEEDED',
    `${guest}: the revert to snapshot ${snapshot} is half done (${said}). Do not start the guest; recoverDiskSnapshots(domain) finishes it`,
    { guest, snapshot, outcome: 'unknown', cause: error },
  );
}
