// A guest that is off, whose definition names the base although it ran on in the overlay: its driver died between QEMU's
// transaction and its own bookkeeping, and the guest ended before anybody came. What it wrote there must not be lost.
import { stat } from 'node:fs/promises';
import type { Guest } from '../guest';
import { isLocalUri } from '../local';
import type { QemuState } from '../records/record';

/** Of a fresh overlay's clusters there are three to five; the first byte that a guest writes adds two. */
const FRESH_BYTES = 5 * 65536;

export const holdsData = ({ length }: { length: number }): boolean => length > FRESH_BYTES;

/**
 * Whether the base has rested since the overlay was last written to. If not, the guest has been started from the base
 * meanwhile, and the overlay does not fit to it any more. False where nobody here can tell.
 */
export async function hasRested(guest: Guest, { base, overlay }: QemuState): Promise<boolean> {
  if (!isLocalUri(await guest.domain.connection.getURI())) return false;
  try {
    const [below, above] = await Promise.all([stat(base.path), stat(overlay.path)]);
    return below.mtimeMs <= above.mtimeMs;
  } catch {
    return false;
  }
}
