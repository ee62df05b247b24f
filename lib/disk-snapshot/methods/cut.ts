// Cuts by methods other than QEMU's overlays: each prepares, cuts and undoes its own disk, behind one interface.
import type { CallOptions } from '../../libvirt/options';
import type { Plan, PlannedCut } from '../plan';
import type { DiskRecord, MethodState } from '../records/record';
import type { UndoLog } from '../undo';
import { contextOf } from './context';

export type PlannedMethod = Extract<PlannedCut, { kind: 'method' }>;

/** A disk whose method is ready to cut, or has cut. */
export interface MethodCut extends PlannedMethod {
  plan: Plan;
  /** Of the method, after its last step. */
  state: unknown;
}

/** @param undo takes back what the method prepares, and what it cuts later. */
export async function prepareMethod(
  plan: Plan,
  planned: PlannedMethod,
  undo: UndoLog,
  call: CallOptions,
): Promise<MethodCut> {
  const { disk, method, data } = planned;
  const state = await method.prepare(contextOf(plan.guest, disk, data, plan.name, call.signal));
  const cut: MethodCut = { ...planned, plan, state };
  undo.note(`what method ${method.method} made for ${disk.target}`, () => method.undo(contextOfCut(cut)));
  return cut;
}

/** Side by side. Where one fails, all are waited for: nothing is undone while it is still being made. */
export async function cutMethods(cuts: readonly MethodCut[]): Promise<void> {
  const ended = await Promise.allSettled(
    cuts.map(async (cut) => {
      cut.state = await cut.method.cut(contextOfCut(cut));
    }),
  );
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}

export async function recordOfMethod(plan: Plan, cut: MethodCut): Promise<DiskRecord> {
  const { source, format, modifiedDisk } = await cut.method.backupSource(contextOfCut(cut));
  const { capacity } = await plan.guest.domain.getBlockInfo(cut.disk.target);
  const state: MethodState = { data: cut.data, state: cut.state };
  return {
    disk: cut.disk.target,
    method: cut.method.method,
    backupSource: source,
    internalSnapshot: null,
    format,
    virtualSize: Number(capacity),
    modifiedDisk,
    backingChain: cut.disk.backingChain.map((image) => ({
      source: image.sourcePath ?? '',
      format: image.format ?? 'raw',
    })),
    state,
  };
}

const contextOfCut = ({ plan, disk, data, state }: MethodCut) => ({
  ...contextOf(plan.guest, disk, data, plan.name),
  state,
});
