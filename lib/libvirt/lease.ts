// What keeps a deadline while JavaScript is stuck: a thread of the addon.
import { native } from '../native';
import type { Domain } from './domain';
import { raw } from './handle';

/** @internal A guest that goes on by itself when its time is over. */
export interface Lease {
  /** JavaScript is at it: the time begins anew. Does nothing once the lease is over. */
  postpone(byMs: number): void;
  /** The guest is proven to go on. Any number of times. */
  end(): void;
}

/**
 * @internal Begins a lease. Over, a freeze is thawed until `guest-fsfreeze-status` says so, and a pause by a user is resumed:
 * virDomainQemuAgentCommand or virDomainResume, over a connection of its own.
 */
export function beginLease(domain: Domain, what: 'freeze' | 'pause', afterMs: number): Lease {
  const lease = native.lease(domain[raw], what === 'freeze', afterMs);
  return {
    postpone: (byMs) => lease && native.postponeLease(lease, byMs),
    end: () => lease && native.endLease(lease),
  };
}
