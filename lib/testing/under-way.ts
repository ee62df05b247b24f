// What goes on in a guest while it is brought back: it ends, because what it waits for will never come.
import type { Domain } from '../libvirt';

interface Work {
  readonly begun: number;
  readonly end: AbortController;
}

let moments = 0;
/** By the guest's UUID, since one guest may have several handles. */
const underWay = new Map<string, Set<Work>>();

/** The guest went back to a time before this had begun. */
export class GuestRestoredError extends Error {
  /** Always `'GuestRestoredError'`. */
  override readonly name = 'GuestRestoredError';
}

/** A point in this process's time, later than all before. */
export function thisMoment(): number {
  moments += 1;
  return moments;
}

/** Runs `work`, and rejects with a GuestRestoredError, at once, where the guest goes back to a time before it. */
export async function duringGuest<T>(domain: Domain, work: (restored: AbortSignal) => Promise<T>): Promise<T> {
  const uuid = domain.getUUIDString();
  const all = underWay.get(uuid) ?? new Set();
  underWay.set(uuid, all);
  const one: Work = { begun: thisMoment(), end: new AbortController() };
  all.add(one);
  try {
    return await untilAborted(work(one.end.signal), one.end.signal);
  } finally {
    all.delete(one);
    if (all.size === 0) underWay.delete(uuid);
  }
}

/** Ends all that began in the guest after `moment`. */
export function endSince(domain: Domain, moment: number): void {
  for (const { begun, end } of underWay.get(domain.getUUIDString()) ?? []) {
    if (begun > moment)
      end.abort(new GuestRestoredError(`the guest ${domain.getName()} was brought back to a time before this`));
  }
}

/** What `work` brings, or the reason of `signal` as soon as it aborts: nobody waits for `work` then. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let leave = () => {};
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
