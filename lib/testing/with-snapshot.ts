// A guest that a test may dirty: afterwards it is what it was before.
import { randomBytes } from 'node:crypto';
import type { Domain } from '../libvirt';
import { type OptionNames, refuseUnknown } from '../libvirt/options';
import { saveDisks, type Way } from './disk-state';
import { dropMachine, loadMachine, StateRefusedError, saveMachine } from './machine-state';
import { duringGuest, GuestRestoredError, untilAborted } from './under-way';

/** When {@link withSnapshot} gives up. */
export interface WithSnapshotOptions {
  /** The guest is brought back when it aborts, whether `fn` has ended or not; then `withSnapshot` rejects with its reason. */
  signal?: AbortSignal;
  /** The same after so many milliseconds, with a TimeoutError. Choose it below the limit of the test runner. */
  timeoutMs?: number;
}

const OPTIONS: OptionNames<WithSnapshotOptions> = { signal: true, timeoutMs: true };

/**
 * Runs `fn` and then brings the guest back, also where `fn` fails, takes too long, or switches the guest off, crashes or
 * destroys it. About 0.5 s beside `fn`.
 *
 * **A running guest whose writable disks are all qcow2** gets back memory and disks: in place, or, where it no longer runs on the
 * same devices and files, in a new QEMU with the old state. Its definition comes back too, with all metadata in it.
 * **Any other persistent guest** gets back its disks, by a disk snapshot that is reverted and deleted, and boots if it ran.
 *
 * Not brought back: the time that has passed (the guest's clock goes back with it; an agent may set it), what is outside the
 * guest, as its peers' ends of connections, files that `fn` made on the host, and disks that the guest had not at first.
 *
 * @returns what `fn` returns
 * @throws GuestRestoredError where somebody else brings the guest back to an earlier time while `fn` runs
 * @example
 * await withSnapshot(domain, async (domain) => {
 *   await domain.destroy();   // or whatever a test does to it
 * });
 */
export async function withSnapshot<T>(
  domain: Domain,
  fn: (domain: Domain, signal: AbortSignal) => Promise<T>,
  options: WithSnapshotOptions = {},
): Promise<T> {
  refuseUnknown(options, OPTIONS, 'withSnapshot');
  options.signal?.throwIfAborted();
  const way = await save(domain);
  let restored = false;
  try {
    return await duringGuest(domain, (other) => within(options, other, (signal) => fn(domain, signal)));
  } catch (error) {
    restored = error instanceof GuestRestoredError;
    throw error;
  } finally {
    if (!restored) await way.back();
    await way.forget();
  }
}

/** Ends `work` by the caller's signal and limit, and by `other`. */
async function within<T>(
  { signal, timeoutMs }: WithSnapshotOptions,
  other: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ends = [other];
  if (signal !== undefined) ends.push(signal);
  if (timeoutMs !== undefined) ends.push(AbortSignal.timeout(timeoutMs));
  const end = AbortSignal.any(ends);
  return untilAborted(work(end), end);
}

async function save(domain: Domain): Promise<Way> {
  const name = `test-${randomBytes(6).toString('hex')}`;
  if (!(await domain.isActive())) return saveDisks(domain, name);
  try {
    const saved = await saveMachine(domain, name);
    return { back: async () => void (await loadMachine(domain, saved)), forget: () => dropMachine(domain, name) };
  } catch (error) {
    // A transient guest ends with its process, and so would a record of its disks.
    if (!(error instanceof StateRefusedError) || !(await domain.isPersistent())) throw error;
    return saveDisks(domain, name);
  }
}
