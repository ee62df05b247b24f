// What is told of a snapshot that was taken: the facts with their sources, and the promise that the cut did not keep.
import { DiskSnapshotError, messageOf } from './errors';
import type { Plan } from './plan';
import type { SetRecord } from './records/record';
import type { Released } from './snapshot-state';
import type { FrozenFilesystem } from './types';

export function evidenceOf(released: Released): SetRecord['evidence'] {
  const { plan, freeze, unfrozen, thaw, frozenThroughout, said, layers, methods, standstill } = released;
  const evidence: SetRecord['evidence'] = [];
  const add = (fact: string, from: string) => evidence.push({ fact, from });
  if (!plan.guest.active) add('the guest was off while its disks were cut', 'virDomainGetState');
  if (layers.length > 0) add(`${layers.length} disk(s) switched in one transaction`, 'virDomainSnapshotCreateXML');
  for (const { disk, method } of methods) add(`${disk.target} cut by method ${method.method}`, method.method);
  if (standstill?.held) add(`paused for ${Math.round(standstill.pausedMs)} ms around the cuts`, 'virDomainSuspend');
  if (standstill?.held === false)
    add('paused, and let go by another before the last cut had ended', 'virDomainGetState');
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
    add(`libvirt reported ${messageOf(said)}, but the disks have switched`, 'live XML');
  }
  if (layers.length > 0) add(`${layers.length} disk(s) read back on their overlays`, 'live XML');
  return evidence;
}

/** File systems on the disks that no agent can freeze: what was cut is then no more than one instant. */
function unfreezableOf({ freeze }: Plan): readonly FrozenFilesystem[] {
  return freeze.kind === 'own' ? freeze.prepared.unfreezable : [];
}

/** What was asked for and did not hold: the disks are to be merged back, and the call fails. */
export function brokenPromise(released: Released, frozen: boolean): DiskSnapshotError | null {
  const { plan, options, freeze, thaw, standstill, methods } = released;
  const { name: guest } = plan.guest;
  const where = { guest, snapshot: plan.name, outcome: 'undone' } as const;
  // What the guest has seen, whatever the cut was worth.
  if (thaw !== null && thaw.frozenMs > options.maxFreezeMs) {
    return new DiskSnapshotError(
      'FREEZE_BUDGET_EXCEEDED',
      `${guest} was frozen for ${Math.round(thaw.frozenMs)} ms, more than maxFreezeMs allows ` +
        `(${options.maxFreezeMs}); it is thawed, and its disks are merged back. Allow more, or look what keeps the host busy`,
      where,
    );
  }
  if (frozen) return null;
  if (standstill?.held === false && methods.some(({ method }) => method.needs === 'frozen')) {
    return new DiskSnapshotError(
      'OPERATION_FAILED',
      `${guest} was paused for the cut, and somebody else has resumed it before that was over: a clone of what QEMU had ` +
        'not written is worth nothing, and is taken back. Try again when nobody else works on this guest',
      where,
    );
  }
  const promised = freeze !== null || plan.freeze.kind === 'held';
  if (!promised || options.quiesce === 'preferred') return null;
  return new DiskSnapshotError(
    'QUIESCE_UNAVAILABLE',
    `${guest}: its file systems did not stay frozen until the last disk was cut; the disks are merged back. ` +
      'Something in the guest, or another program, thaws them',
    where,
  );
}
