// Taking back an overlay that was made, but never used: nothing else is removed, whatever an intent names.
import type { CallOptions } from '../../libvirt/options';
import { DiskSnapshotError } from '../errors';
import type { Guest } from '../guest';
import type { ImageInfo, Images } from '../images/image';
import { imagesFor } from '../images/images-for';
import { usersOf } from '../images/users';
import type { ImageRef, IntentRecord, QemuState } from '../records/record';
import { letGoOf } from './qemu-ahead';
import { holdsData } from './ran-on';

/** Removes an overlay that was made, but never used. */
export async function discard(
  guest: Guest,
  intent: IntentRecord,
  disk: string,
  { overlay, base }: QemuState,
  call: CallOptions,
): Promise<void> {
  const images = await imagesFor(guest.domain.connection, overlay.path, call);
  if (images === null) throw undecided(guest, intent, `nobody here can look at ${overlay.path}`);
  try {
    const info = await inspectOverlay(images, overlay, call);
    // What rests on another image, or holds anything that is no overlay, somebody else has put there.
    if (info === null || (info.format === 'qcow2' ? info.backing?.path !== base.path : info.virtualSize > 0)) return;
    const users = await usersOf(guest.domain.connection, overlay.path, call);
    if (users.length > 0) {
      const names = users.map((user) => `${user.guest} (${user.disk})`).join(', ');
      throw undecided(guest, intent, `its overlay ${overlay.path} is in use by ${names}`);
    }
    // Of another boot, the guest may have run on the overlay while the XML still named the base.
    if (!isOfThisBoot(guest, intent) && holdsData(info)) {
      throw undecided(guest, intent, `the overlay ${overlay.path} of disk ${disk} holds data of the guest`);
    }
    if (guest.active) await letGoOf(guest.domain, overlay, call);
    await images.remove(overlay.path, call);
  } finally {
    await images.close();
  }
}

/** Whether the guest has been neither started nor ended since. */
export const isOfThisBoot = ({ active, document }: Guest, intent: IntentRecord): boolean =>
  active ? intent.domainId !== null && intent.domainId === document.id : !intent.active;

/** A process that died while it made the overlay has left an empty file: no qcow2, and of no size. */
export async function inspectOverlay(images: Images, overlay: ImageRef, call: CallOptions): Promise<ImageInfo | null> {
  try {
    return await images.inspect(overlay.path, { ...call, format: overlay.format });
  } catch (error) {
    if (!(error instanceof DiskSnapshotError) || error.code !== 'OPERATION_FAILED') throw error;
    return images.inspect(overlay.path, { ...call, format: 'raw' });
  }
}

/** A person has to decide. */
export function undecided(guest: Guest, intent: IntentRecord, facts: string): DiskSnapshotError {
  return new DiskSnapshotError(
    'RECOVERY_NEEDED',
    `${guest.name}: the snapshot ${intent.set.name} was interrupted, and ${facts}. Nothing was touched. ` +
      'Do not stop or start the guest; compare `virsh qemu-monitor-command --pretty DOMAIN query-block` with its XML first',
    { guest: guest.name, snapshot: intent.set.name, outcome: 'unknown' },
  );
}
