// The guest stands still for the moment of the cuts, where one instant needs it, and goes on whatever happens.
import { DomainPausedReason, DomainState } from '../libvirt';
import { DiskSnapshotError } from './errors';
import { faultPoint } from './fault-point';
import { type Watch, watchOver } from './guard/watch';
import type { Guest } from './guest';
import type { Phase } from './types';

export interface PauseOptions {
  guard: boolean;
  /** How long before the pause its watch may begin: what is waited for in between. */
  earlierMs: number;
  /** Ends the waiting for the guard; the pause itself is too short for it. */
  signal?: AbortSignal | undefined;
}

export interface Standstill {
  /** For how long, in milliseconds. */
  pausedMs: number;
  /** False: somebody else has let the guest go on before it was over. */
  held: boolean;
}

/** libvirt answers within milliseconds; while the guest is stopped nobody waits longer than that for a hung daemon. */
const LIMIT_MS = 30_000;
const CALL = { timeoutMs: LIMIT_MS };

export class Pause {
  readonly #guest: Guest;
  readonly #watch: Watch;
  readonly #report: (phase: Phase) => void;
  #since = Number.NaN;
  /** A guest that somebody else has paused by then is theirs to resume. */
  #isOurs = false;

  private constructor(guest: Guest, watch: Watch, report: (phase: Phase) => void) {
    this.#guest = guest;
    this.#watch = watch;
    this.#report = report;
  }

  /**
   * Has somebody watch over the pause that will begin: told before the guest is frozen, so that it does not wait for that.
   *
   * @throws DiskSnapshotError GUARD_UNAVAILABLE
   */
  static async watched(
    guest: Guest,
    report: (phase: Phase) => void,
    { guard, earlierMs, signal }: PauseOptions,
  ): Promise<Pause> {
    return new Pause(guest, await watchOver(guest.domain, 'pause', earlierMs + LIMIT_MS, { guard, signal }), report);
  }

  /** virDomainSuspend: QEMU also flushes what it holds. */
  async begin(): Promise<void> {
    const { domain } = this.#guest;
    this.#report('pause');
    this.#watch.begin();
    this.#since = performance.now();
    if ((await domain.getState(CALL)).state === DomainState.PAUSED) return;
    this.#isOurs = true; // a call that is given up may pause it all the same
    await domain.suspend(CALL);
    await faultPoint('pause.begun');
  }

  /**
   * virDomainResume, until the guest is seen running. Of a pause that has not begun only the watch ends.
   *
   * @throws DiskSnapshotError OPERATION_FAILED, outcome `'unknown'`; what libvirt said. Who watches then acts at once.
   */
  async end(): Promise<Standstill> {
    try {
      const standstill = await this.#letGo();
      this.#watch.end();
      return standstill;
    } catch (error) {
      this.#watch.handOver();
      throw error;
    }
  }

  async #letGo(): Promise<Standstill> {
    if (Number.isNaN(this.#since)) return { pausedMs: 0, held: true };
    this.#report('resume');
    const { domain, name } = this.#guest;
    let held: boolean | null = null;
    let said: unknown;
    for (let attempt = 0; attempt < 4; attempt++) {
      const { state, reason } = await domain.getState(CALL);
      held ??= state === DomainState.PAUSED;
      // One by an I/O error, or of somebody else, is never ended from here.
      const isToGoOn = this.#isOurs && state === DomainState.PAUSED && reason === DomainPausedReason.USER;
      if (!isToGoOn) {
        await faultPoint('pause.ended');
        return { pausedMs: performance.now() - this.#since, held };
      }
      // One that runs by now cannot be resumed: the state decides.
      await domain.resume(CALL).catch((error: unknown) => {
        said = error;
      });
    }
    throw new DiskSnapshotError(
      'OPERATION_FAILED',
      `${name} was paused for the cut and does not go on. Call recoverDiskSnapshots(domain), or resume it: virsh resume ${name}`,
      { guest: name, outcome: 'unknown', cause: said },
    );
  }
}
