// A revert whose process died: finished where it had begun to change disks, else taken back.
import { DomainShutoffReason, DomainState } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { DiskSnapshotError } from '../errors';
import type { Guest } from '../guest';
import { removeRecord } from '../records/journal';
import { type IntentRecord, qemuStateOf } from '../records/record';
import { concludeRevert, finishRevert, settleRecords } from '../revert/revert';
import { discard } from './discard';

/** What ran before the revert stopped it runs again, unless the guest has been up and was shut down since. */
export async function settleRevert(
  guest: Guest,
  intent: IntentRecord,
  call: CallOptions,
): Promise<'finished' | 'undone'> {
  const { domain } = guest;
  const came = await settle(guest, intent, call);
  const { state, reason } = await domain.getState(call);
  // A daemon that has been restarted does not know the reason any more; what it was just starting, it ends itself or as failed,
  // and what it was just stopping it finds crashed.
  const mayBeOurs = state === DomainState.SHUTOFF && OURS.has(reason);
  if (mayBeOurs) await concludeRevert(guest.domain, guest.name, intent);
  else await removeRecord(domain, 'intent', intent.id, call);
  return came;
}

const OURS: ReadonlySet<number> = new Set([
  DomainShutoffReason.DESTROYED,
  DomainShutoffReason.UNKNOWN,
  DomainShutoffReason.FAILED,
  DomainShutoffReason.CRASHED,
  DomainShutoffReason.DAEMON,
]);

async function settle(guest: Guest, intent: IntentRecord, call: CallOptions): Promise<'finished' | 'undone'> {
  const { domain } = guest;
  const layers = intent.disks.flatMap(({ disk, method, state }) => {
    const layer = qemuStateOf({ method, state });
    return layer ? [{ disk, layer }] : [];
  });
  const isDefined = layers.every(({ disk, layer }) =>
    guest.document.disks.some(({ target, sourcePath }) => target === disk && sourcePath === layer.overlay.path),
  );
  const stage = intent.revert?.stage;
  if (stage === 'done') return 'finished';
  if (stage === 'begun' && !guest.active) {
    await finishRevert(domain, intent, { force: false });
    return 'finished';
  }
  if (stage === 'begun' && layers.length > 0 && isDefined) {
    await settleRecords(domain, intent);
    return 'finished';
  }
  if (stage === 'begun') {
    throw new DiskSnapshotError(
      'RECOVERY_NEEDED',
      `${guest.name}: the revert to snapshot ${intent.set.name} was interrupted, and the guest was started before it was finished. ` +
        'Shut it down, then call recoverDiskSnapshots(domain) again',
      { guest: guest.name, snapshot: intent.set.name, outcome: 'unknown' },
    );
  }
  for (const { disk, layer } of layers) await discard(guest, intent, disk, layer, call);
  return 'undone';
}
