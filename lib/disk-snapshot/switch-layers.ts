// The commit point: QEMU's transaction, which switches all overlays or none, and what is true where libvirt says that it failed.
import { LibvirtError } from '../libvirt';
import { DiskSnapshotError, messageOf } from './errors';
import { translate } from './facade';
import { liveChain } from './images/backing-chain';
import { cutLayers, lookAtLayers } from './methods/qemu-external';
import type { Plan } from './plan';
import { type Quiesced, where } from './snapshot-state';

/** libvirt answers a cut within milliseconds; a daemon that has not done so by then is hung. */
const CUT_LIMIT_MS = 60_000;
export const LOOK_LIMIT_MS = 30_000;

/** Null, or libvirt's error for a cut that took place all the same. */
export async function switchLayers(quiesced: Quiesced): Promise<unknown> {
  const { plan, layers } = quiesced;
  try {
    await cutLayers(plan.guest.domain, plan.guest.document, layers, plan.name, { timeoutMs: CUT_LIMIT_MS });
    return null;
  } catch (error) {
    // Only a failed call needs to be looked into before the thaw: the window is the guest's time.
    await checkSwitched(quiesced, error);
    return error;
  }
}

/**
 * libvirt reports failure also where the disks have switched: the domain decides, and QEMU above its XML. Nothing is taken
 * back unless both say that no disk has switched, and libvirt has answered: a call that was given up may still take effect.
 */
async function checkSwitched({ plan, layers }: Quiesced, said: unknown): Promise<void> {
  const { domain, name, active } = plan.guest;
  if (!(said instanceof LibvirtError)) throw unknownOutcome(plan, said, 'libvirt has not answered');
  let switched: boolean[];
  try {
    const call = { timeoutMs: LOOK_LIMIT_MS };
    const states = await lookAtLayers(domain, layers, call);
    switched = states.map((state) => state.switched);
    for (const { layer, disk } of active ? states : []) {
      const [top] = disk ? await liveChain(domain, disk, call) : [];
      switched.push(top?.path === layer.overlay.path);
    }
  } catch (error) {
    throw unknownOutcome(plan, said, `then the domain could not be read: ${messageOf(error)}`);
  }
  if (!switched.includes(true)) throw translate(said, { guest: name, snapshot: plan.name });
  if (switched.includes(false)) throw unknownOutcome(plan, said, 'only some of the disks have switched');
}

export function unknownOutcome(plan: Plan, said: unknown, then: string): DiskSnapshotError {
  return new DiskSnapshotError(
    'RECOVERY_NEEDED',
    `${plan.guest.name}: the snapshot ${plan.name} failed in its cut (${messageOf(said)}), and ${then}. ` +
      'Call recoverDiskSnapshots(domain) when the host answers again',
    { ...where(plan), outcome: 'unknown', cause: said },
  );
}
