// Whether the image below a layer still is the point in time that a record says it is.
import type { QemuState } from '../records/record';

/**
 * Why it is none any more; null where it is one, provided that the image is there.
 *
 * @param writesTo the image that the disk writes to
 */
export function whyLost({ deleting, base }: QemuState, writesTo: string | null | undefined): string | null {
  if (deleting) return 'its deletion was begun: it is no point in time any more. Delete it again';
  return writesTo === base.path ? `the guest writes to ${base.path}: it is no point in time any more` : null;
}
