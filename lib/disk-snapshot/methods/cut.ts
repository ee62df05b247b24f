// Cuts by methods other than QEMU's overlays: each prepares, cuts and undoes its own disk, behind one interface.
import type { CallOptions } from '../../libvirt/options';
import { readDisk } from '../../xml/disk';
import { DiskSnapshotError } from '../errors';
import { lookAtGuest } from '../guest';
import { diskChain } from '../images/disk-chain';
import { diskSize } from '../images/disk-size';
import type { Plan, PlannedCut } from '../plan';
import type { DiskRecord, MethodState } from '../records/record';
import type { UndoLog } from '../undo';
import { contextOf } from './context';
import type { CutContext, Method } from './method';

export type PlannedMethod = Extract<PlannedCut, { kind: 'method' }>;

/** A disk whose method is ready to cut, or has cut. */
export interface MethodCut extends PlannedMethod {
  plan: Plan;
  /** Of the method, after its last step. */
  state: unknown;
}

/**
 * @param undo takes back what the method prepares, and what it cuts later.
 * @param record writes the method's state down: whoever finds the intent can undo it.
 */
export async function prepareMethod(
  plan: Plan,
  planned: PlannedMethod,
  undo: UndoLog,
  record: (disk: string, state: MethodState) => Promise<void>,
  call: CallOptions,
): Promise<MethodCut> {
  const { disk, method, data } = planned;
  const context = contextOf(plan.guest, disk, data, plan.name, call.signal);
  const expected = await method.expects?.(context);
  if (expected) await record(disk.target, { data, state: expected });
  const state = await method.prepare(context);
  const cut: MethodCut = { ...planned, plan, state };
  undo.note(`what method ${method.method} made for ${disk.target}`, async ({ signal }) => {
    const guest = await lookAtGuest(plan.guest.domain, { signal }); // it may have ended since
    const now = guest.document.disks.find(({ target }) => target === disk.target) ?? disk;
    await method.undo(contextOfCut({ ...cut, plan: { ...plan, guest }, disk: now }, signal));
  });
  await record(disk.target, { data, state });
  return cut;
}

/**
 * Side by side, and those that can be cut together in one go. Where one fails, all are waited for: nothing is undone while
 * it is still being made.
 */
export async function cutMethods(cuts: readonly MethodCut[]): Promise<void> {
  const alone = cuts.filter(({ method }) => !method.cutTogether);
  const groups = new Set(cuts.flatMap(({ method }) => method.cutTogether ?? []));
  const ended = await Promise.allSettled([
    ...alone.map(async (cut) => {
      cut.state = await cut.method.cut(contextOfCut(cut));
    }),
    ...[...groups].map((cutTogether) =>
      cutTogether(cuts.filter(({ method }) => method.cutTogether === cutTogether).map((cut) => contextOfCut(cut))),
    ),
  ]);
  const failed = ended.filter((one) => one.status === 'rejected').map(({ reason }) => reason as unknown);
  // Where one is not known to have failed, nothing may be taken back: that is told before what is known.
  const unknown = failed.find((error) => error instanceof DiskSnapshotError && error.outcome === 'unknown');
  if (failed.length > 0) throw unknown ?? failed[0];
}

export async function recordOfMethod(cut: MethodCut): Promise<DiskRecord> {
  const state: MethodState = { data: cut.data, state: cut.state };
  return { ...(await keptBy(cut.method, contextOfCut(cut))), state };
}

/** Where the method keeps the immutable state, as it is written down. */
export async function keptBy(method: Method, c: CutContext): Promise<Omit<DiskRecord, 'state'>> {
  await method.settle?.(c);
  const { source, internalSnapshot = null, format, modifiedDisk, virtualSize } = await method.backupSource(c);
  return {
    disk: c.disk.target,
    method: method.method,
    backupSource: source,
    internalSnapshot,
    format,
    virtualSize: virtualSize ?? (await diskSize(c.domain, c.disk)),
    modifiedDisk,
    backingChain: await belowOf(c),
  };
}

/** What the copied image rests on. The XML of a guest that is off does not say; the images' headers do. */
async function belowOf(c: CutContext): Promise<DiskRecord['backingChain']> {
  if (c.active) {
    const { backingChain } = readDisk(c.disk.xml);
    return backingChain.map(({ sourcePath, format }) => ({ source: sourcePath ?? '', format: format ?? 'raw' }));
  }
  const chain = await diskChain(await lookAtGuest(c.domain, {}), c.disk.target);
  return chain.slice(1).map(({ path, format }) => ({ source: path ?? '', format }));
}

const contextOfCut = ({ plan, disk, data, state }: MethodCut, signal?: AbortSignal) => ({
  ...contextOf(plan.guest, disk, data, plan.name, signal),
  state,
});
