// What libvirt says where it has no such pool or volume.
import { ErrorNumber, LibvirtError } from '../../libvirt';

/** The driver has no pools (`qemu:///embed`), or the pool or volume is not there. */
const ABSENT: ReadonlySet<number> = new Set([
  ErrorNumber.NO_SUPPORT,
  ErrorNumber.NO_STORAGE_POOL,
  ErrorNumber.NO_STORAGE_VOL,
]);

/** The answer, or null where there is no such thing. */
export async function orAbsent<T>(pending: Promise<T>): Promise<T | null> {
  try {
    return await pending;
  } catch (e) {
    if (e instanceof LibvirtError && ABSENT.has(e.code)) return null;
    throw e;
  }
}
