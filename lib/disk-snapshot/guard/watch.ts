// Who ends a freeze or pause of ours if we cannot: a thread of this process where its JavaScript is stuck, and a process of
// its own where this one is gone. It does not matter which comes first: letting a guest go on twice is letting it go on.
import type { Domain } from '../../libvirt';
import { beginLease } from '../../libvirt/lease';
import { armGuard } from './guard';
import type { Order } from './wire';

export interface Watch {
  /** The guest is proven to go on. */
  end(): void;
}

/** JavaScript that runs comes first, and the thread before the guard. */
const LEASE_GRACE_MS = 200;

/**
 * Watches over a freeze or pause that is about to begin.
 *
 * @param guard false: no process of its own
 * @throws DiskSnapshotError GUARD_UNAVAILABLE
 */
export async function watchOver(
  domain: Domain,
  what: Order['what'],
  longestMs: number,
  { guard }: { guard: boolean },
): Promise<Watch> {
  const armed = guard ? await armGuard(domain, what, longestMs) : null;
  const lease = beginLease(domain, what, longestMs + LEASE_GRACE_MS);
  return {
    end: () => {
      lease.end();
      armed?.disarm();
    },
  };
}
