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
import { withClaim } from './claim';
import { deleteLayers } from './delete';
import { DiskSnapshotError } from './errors';
import { translate } from './facade';
import type { Freeze } from './freeze';
import { isSameGuest, lookAtGuest } from './guest';
import { heldFreeze } from './held-storage';
import { removeRecord, writeRecord } from './journal';
import {
  cutLayers,
  type LayerState,
  lookAtLayers,
  makeOverlay,
  recordOf,
  removeOverlay,
} from './methods/qemu-external';
import { makePlan, type Plan, type SnapshotRequest } from './plan';
import type { IntentRecord, QemuState, SetRecord } from './record';
import type { FrozenFilesystem, Phase, ThawResult } from './types';
import { UndoLog } from './undo';

export interface SnapshotOptions extends SnapshotRequest {
  description: string | null;
  labels: Record<string, string>;
  maxFreezeMs: number;
  report(phase: Phase, disk?: string): void;
}

/** libvirt answers a cut within milliseconds; a daemon that has not done so by then is hung. */
const CUT_LIMIT_MS = 60_000;

/** What all steps share: who is worked on, for whom, and what to take back. */
interface Work {
  plan: Plan;
  options: SnapshotOptions;
  /** The caller's signal. Nothing after the cut listens to it. */
  call: CallOptions;
  undo: UndoLog;
}
interface Recorded extends Work {
  intent: IntentRecord;
}
interface Prepared extends Recorded {
  readonly overlays: 'made and checked';
}
interface Quiesced extends Prepared {
  /** Ours, ended by us. */
  freeze: Freeze | null;
  /** Why there is none. */
  unfrozen: string | null;
}
interface Cut extends Quiesced {
  cutAt: Date;
  layers: LayerState[];
  /** Whether the freeze, ours or held, still stood when the cut had ended. */
  frozenThroughout: boolean;
  /** libvirt's error for a cut that took place all the same. */
  said: unknown;
}
interface Released extends Cut {
  thaw: ThawResult | null;
}

/** Takes the snapshot and returns its record, or leaves everything as it was. */
export async function takeSnapshot(domain: Domain, options: SnapshotOptions, call: CallOptions): Promise<SetRecord> {
  options.report('plan');
  const first = await soundPlan(domain, options, call);
  try {
    const { set, broken } = await withClaim(domain, 'snapshot', call, async (claim) => {
      // Another operation may have ended between our plan and our claim.
      const stands = isSameGuest(first.guest, await lookAtGuest(domain, call));
      const plan = stands ? first : await soundPlan(domain, options, call);
      try {
        return await run({ plan, options, call, undo: new UndoLog() }, claim.id);
      } finally {
        if (plan !== first) await plan.close();
      }
    });
    if (broken === null) return set;
    await deleteLayers(domain, set.id, null);
    throw broken;
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

interface Taken {
  set: SetRecord;
  /** A promise that the cut did not keep: the set has to be merged back. */
  broken: DiskSnapshotError | null;
}

async function run(work: Work, claim: string): Promise<Taken> {
  let cut: Cut;
  try {
    cut = await cutDisks(await quiesce(await prepare(await record(work, claim))));
  } catch (error) {
    throw await takeBack(work, error);
  }
  return conclude(await release(cut));
}

// ---- the steps ----------------------------------------------------------------------------------------------------

async function record(work: Work, claim: string): Promise<Recorded> {
  const { plan, options, call, undo } = work;
  const { domain, document, active } = plan.guest;
  options.report('record');
  const id = randomUUID();
  const intent: IntentRecord = {
    version: 1,
    id,
    claim,
    domainId: active ? (document.id ?? null) : null,
    willFreeze: plan.freeze.kind === 'own',
    set: {
      version: 1,
      id,
      name: plan.name,
      description: options.description,
      labels: options.labels,
      createdAt: new Date().toISOString(),
      consistency: 'crash',
      frozenMs: 0,
      pausedMs: 0,
      evidence: [],
    },
    disks: plan.layers.map(({ layer }) => {
      const state: QemuState = { mode: 'external', overlay: layer.overlay, base: layer.base };
      return { disk: layer.disk.target, method: 'qemu', state, virtualSize: layer.virtualSize };
    }),
  };
  undo.note('the intent in the metadata', () => removeRecord(domain, 'intent', id));
  await writeRecord(domain, 'intent', intent, call);
  return { ...work, intent };
}

async function prepare(recorded: Recorded): Promise<Prepared> {
  const { plan, options, call, undo } = recorded;
  for (const { layer } of plan.layers) {
    options.report('prepare', layer.disk.target);
    undo.note(`the overlay ${layer.overlay.path}`, () => removeOverlay(layer));
    await makeOverlay(plan.guest.name, layer, call);
  }
  return { ...recorded, overlays: 'made and checked' };
}

async function quiesce(prepared: Prepared): Promise<Quiesced> {
  const { plan, options, call } = prepared;
  call.signal?.throwIfAborted();
  if (plan.freeze.kind === 'held') return { ...prepared, freeze: null, unfrozen: null };
  if (plan.freeze.kind === 'none') return { ...prepared, freeze: null, unfrozen: plan.freeze.because };
  options.report('quiesce');
  try {
    const freeze = await plan.freeze.prepared.freeze({ maxFreezeMs: options.maxFreezeMs, ...call });
    return { ...prepared, freeze, unfrozen: null };
  } catch (error) {
    // The guest is proven thawed again unless the error says otherwise; the proposal then wants the snapshot regardless.
    const harmless = error instanceof DiskSnapshotError && error.code === 'QUIESCE_UNAVAILABLE';
    if (!harmless || options.quiesce === 'required') throw error;
    return { ...prepared, freeze: null, unfrozen: error.message };
  }
}

async function cutDisks(quiesced: Quiesced): Promise<Cut> {
  const { plan, options, call, freeze } = quiesced;
  const { domain, document } = plan.guest;
  const layers = plan.layers.map(({ layer }) => layer);
  const held = plan.freeze.kind === 'held' ? heldFreeze(plan.freeze.held, domain, []) : freeze;
  try {
    call.signal?.throwIfAborted();
    held?.signal.throwIfAborted();
    options.report('cut');
    let said: unknown = null;
    try {
      await cutLayers(domain, document, layers, plan.name, { timeoutMs: CUT_LIMIT_MS });
    } catch (error) {
      said = error;
    }
    const cutAt = new Date();
    const frozenThroughout = held !== null && !held.signal.aborted;
    // Only a failed call needs to be looked into before the thaw; the window is the guest's time.
    const states = said === null ? [] : await stateAfterFailure(quiesced, said);
    return { ...quiesced, cutAt, layers: states, frozenThroughout, said };
  } catch (error) {
    // Thawed before anything else is taken back: the guest waits.
    await freeze?.thaw();
    throw error;
  }
}

/** libvirt reports failure also where the disks have switched: the domain decides, not the error. */
async function stateAfterFailure({ plan }: Quiesced, said: unknown): Promise<LayerState[]> {
  const { domain, name } = plan.guest;
  const states = await lookAtLayers(
    domain,
    plan.layers.map(({ layer }) => layer),
    {},
  ).catch((error: unknown) => {
    throw unknownOutcome(plan, said, error);
  });
  const switched = states.filter((s) => s.switched);
  if (switched.length === 0) throw translate(said, { guest: name, snapshot: plan.name });
  if (switched.length < states.length) throw unknownOutcome(plan, said, null);
  return states;
}

function unknownOutcome(plan: Plan, said: unknown, then: unknown): DiskSnapshotError {
  const text = (e: unknown) => (e instanceof Error ? e.message : String(e));
  const second = then === null ? 'some of the disks have switched' : `then the domain could not be read: ${text(then)}`;
  return new DiskSnapshotError(
    'RECOVERY_NEEDED',
    `${plan.guest.name}: the snapshot ${plan.name} failed in its cut (${text(said)}), and ${second}. ` +
      'Call recoverDiskSnapshots(domain) when the host answers again',
    { guest: plan.guest.name, snapshot: plan.name, outcome: 'unknown', cause: said },
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
  const layers = await lookAtLayers(
    domain,
    plan.layers.map(({ layer }) => layer),
    {},
  );
  const astray = layers.find((state) => !state.switched);
  if (astray) throw unknownOutcome(plan, released.said ?? 'libvirt reported success', null);

  const frozen = released.frozenThroughout && (thaw === null || thaw.intact);
  const set: SetRecord = {
    ...intent.set,
    createdAt: released.cutAt.toISOString(),
    consistency: frozen && unfreezableOf(plan).length === 0 ? 'filesystem' : 'crash',
    frozenMs: thaw?.frozenMs ?? 0,
    evidence: evidenceOf(released),
    disks: layers.map(recordOf),
  };
  await writeRecord(domain, 'set', set);
  await removeRecord(domain, 'intent', intent.id);
  return { set, broken: brokenPromise(released, frozen) };
}

/** File systems on the disks that no agent can freeze: what was cut is then no more than one instant. */
function unfreezableOf({ freeze }: Plan): readonly FrozenFilesystem[] {
  return freeze.kind === 'own' ? freeze.prepared.unfreezable : [];
}

/** A freeze that was asked for and did not hold: the disks are to be merged back, and the call fails. */
function brokenPromise({ plan, options, freeze, thaw }: Released, frozen: boolean): DiskSnapshotError | null {
  const promised = freeze !== null || plan.freeze.kind === 'held';
  if (frozen || !promised) return null;
  const where = { guest: plan.guest.name, snapshot: plan.name, outcome: 'undone' } as const;
  if (thaw !== null && thaw.frozenMs > options.maxFreezeMs) {
    return new DiskSnapshotError(
      'FREEZE_BUDGET_EXCEEDED',
      `${plan.guest.name} was frozen for ${Math.round(thaw.frozenMs)} ms, more than maxFreezeMs allows ` +
        `(${options.maxFreezeMs}); it is thawed, and its disks are merged back. Allow more, or look what keeps the host busy`,
      where,
    );
  }
  if (options.quiesce === 'preferred') return null;
  return new DiskSnapshotError(
    'QUIESCE_UNAVAILABLE',
    `${plan.guest.name}: its file systems did not stay frozen until the last disk was cut; the disks are merged back. ` +
      'Something in the guest, or another program, thaws them',
    where,
  );
}

// ---- what is told -------------------------------------------------------------------------------------------------

function evidenceOf({ plan, freeze, unfrozen, thaw, frozenThroughout, said, layers }: Released): SetRecord['evidence'] {
  const evidence: SetRecord['evidence'] = [
    {
      fact: plan.guest.active
        ? `${plan.layers.length} disk(s) switched in one transaction`
        : 'the guest was off while its disks were cut',
      from: 'virDomainSnapshotCreateXML',
    },
  ];
  const add = (fact: string, from: string) => evidence.push({ fact, from });
  if (unfrozen !== null) add(`not frozen: ${unfrozen}`, 'quiesce');
  if (freeze) {
    add(`frozen: ${freeze.filesystems.map(({ mountpoint }) => mountpoint).join(', ')}`, 'guest-fsfreeze-freeze-list');
    add(frozenThroughout ? 'frozen until the last cut had ended' : 'thawed before the last cut had ended', 'quiesce');
  }
  for (const { mountpoint, fsType } of unfreezableOf(plan))
    add(`${fsType} on ${mountpoint} cannot be frozen`, 'quiesce');
  if (thaw) add(thaw.intact ? 'as many thawed as were frozen' : 'fewer thawed than were frozen', 'guest-fsfreeze-thaw');
  if (plan.freeze.kind === 'held') {
    add('held frozen by the caller: provisional until its unquiesce() says intact', 'quiesce');
  }
  if (said !== null) {
    add(
      `libvirt reported ${said instanceof Error ? said.message : String(said)}, but the disks have switched`,
      'live XML',
    );
  }
  add(`${layers.length || plan.layers.length} disk(s) read back on their overlays`, 'live XML');
  return evidence;
}

/** Takes back what was done before the cut, and says how far that went. */
async function takeBack({ plan, undo }: Work, error: unknown): Promise<unknown> {
  if (error instanceof DiskSnapshotError && error.outcome === 'unknown') return error; // the intent stays for recovery
  const failed = await undo.run();
  const cause = translate(error, { guest: plan.guest.name, snapshot: plan.name });
  if (failed.length > 0) {
    const left = failed.map(({ what, error: e }) => `${what} (${e instanceof Error ? e.message : String(e)})`);
    return new DiskSnapshotError(
      cause instanceof DiskSnapshotError ? cause.code : 'OPERATION_FAILED',
      `${cause instanceof Error ? cause.message : String(cause)}. Left behind: ${left.join(', ')}; recoverDiskSnapshots(domain) removes it`,
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
