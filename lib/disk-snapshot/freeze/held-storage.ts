// A held quiesce as its holder has it, and as a snapshot that is cut inside it sees it.
import type { Domain } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { invalidValue } from '../argument';
import { DiskSnapshotError } from '../errors';
import { checkCallOptions } from '../facade';
import type { FrozenFilesystem, QuiescedStorage, ThawResult } from '../types';
import { type GuestMount, selectFilesystems } from './filesystems';
import type { Freeze } from './freeze';

/** What quiesceStorage() gives. */
export class HeldStorage implements QuiescedStorage {
  readonly #freeze: Freeze;
  readonly #guest: { name: string; uuid: string; mounts: readonly GuestMount[] };
  #released = false;

  constructor(freeze: Freeze, guest: { name: string; uuid: string; mounts: readonly GuestMount[] }) {
    this.#freeze = freeze;
    this.#guest = guest;
  }

  get filesystems(): readonly FrozenFilesystem[] {
    return this.#freeze.filesystems;
  }

  get signal(): AbortSignal {
    return this.#freeze.signal;
  }

  async unquiesce(options: CallOptions = {}): Promise<ThawResult> {
    checkCallOptions(options, 'unquiesce');
    this.#released = true;
    return this.#freeze.thaw(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unquiesce();
  }

  /** Whether a value is one of ours: a private member cannot be forged. */
  static is(value: unknown): value is HeldStorage {
    return typeof value === 'object' && value !== null && #freeze in value;
  }

  /** The freeze, if it still holds and covers these disks of this guest. */
  freezeFor(domain: Domain, targets: readonly string[]): Freeze {
    const { name: guest, uuid, mounts } = this.#guest;
    if (domain.getUUIDString() !== uuid) {
      throw invalidValue('options.quiesce', `a quiesce of ${domain.getName()}`, `one of ${guest}`);
    }
    if (this.#freeze.signal.aborted) throw this.#freeze.signal.reason;
    if (this.#released) throw notHeld(guest, 'was ended by unquiesce(). Take the snapshot before that');
    const held = new Set(this.filesystems.map(({ mountpoint }) => mountpoint));
    const open = selectFilesystems(mounts, targets).filesystems.find(({ mountpoint }) => !held.has(mountpoint));
    if (open) throw notHeld(guest, `leaves out ${open.mountpoint}. Quiesce ${targets.join(', ')} together`);
    return this.#freeze;
  }
}

function notHeld(guest: string, what: string): DiskSnapshotError {
  return new DiskSnapshotError('QUIESCE_UNAVAILABLE', `${guest}: the quiesce that was passed ${what}`, { guest });
}

export const isQuiescedStorage = (value: unknown): value is QuiescedStorage => HeldStorage.is(value);

/**
 * The freeze behind a held quiesce, for a cut of these disks (none: as far as it reaches).
 *
 * @throws TypeError where it is not one of ours, or of another guest; DiskSnapshotError QUIESCE_UNAVAILABLE where it was
 * ended or leaves a file system out; the reason of its `signal` where it does not hold any more
 */
export function heldFreeze(held: QuiescedStorage, domain: Domain, targets: readonly string[]): Freeze {
  if (!HeldStorage.is(held)) throw invalidValue('options.quiesce', 'what quiesceStorage() gave', held);
  return held.freezeFor(domain, targets);
}
