// One block job of QEMU, run to its end, and the truth about that end.
//
// Events get lost (a daemon restarts), or never come (QEMU dies: only the lifecycle event tells); a job that failed
// looks afterwards just like one that succeeded. So events, polls, the guest's and the connection's end all feed one
// state machine, and what counts in the end is whether the disk's chain has changed.
import { type BlockJobInfo, type Domain, DomainBlockJobAbortFlags, ErrorNumber, LibvirtError } from '../../libvirt';
import { onAbort } from '../../libvirt/on-abort';
import type { CallOptions } from '../../libvirt/options';
import { child } from '../../xml/document';
import { readDomain } from '../../xml/domain';
import { DiskSnapshotError, type Outcome } from '../errors';
import { translate } from '../facade';
import { faultPoint } from '../fault-point';
import { afterNews, isEnd, type JobEnd, type JobState, step } from './job-state';
import { JobWatch } from './job-watch';

export interface BlockJob {
  domain: Domain;
  /** The target. */
  disk: string;
  /** Whether it stays READY until it is told to pivot: an active commit, a copy. */
  pivots: boolean;
  start(): Promise<void>;
  /** The job runs already, left behind by an owner who is gone: `start` only takes it over. */
  resumes?: boolean;
  /** Whether the chain is now as the job should leave it: asked of QEMU, the XML or the headers, after the end. */
  took(): Promise<boolean>;
}

export interface BlockJobOptions {
  /** Cancels the job and waits until it is gone, unless the pivot was already asked for. */
  signal?: AbortSignal | undefined;
  /** Bytes, never less than before. `total` may grow while the guest writes; 0: not known yet. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Progress has no event. */
const POLL_MS = 250;
/** After an abort: how long a hypervisor that does not answer is waited for. A pivot that was asked for is waited for. */
const ABORT_PATIENCE_MS = 10_000;
/** libvirt forgets a job in the same breath as it changes the XML; one empty answer may still be too early. */
const EMPTY_POLLS = 2;

/**
 * Runs a block job to its end. Resolves only where the chain has changed.
 *
 * @throws the signal's reason, where it cancelled the job; DiskSnapshotError DISK_BUSY (somebody else's job), JOB_FAILED,
 * NO_SPACE, PERMISSION_DENIED (`outcome` 'unchanged': the layer is still there), CONNECTION_LOST ('unknown': the job may
 * go on without us).
 */
export async function runBlockJob(job: BlockJob, options: BlockJobOptions = {}): Promise<void> {
  options.signal?.throwIfAborted();
  if (!job.resumes) await refuseBusy(job.domain, job.disk);
  const watch = await JobWatch.begin(job.domain, job.disk);
  try {
    await new Run(job, watch, options).toItsEnd();
  } finally {
    await watch.end();
  }
}

/** The job that runs on a disk of a running guest; null: none. An inner merge shows in no XML, a merge to the base not always. */
export function jobOn(domain: Domain, disk: string, call: CallOptions = {}): Promise<BlockJobInfo | null> {
  return domain.getBlockJobInfo(disk, call).catch((error: unknown) => {
    if (error instanceof LibvirtError && error.code === ErrorNumber.NO_SUPPORT) return null;
    throw error;
  });
}

/**
 * @param deleted the snapshot whose deletion was begun on this disk, and not ended
 * @throws DiskSnapshotError DISK_BUSY where a job runs on that disk.
 */
export async function refuseBusy(
  domain: Domain,
  disk: string,
  call: CallOptions = {},
  deleted?: string,
): Promise<void> {
  if ((await jobOn(domain, disk, call)) !== null) throw busy(domain.getName(), disk, { deleted });
}

function busy(guest: string, disk: string, { cause, deleted }: { cause?: unknown; deleted?: string | undefined }) {
  const advice = deleted
    ? `It is left of the deletion of snapshot ${deleted}: delete that one again, which ends it`
    : `Wait for its end, or abort it (virsh blockjob ${guest} ${disk} --abort), then try again`;
  return new DiskSnapshotError('DISK_BUSY', `${guest}: a block job runs on disk ${disk}. ${advice}`, {
    guest,
    disk,
    cause,
  });
}

class Run {
  /** Asked for now: a connection that has ended gives no name any more. */
  readonly #guest: string;
  #state: JobState = 'starting';
  #refusal: unknown;
  /** The start was refused: nothing was touched. */
  #refused = false;
  #asked: Promise<void> = Promise.resolve();
  #done = 0;
  #total = 0;
  #empty = 0;
  #abortedAt: number | undefined;

  constructor(
    private readonly job: BlockJob,
    private readonly watch: JobWatch,
    private readonly options: BlockJobOptions,
  ) {
    this.#guest = job.domain.getName();
  }

  async toItsEnd(): Promise<void> {
    const { job, watch } = this;
    const { signal } = this.options;
    const stopListening = onAbort(signal, () => watch.wake());
    job.start().then(
      () => watch.tell('started'),
      (error: unknown) => {
        this.#refusal = error;
        this.#refused = true;
        watch.tell('failed');
      },
    );
    try {
      while (!isEnd(this.#state)) {
        const news = await watch.next(POLL_MS);
        if (news !== null) this.#state = afterNews(this.#state, news);
        else if (this.#state !== 'starting') await this.poll();
        await this.act();
        if (this.isHung()) throw this.failure('OPERATION_FAILED', hung, 'unknown');
      }
    } catch (error) {
      // A callback of the caller threw: nobody is left to watch the job, so it must not go on. It may have ended already.
      const goesOn = !isEnd(this.#state) && this.#state !== 'pivoting' && this.#state !== 'cancelling';
      if (goesOn) await job.domain.blockJobAbort(job.disk, { timeoutMs: ABORT_PATIENCE_MS }).catch(() => {});
      throw error;
    } finally {
      stopListening();
    }
    await this.conclude(this.#state);
  }

  /** What the state calls for, besides waiting. */
  private async act(): Promise<void> {
    const { domain, disk, pivots } = this.job;
    const state = this.#state;
    if (state === 'ready' && pivots) await faultPoint('delete.job-ready');
    if ((state === 'running' || state === 'ready') && this.options.signal?.aborted) {
      this.#state = step(state, 'cancel');
      this.ask(domain.blockJobAbort(disk));
    } else if (state === 'ready' && pivots) {
      this.#state = step(state, 'pivot');
      this.ask(domain.blockJobAbort(disk, DomainBlockJobAbortFlags.PIVOT));
      await faultPoint('delete.pivot-sent');
    }
  }

  /** Whether the caller has given up, and nobody answers: to be found again, whatever came of it. */
  private isHung(): boolean {
    if (!this.options.signal?.aborted || isEnd(this.#state) || this.#state === 'pivoting') return false;
    this.#abortedAt ??= performance.now();
    return performance.now() - this.#abortedAt > ABORT_PATIENCE_MS;
  }

  /** A request to end the job. Refused, it may have ended by itself: the next polls find out. */
  private ask(request: Promise<void>): void {
    this.#refusal = undefined;
    this.#asked = request.catch((error: unknown) => {
      this.#refusal = error;
      this.watch.wake();
    });
  }

  /** Progress, and what a lost event would have said. */
  private async poll(): Promise<void> {
    const { domain, disk, pivots } = this.job;
    const info = await domain.getBlockJobInfo(disk, { timeoutMs: 20 * POLL_MS }).catch(() => undefined);
    // No answer: the monitor is busy, or the guest or the connection has gone, of which we are told.
    if (info === undefined) return;
    if (info === null) {
      this.#empty += 1;
      if (this.#empty >= EMPTY_POLLS) this.#state = (await this.took()) ? 'completed' : this.endWithoutNews();
      return;
    }
    this.#empty = 0;
    this.#done = Math.max(this.#done, Number(info.cur));
    this.#total = Math.max(this.#total, this.#done, Number(info.end));
    this.options.onProgress?.(this.#done, this.#total);
    const nearlyThere = info.end > 0n && info.cur * 100n >= info.end * 99n;
    if (pivots && this.#state === 'running' && nearlyThere && (await isReady(domain, disk))) {
      this.#state = afterNews(this.#state, 'ready');
    }
    if (this.#refusal !== undefined) this.insist();
  }

  /** We asked for the end, were refused, and the job is still there. */
  private insist(): void {
    const { domain, disk } = this.job;
    if (this.#state === 'pivoting') this.#state = 'failed';
    // What ends here is a job that failed to pivot, and it must not stay behind.
    this.ask(domain.blockJobAbort(disk));
  }

  private endWithoutNews(): JobEnd {
    return this.#state === 'cancelling' ? 'cancelled' : 'failed';
  }

  private async took(): Promise<boolean | null> {
    return this.job.took().catch(() => null);
  }

  /** The end that was reported is held against what is true. */
  private async conclude(end: JobEnd): Promise<void> {
    await this.#asked;
    if (this.watch.connectionLost) throw this.failure('CONNECTION_LOST', lostConnection, 'unknown');
    const took = await this.took();
    if (took === true) {
      if (this.#total > 0) this.options.onProgress?.(this.#total, this.#total);
      return;
    }
    const outcome: Outcome = took === null ? 'unknown' : 'unchanged';
    const { signal } = this.options;
    const isGivenUp = end === 'cancelled' || this.#refusal === signal?.reason;
    if (signal?.aborted && isGivenUp && took === false) throw signal.reason;
    if (end === 'completed')
      throw this.failure('JOB_FAILED', 'the job says completed, but its layer is still there', 'unknown');
    if (end === 'lost') throw this.failure('JOB_FAILED', 'the guest ended during the job', outcome);
    if (end === 'cancelled') throw this.failure('JOB_FAILED', 'somebody else cancelled the job', outcome);
    throw this.failed(outcome);
  }

  private failed(outcome: Outcome): unknown {
    const said = this.watch.reason;
    const { disk } = this.job;
    if (said !== null) {
      const code = /No space left|quota/i.test(said) ? 'NO_SPACE' : 'JOB_FAILED';
      return this.failure(code, `QEMU ended the job: ${said}`, outcome);
    }
    if (this.#refusal instanceof LibvirtError && this.#refusal.code === ErrorNumber.BLOCK_COPY_ACTIVE) {
      return busy(this.#guest, disk, { cause: this.#refusal });
    }
    const translated = translate(this.#refusal, { guest: this.#guest, disk, outcome });
    if (translated instanceof DiskSnapshotError && translated.code !== 'OPERATION_FAILED') return translated;
    const why = this.#refusal instanceof Error ? this.#refusal.message : 'the job failed, and nobody says why';
    return this.failure('JOB_FAILED', why, outcome);
  }

  private failure(
    code: 'JOB_FAILED' | 'NO_SPACE' | 'CONNECTION_LOST' | 'OPERATION_FAILED',
    why: string,
    outcome: Outcome,
  ): DiskSnapshotError {
    const guest = this.#guest;
    const { disk } = this.job;
    const advice = ADVICE[this.#refused ? 'refused' : outcome === 'unchanged' ? 'stopped' : 'unknown'];
    const cause = this.#refusal;
    return new DiskSnapshotError(code, `${guest}: disk ${disk}: ${why}. ${advice}`, { guest, disk, outcome, cause });
  }
}

const hung = 'it was given up, and the hypervisor does not say what became of the job, which may go on without us';
const lostConnection = 'the connection ended during the job, which may go on without us. Connect again';

const ADVICE = {
  refused: 'Nothing was touched: see to the cause and try again',
  stopped:
    'The guest goes on as before and has lost nothing, but the image below was written to: see to the cause, try again',
  unknown: 'Try again: what was done already is found and finished',
} as const;

/** Whether libvirt says of the disk's job that it may pivot. */
async function isReady(domain: Domain, disk: string): Promise<boolean> {
  const found = readDomain(await domain.getXMLDesc()).disks.find(({ target }) => target === disk);
  return found !== undefined && child(found.element, 'mirror')?.attributes.ready === 'yes';
}
