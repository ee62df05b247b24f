// The guest stands still for the moment of the cuts, where one instant needs it, and goes on whatever happens.
import { DomainState } from '../libvirt';
import { DiskSnapshotError } from './errors';
import { faultPoint } from './fault-point';
import { type Watch, watchOver } from './guard/watch';
import type { Guest } from './guest';
import type { Phase } from './types';

export interface Paused {
  guest: Guest;
  since: number;
  watch: Watch;
}
export interface PauseOptions {
  guard: boolean;
  /** Ends the waiting for the guard; the pause itself is too short for it. */
  signal?: AbortSignal | undefined;
  report(phase: Phase): void;
}

/** libvirt answers within milliseconds; while the guest is stopped nobody waits longer than that for a hung daemon. */
const LIMIT_MS = 30_000;

/** virDomainSuspend: QEMU also flushes what it holds. Only of a guest that was seen running: it is ours to resume. */
export async function pauseGuest(guest: Guest, { guard, signal, report }: PauseOptions): Promise<Paused> {
  const watch = await watchOver(guest.domain, 'pause', LIMIT_MS, { guard, signal });
  report('pause');
  const paused = { guest, since: performance.now(), watch };
  try {
    await guest.domain.suspend({ timeoutMs: LIMIT_MS });
    await faultPoint('pause.begun');
  } catch (error) {
    await resumeGuest(paused, { report }); // a call that was given up may have paused it
    throw error;
  }
  return paused;
}

/**
 * virDomainResume, until the guest is seen running.
 *
 * @returns for how long it stood still, in milliseconds
 * @throws DiskSnapshotError OPERATION_FAILED, outcome `'unknown'`
 */
export async function resumeGuest(
  { guest, since, watch }: Paused,
  { report }: Pick<PauseOptions, 'report'>,
): Promise<number> {
  report('resume');
  let said: unknown;
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await guest.domain.resume({ timeoutMs: LIMIT_MS });
    } catch (error) {
      said = error; // a guest that runs cannot be resumed: the state decides
    }
    const { state } = await guest.domain.getState({ timeoutMs: LIMIT_MS });
    if (state === DomainState.PAUSED) continue;
    await faultPoint('pause.ended');
    watch.end();
    return performance.now() - since;
  }
  throw new DiskSnapshotError(
    'OPERATION_FAILED',
    `${guest.name} was paused for the cut and does not go on. Call recoverDiskSnapshots(domain), or resume it: virsh resume ${guest.name}`,
    { guest: guest.name, outcome: 'unknown', cause: said },
  );
}
