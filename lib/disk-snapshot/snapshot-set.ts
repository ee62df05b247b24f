// One instant for several disks, all or nothing: the state machine. Each step takes what the step before it returns, so
// a step out of order does not compile:
//
//   Plan → Recorded → Prepared → Quiesced → Cut → Released → Taken
//
// Whatever fails before the cut takes back all of it. The cut is QEMU's own transaction and the commit point: after it,
// the operation is finished and recorded even if the caller has gone.
import { randomUUID } from 'node:crypto';
import type { Domain } from '../libvirt';
import type { CallOptions } from '../libvirt/options';
import { DiskSnapshotError, messageOf } from './errors';
import { brokenPromise, evidenceOf } from './evidence';
import { translate } from './facade';
import { faultPoint } from './fault-point';
import type { Freeze } from './freeze/freeze';
import { heldFreeze } from './freeze/held-storage';
import { isSameGuest, lookAtGuest } from './guest';
import { deleteClaimed } from './merge/delete-by-method';
import { cutMethods, type MethodCut, prepareMethod, recordOfMethod } from './methods/cut';
import { lookAtLayers, makeOverlay, type QemuLayer, qemuState, recordOf, removeOverlay } from './methods/qemu-external';
import { Pause } from './pause';
import { consistencyOf, makePlan, type Plan, withoutFreeze } from './plan';
import { type Claim, withClaim } from './records/claim';
import { removeRecord, writeIntent, writeRecord } from './records/journal';
import type { IntentRecord, MethodState, SetRecord } from './records/record';
import { refuseFull } from './records/room';
import {
  type Cut,
  type Prepared,
  type Quiesced,
  type Recorded,
  type Released,
  type SnapshotOptions,
  type Work,
  where,
} from './snapshot-state';
import { LOOK_LIMIT_MS, switchLayers, unknownOutcome } from './switch-layers';
import { UndoLog } from './undo';

/** Takes the snapshot and returns its record, or leaves everything as it was. */
export async function takeSnapshot(domain: Domain, options: SnapshotOptions, call: CallOptions): Promise<SetRecord> {
  options.report('plan');
  const first = await soundPlan(domain, options, call);
  try {
    return await withClaim(domain, 'snapshot', call, async (claim) => {
      // Another operation may have ended between our plan and our claim.
      const stands = isSameGuest(first.guest, await lookAtGuest(domain, call));
      const plan = stands ? first : await soundPlan(domain, options, call);
      try {
        const { set, broken } = await run({ plan, options, call, undo: new UndoLog(), claim });
        if (broken !== null) throw await mergedBack(plan, claim, set, broken);
        return set;
      } finally {
        if (plan !== first) await plan.close();
      }
    });
  } finally {
    await first.close();
  }
}

async function soundPlan(domain: Domain, options: SnapshotOptions, call: CallOptions): Promise<Plan> {
  const plan = await makePlan(domain, options, call);
  const [problem] = plan.problems;
  if (!problem) return plan;
  await plan.close();
  throw problem;
}

/** What was asked for was not kept: nobody else may build on this set before it is gone. */
async function mergedBack(
  plan: Plan,
  claim: Claim,
  { id, name }: SetRecord,
  broken: DiskSnapshotError,
): Promise<DiskSnapshotError> {
  try {
    await deleteClaimed(plan.guest.domain, claim, id, null, {});
    return broken;
  } catch (error) {
    const message = `${broken.message}. But that failed (${messageOf(error)}): the snapshot ${name} is still there`;
    return new DiskSnapshotError(broken.code, message, { ...where(plan), outcome: 'done', cause: error });
  }
}

interface Taken {
  set: SetRecord;
  /** A promise that the cut did not keep: the set has to be merged back. */
  broken: DiskSnapshotError | null;
}

async function run(work: Work): Promise<Taken> {
  let cut: Cut;
  try {
    cut = await cutDisks(await quiesce(await prepare(await record(work))));
  } catch (error) {
    throw await takeBack(work, error);
  }
  try {
    return await conclude(await release(cut));
  } catch (error) {
    throw afterCommit(work.plan, error);
  }
}

// ---- the steps ----------------------------------------------------------------------------------------------------

async function record(work: Work): Promise<Recorded> {
  const { plan, options, call, undo, claim } = work;
  const { domain, document, active } = plan.guest;
  options.report('record');
  const id = randomUUID();
  const intent: IntentRecord = {
    version: 1,
    id,
    claim: claim.id,
    active,
    domainId: active ? (document.id ?? null) : null,
    willFreeze: plan.freeze.kind === 'own',
    willPause: plan.pause || plan.pauseUnfrozen,
    set: {
      version: 1,
      id,
      name: plan.name,
      description: options.description,
      labels: options.labels,
      createdAt: new Date().toISOString(),
      consistency: 'disk',
      frozenMs: 0,
      pausedMs: 0,
      evidence: [],
    },
    disks: plan.cuts.map((cut) =>
      cut.kind === 'layer'
        ? {
            disk: cut.disk.target,
            method: 'qemu',
            state: qemuState(cut.layer),
            virtualSize: cut.layer.virtualSize,
          }
        : { disk: cut.disk.target, method: cut.method.method, state: { data: cut.data, state: null }, virtualSize: 0 },
    ),
  };
  refuseFull(plan.guest, intent);
  undo.note('the intent in the metadata', (limit) => removeRecord(domain, 'intent', id, limit), { onlyAfterAll: true });
  await writeIntent(domain, intent, call);
  await faultPoint('snapshot.recorded');
  return { ...work, intent };
}

async function prepare(recorded: Recorded): Promise<Prepared> {
  const { plan, options, call, undo } = recorded;
  const layers: QemuLayer[] = [];
  const methods: MethodCut[] = [];
  for (const cut of plan.cuts) {
    call.signal?.throwIfAborted();
    options.report('prepare', cut.disk.target);
    if (cut.kind === 'layer') {
      await prepareLayer(plan, cut.layer, undo, call);
      layers.push(cut.layer);
      await faultPoint('snapshot.layer-made');
    } else {
      const record = (disk: string, state: MethodState) => recordState(recorded, disk, state);
      methods.push(await prepareMethod(plan, cut, undo, record, call));
    }
  }
  await faultPoint('snapshot.prepared');
  return { ...recorded, layers, methods };
}

/** At once, and before any of them is cut: whoever finds the intent can undo it. */
async function recordState({ plan, intent, call }: Recorded, disk: string, state: MethodState): Promise<void> {
  intent.disks = intent.disks.map((one) => (one.disk === disk ? { ...one, state } : one));
  await writeIntent(plan.guest.domain, intent, call);
}

async function prepareLayer(plan: Plan, layer: QemuLayer, undo: UndoLog, call: CallOptions): Promise<void> {
  const strike = undo.note(`the overlay ${layer.overlay.path}`, (limit) => removeOverlay(layer, limit));
  try {
    await makeOverlay(plan.guest.name, layer, call);
  } catch (error) {
    // Somebody made it since we planned: it is not ours to take back.
    if (error instanceof DiskSnapshotError && error.code === 'FILE_EXISTS') strike();
    throw error;
  }
}

async function quiesce(prepared: Prepared): Promise<Quiesced> {
  const { plan, options, call } = prepared;
  call.signal?.throwIfAborted();
  const unfrozen = async (now: Plan, because: string | null): Promise<Quiesced> => ({
    ...prepared,
    plan: now,
    freeze: null,
    unfrozen: because,
    pause: now.pause ? await watchedPause(now, options, call) : null,
  });
  if (plan.freeze.kind === 'held') return unfrozen(plan, null);
  if (plan.freeze.kind === 'none') return unfrozen(plan, plan.freeze.because);
  // Where both are needed: a guest that is frozen waits for nobody to be told.
  const pause = plan.pause ? await watchedPause(plan, options, call) : null;
  options.report('quiesce');
  try {
    const freeze = await plan.freeze.prepared.freeze({
      maxFreezeMs: options.maxFreezeMs,
      guard: options.guard,
      deadman: options.deadman,
      ...call,
    });
    return { ...prepared, freeze, unfrozen: null, pause };
  } catch (error) {
    await pause?.end();
    // The guest is proven thawed again unless the error says otherwise; the proposal then wants the snapshot regardless.
    const harmless = error instanceof DiskSnapshotError && error.code === 'QUIESCE_UNAVAILABLE';
    if (!harmless || options.quiesce === 'required') throw error;
    return unfrozen(withoutFreeze(plan, error.message), error.message);
  }
}

function watchedPause({ guest }: Plan, { guard, maxFreezeMs, report }: SnapshotOptions, { signal }: CallOptions) {
  return Pause.watched(guest, report, { guard, earlierMs: maxFreezeMs, signal });
}

async function cutDisks(quiesced: Quiesced): Promise<Cut> {
  const { plan, options, call, freeze, pause, claim } = quiesced;
  const held = plan.freeze.kind === 'held' ? heldFreeze(plan.freeze.held, plan.guest.domain, []) : freeze;
  try {
    let said: unknown = null;
    let cutAt: Date;
    let frozenThroughout: boolean;
    try {
      call.signal?.throwIfAborted();
      if (held) refuseEnded(plan, held);
      await pause?.begin();
      options.report('cut');
      // Those whose undo is a deletion come first, and QEMU's transaction last: it is the commit point.
      await cutMethods(quiesced.methods);
      await faultPoint('snapshot.methods-cut');
      call.signal?.throwIfAborted();
      if (held && options.quiesce !== 'preferred') refuseEnded(plan, held);
      claim.check();
      if (quiesced.layers.length > 0) said = await switchLayers(quiesced);
      quiesced.undo.commit();
      await faultPoint('snapshot.layers-cut');
      cutAt = new Date();
      frozenThroughout = held !== null && !held.signal.aborted;
    } catch (error) {
      await pause?.end();
      throw error;
    }
    return { ...quiesced, cutAt, frozenThroughout, standstill: (await pause?.end()) ?? null, said };
  } catch (error) {
    // Thawed before anything else is taken back: the guest waits.
    await freeze?.thaw();
    throw error;
  }
}

/** Its reason tells of the freeze, whose outcome is for who thaws it; of the disks none is cut for good. */
function refuseEnded(plan: Plan, { signal }: Freeze): void {
  const reason: unknown = signal.aborted ? signal.reason : null;
  if (reason instanceof DiskSnapshotError)
    throw new DiskSnapshotError(reason.code, reason.message, { ...where(plan), cause: reason });
  signal.throwIfAborted();
}

/** The guest writes to its overlays: whatever fails now, nothing is taken back, and recovery finishes it. */
function afterCommit(plan: Plan, error: unknown): unknown {
  if (error instanceof DiskSnapshotError && (error.outcome === 'done' || error.outcome === 'unknown')) return error;
  return new DiskSnapshotError(
    'RECOVERY_NEEDED',
    `${plan.guest.name}: the disks of snapshot ${plan.name} are cut, but it could not be finished: ${messageOf(error)}. ` +
      'Call recoverDiskSnapshots(domain)',
    { ...where(plan), outcome: 'unknown', cause: error },
  );
}

async function release(cut: Cut): Promise<Released> {
  const { plan, options, freeze } = cut;
  if (!freeze) return { ...cut, thaw: null };
  options.report('thaw');
  try {
    return { ...cut, thaw: await freeze.thaw() };
  } catch (error) {
    await conclude({ ...cut, thaw: null, frozenThroughout: false });
    if (!(error instanceof DiskSnapshotError)) throw error;
    throw new DiskSnapshotError(error.code, error.message, {
      guest: plan.guest.name,
      snapshot: plan.name,
      outcome: 'done',
      cause: error,
    });
  }
}

async function conclude(released: Released): Promise<Taken> {
  const { plan, options, intent, thaw } = released;
  const { domain } = plan.guest;
  options.report('verify');
  const layers = await lookAtLayers(domain, released.layers, { timeoutMs: LOOK_LIMIT_MS });
  if (layers.some((state) => !state.switched)) {
    throw unknownOutcome(plan, released.said ?? 'libvirt reported success', 'not all disks have switched');
  }
  await faultPoint('snapshot.verified');
  const records = [...layers.map(recordOf)];
  for (const cut of released.methods) records.push(await recordOfMethod(cut));
  const order = plan.cuts.map(({ disk }) => disk.target);

  const frozen = released.frozenThroughout && (thaw === null || thaw.intact);
  const set: SetRecord = {
    ...intent.set,
    createdAt: released.cutAt.toISOString(),
    consistency: consistencyOf({
      ...plan,
      freeze: frozen ? plan.freeze : { kind: 'none', because: '' },
      pause: released.standstill?.held === true,
    }),
    frozenMs: thaw?.frozenMs ?? 0,
    pausedMs: released.standstill?.pausedMs ?? 0,
    evidence: evidenceOf(released),
    disks: records.sort((a, b) => order.indexOf(a.disk) - order.indexOf(b.disk)),
  };
  await writeRecord(domain, 'set', set);
  await faultPoint('snapshot.written');
  await removeRecord(domain, 'intent', intent.id);
  await faultPoint('snapshot.concluded');
  return { set, broken: brokenPromise(released, frozen) };
}

/** Takes back what was done before the cut, and says how far that went. */
async function takeBack({ plan, undo }: Work, error: unknown): Promise<unknown> {
  if (undo.isCommitted) return afterCommit(plan, error);
  if (error instanceof DiskSnapshotError && error.outcome === 'unknown') return error; // the intent stays for recovery
  const failed = await undo.run();
  const cause = translate(error, { guest: plan.guest.name, snapshot: plan.name });
  if (failed.length > 0) {
    const left = failed.map(({ what, error: e }) => `${what} (${messageOf(e)})`);
    return new DiskSnapshotError(
      cause instanceof DiskSnapshotError ? cause.code : 'OPERATION_FAILED',
      `${messageOf(cause)}. Left behind: ${left.join(', ')}; recoverDiskSnapshots(domain) removes it`,
      { guest: plan.guest.name, snapshot: plan.name, outcome: 'unknown', cause: error },
    );
  }
  if (!(cause instanceof DiskSnapshotError)) return cause;
  return new DiskSnapshotError(cause.code, cause.message, {
    guest: plan.guest.name,
    disk: cause.disk,
    snapshot: plan.name,
    outcome: 'undone',
    cause: cause.cause ?? error,
  });
}
