// A revert whose process died: finished where it had begun to change disks, else taken back.
import type { CallOptions } from '../../libvirt/options';
import { DiskSnapshotError } from '../errors';
import type { Guest } from '../guest';
import { imagesFor } from '../images/images-for';
import { usersOf } from '../images/users';
import { removeRecord } from '../records/journal';
import { type IntentRecord, qemuStateOf } from '../records/record';
import { finishRevert, settleRecords } from '../revert/revert';

export async function settleRevert(
  guest: Guest,
  intent: IntentRecord,
  call: CallOptions,
): Promise<'finished' | 'undone'> {
  const { domain } = guest;
  const layers = intent.disks.flatMap(({ disk, method, state }) => {
    const layer = qemuStateOf({ method, state });
    return layer ? [{ disk, overlay: layer.overlay }] : [];
  });
  const isDefined = layers.every(({ disk, overlay }) =>
    guest.document.disks.some(({ target, sourcePath }) => target === disk && sourcePath === overlay.path),
  );
  if (intent.revert?.begun && !guest.active) {
    await finishRevert(domain, intent, { force: false });
    return 'finished';
  }
  if (intent.revert?.begun && layers.length > 0 && isDefined) {
    await settleRecords(domain, intent);
    return 'finished';
  }
  if (intent.revert?.begun) {
    throw new DiskSnapshotError(
      'RECOVERY_NEEDED',
      `${guest.name}: the revert to snapshot ${intent.set.name} was interrupted, and the guest was started before it was finished. ` +
        'Shut it down, then call recoverDiskSnapshots(domain) again',
      { guest: guest.name, snapshot: intent.set.name, outcome: 'unknown' },
    );
  }
  for (const { overlay } of layers) {
    if ((await usersOf(domain.connection, overlay.path, call)).length > 0) continue;
    const images = await imagesFor(domain.connection, overlay.path, call);
    await images?.remove(overlay.path, call).finally(() => images.close());
  }
  await removeRecord(domain, 'intent', intent.id, call);
  return 'undone';
}
