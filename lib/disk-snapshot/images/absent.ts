// What libvirt says where it has no such pool or volume.
import { ErrorNumber, LibvirtError } from '../../libvirt';

/** The driver has no pools (`qemu:///embed`), or the pool or volume is not there. */
const ABSENT: ReadonlySet<number> = new Set([
  ErrorNumber.NO_SUPPORT,
  ErrorNumber.NO_STORAGE_POOL,
  ErrorNumber.NO_STORAGE_VOL,
]);

const NO_VOLUME: ReadonlySet<number> = new Set([ErrorNumber.NO_STORAGE_VOL]);

/** The answer, or null where there is no such thing. */
export const orAbsent = <T>(pending: Promise<T>): Promise<T | null> => orNull(pending, ABSENT);

/** The same within a pool: that the pool itself is gone says nothing of its volumes. */
export const orNoVolume = <T>(pending: Promise<T>): Promise<T | null> => orNull(pending, NO_VOLUME);

async function orNull<T>(pending: Promise<T>, absent: ReadonlySet<number>): Promise<T | null> {
  try {
    return await pending;
  } catch (e) {
    if (e instanceof LibvirtError && absent.has(e.code)) return null;
    throw e;
  }
}
