// Who ends a freeze or pause of ours if we cannot: a thread of this process where its JavaScript is stuck, and a process of
// its own where this one is gone. It does not matter which comes first: letting a guest go on twice is letting it go on.
import type { Domain } from '../../libvirt';
import { beginLease } from '../../libvirt/lease';
import { armGuard } from './guard';
import type { Order } from './wire';

export interface Watch {
  /** What is watched begins now: its time counts from here. */
  begin(): void;
  /** Tells, at once or later, that our own process is all that watches: the guard has ended. */
  onLost(tell: () => void): void;
  /** We are letting the guest go on: who watches waits, for as long as it sees that we are at it. */
  takeOver(): void;
  /** We cannot do it: who watches acts at once. */
  handOver(): void;
  /** The guest is proven to go on. */
  end(): void;
}

/** JavaScript that runs comes first, and the thread before the guard. */
const LEASE_GRACE_MS = 200;
/** How often those who watch are told that we are at it, and how long one such word lasts. */
const BEAT_MS = 1_000;
const LASTS_MS = 5_000;

/**
 * Watches over a freeze or pause that is about to begin.
 *
 * @param guard false: no process of its own
 * @param signal ends the waiting for it
 * @throws DiskSnapshotError GUARD_UNAVAILABLE
 */
export async function watchOver(
  domain: Domain,
  what: Order['what'],
  longestMs: number,
  { guard, signal }: { guard: boolean; signal?: AbortSignal | undefined },
): Promise<Watch> {
  const armed = guard ? await armGuard(domain, what, longestMs, signal) : null;
  const lease = beginLease(domain, what, longestMs + LEASE_GRACE_MS);
  let beating: NodeJS.Timeout | undefined;
  const postpone = (byMs: number) => {
    lease.postpone(byMs + (byMs > 0 ? LEASE_GRACE_MS : 0));
    armed?.postpone(byMs);
  };
  return {
    begin: () => postpone(longestMs),
    onLost: (tell) => armed?.onLost(tell),
    // Three that thaw one guest whose agent hangs wait for each other in the daemon, and take its threads from others.
    takeOver: () => {
      if (beating) return;
      beating = setInterval(postpone, BEAT_MS, LASTS_MS).unref();
      postpone(LASTS_MS);
    },
    handOver: () => {
      clearInterval(beating);
      postpone(0);
    },
    end: () => {
      clearInterval(beating);
      lease.end();
      armed?.disarm();
    },
  };
}
