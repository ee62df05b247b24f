// A block job is run to its end, and the end that is told is the true one: against a libvirt that loses events, reports
// late, refuses and dies. What real QEMU does is in test/guest.
import { describe, expect, jest, test } from '@jest/globals';
import { runBlockJob } from '../../lib/disk-snapshot/merge/block-job';
import { afterNews, isEnd, type JobNews, type JobState, step } from '../../lib/disk-snapshot/merge/job-state';
import {
  type Domain,
  DomainBlockJobAbortFlags,
  DomainEventType,
  ConnectDomainEventBlockJobStatus as Status,
} from '../../lib/libvirt';

describe('the states', () => {
  test('lead from start to the pivot and the end', () => {
    const news: JobNews[] = ['started', 'ready'];
    const ready = news.reduce<JobState>(afterNews, 'starting');
    expect(ready).toBe('ready');
    expect(step('ready', 'pivot')).toBe('pivoting');
    expect(afterNews('pivoting', 'completed')).toBe('completed');
  });

  test('let nothing follow an end', () => {
    for (const end of ['completed', 'failed', 'cancelled', 'lost'] as const) {
      expect(isEnd(end)).toBe(true);
      for (const news of ['started', 'ready', 'completed', 'failed'] as const) expect(afterNews(end, news)).toBe(end);
    }
  });

  test('know no way back from the pivot', () => {
    // @ts-expect-error what was asked to pivot is not cancelled
    expect(step('pivoting', 'cancel')).toBeUndefined();
    expect(afterNews('pivoting', 'ready')).toBe('pivoting');
  });
});

/** A libvirt with one job on vda; each test says how it behaves. */
class FakeJob {
  readonly #listeners = new Map<string, (event: never) => void>();
  #ended: ((error: Error | null) => void) | null = null;
  info: { cur: bigint; end: bigint } | null = { cur: 0n, end: 0n };
  mirrorReady = false;
  chainChanged = false;
  onStart: () => void = () => {};
  onCancel: () => void = () => {};
  onPivot: () => void = () => {};
  readonly aborts: string[] = [];
  running = false;

  readonly domain = {
    getName: () => 'guest',
    getBlockJobInfo: async () => (this.running && this.info ? { type: 4, bandwidth: 0, ...this.info } : null),
    getXMLDesc: async () =>
      `<domain type='qemu'><name>guest</name><devices><disk type='file'><target dev='vda'/>${
        this.mirrorReady ? "<mirror type='file' job='active-commit' ready='yes'/>" : ''
      }</disk></devices></domain>`,
    blockJobAbort: async (_disk: string, flags?: number) => {
      const pivot = flags === DomainBlockJobAbortFlags.PIVOT;
      this.aborts.push(pivot ? 'pivot' : 'cancel');
      if (pivot) this.onPivot();
      else this.onCancel();
    },
    connection: {
      subscribe: async (name: string) => ({
        on: (listener: (event: never) => void) => this.#listeners.set(name, listener),
        [Symbol.asyncDispose]: async () => {
          this.#listeners.delete(name);
          if (name === 'lifecycle') this.#ended?.(null);
        },
        [Symbol.asyncIterator]: () => this.#lifecycle(),
      }),
    },
  } as unknown as Domain;

  async *#lifecycle() {
    for (;;) {
      const queue: { event: number }[] = [];
      const more = await new Promise<boolean>((resolve, reject) => {
        this.#listeners.set('lifecycle', (event: never) => {
          queue.push(event);
          resolve(true);
        });
        this.#ended = (error) => (error ? reject(error) : resolve(false));
      });
      if (!more) return;
      yield* queue;
    }
  }

  tell(status: number, disk = 'vda'): void {
    this.#listeners.get('block-job-2')?.({ disk, type: 4, status } as never);
  }
  qemuSays(error: string): void {
    const details = JSON.stringify({ type: 'commit', device: 'commit-vda-libvirt-2-format', error });
    this.#listeners.get('qemu-monitor-event')?.({ event: 'BLOCK_JOB_COMPLETED', details } as never);
  }
  guestStops(): void {
    this.#listeners.get('lifecycle')?.({ event: DomainEventType.STOPPED } as never);
  }
  connectionEnds(): void {
    this.#ended?.(new Error('the connection ended'));
  }
  end(status: number, { changed }: { changed: boolean }): void {
    this.running = false;
    this.chainChanged = changed;
    this.tell(status);
  }

  run(options: Parameters<typeof runBlockJob>[1] = {}, { pivots = true, resumes = false } = {}): Promise<void> {
    const job = {
      resumes,
      domain: this.domain,
      disk: 'vda',
      pivots,
      start: async () => {
        this.running = true;
        this.onStart();
      },
      took: async () => this.chainChanged,
    };
    return runBlockJob(job, options);
  }
}

const completes = (job: FakeJob) => () => job.end(Status.COMPLETED, { changed: true });
const soon = (what: () => void) => setImmediate(what);

describe('a job', () => {
  test('that becomes READY is told to pivot, and is done when it has completed', async () => {
    const job = new FakeJob();
    job.onStart = () => soon(() => job.tell(Status.READY));
    job.onPivot = completes(job);

    await job.run();

    expect(job.aborts).toEqual(['pivot']);
  });

  test('that does not pivot is done when it has completed', async () => {
    const job = new FakeJob();
    job.onStart = () => soon(completes(job));

    await job.run({}, { pivots: false });

    expect(job.aborts).toEqual([]);
  });

  test('whose READY was lost is found by its XML; 0 of 0 is not the end', async () => {
    const job = new FakeJob();
    job.onPivot = completes(job);
    const seen: [number, number][] = [];
    const onProgress = (done: number, total: number) => {
      seen.push([done, total]);
      // one byte short of the end, as libvirt 9.0 reports READY
      job.info = { cur: 99n, end: 100n };
      job.mirrorReady = seen.length >= 3;
    };

    await job.run({ onProgress });

    const beforePivot = [
      [0, 0],
      [99, 100],
      [99, 100],
    ];
    expect(seen).toEqual([...beforePivot, [100, 100]]);
    expect(job.aborts).toEqual(['pivot']);
  });

  test('whose end was lost is told by the chain', async () => {
    const [merged, not] = [new FakeJob(), new FakeJob()];
    for (const job of [merged, not]) {
      job.onStart = () => {
        job.running = false;
        job.chainChanged = job === merged;
      };
    }

    await expect(merged.run()).resolves.toBeUndefined();
    await expect(not.run()).rejects.toMatchObject({ code: 'JOB_FAILED', outcome: 'unchanged' });
  });

  test('that says completed while its layer is still there has not', async () => {
    const job = new FakeJob();
    job.onStart = () => soon(() => job.end(Status.COMPLETED, { changed: false }));

    await expect(job.run()).rejects.toMatchObject({ code: 'JOB_FAILED', outcome: 'unknown' });
  });

  test('that failed says why, if QEMU says it', async () => {
    const [full, mute] = [new FakeJob(), new FakeJob()];
    full.onStart = () =>
      soon(() => {
        full.qemuSays('No space left on device');
        full.end(Status.FAILED, { changed: false });
      });
    mute.onStart = () => soon(() => mute.end(Status.FAILED, { changed: false }));

    await expect(full.run()).rejects.toMatchObject({
      code: 'NO_SPACE',
      outcome: 'unchanged',
      disk: 'vda',
      message: expect.stringContaining('No space left on device'),
    });
    await expect(mute.run()).rejects.toMatchObject({ code: 'JOB_FAILED', outcome: 'unchanged' });
  });

  test('ends with its guest, of which no job event tells', async () => {
    const job = new FakeJob();
    job.onStart = () => soon(() => job.guestStops());

    await expect(job.run()).rejects.toMatchObject({ code: 'JOB_FAILED', outcome: 'unchanged' });
  });

  test('is out of sight when the connection ends', async () => {
    const job = new FakeJob();
    job.onStart = () => soon(() => job.connectionEnds());

    await expect(job.run()).rejects.toMatchObject({ code: 'CONNECTION_LOST', outcome: 'unknown' });
  });

  test('of another disk is none of our business', async () => {
    const job = new FakeJob();
    job.onStart = () =>
      soon(() => {
        job.tell(Status.FAILED, 'vdb');
        job.tell(Status.READY);
      });
    job.onPivot = completes(job);

    await expect(job.run()).resolves.toBeUndefined();
  });

  test('of somebody else on that disk is left alone', async () => {
    const job = new FakeJob();
    job.running = true;

    await expect(job.run()).rejects.toMatchObject({ code: 'DISK_BUSY', outcome: 'unchanged' });
    expect(job.aborts).toEqual([]);
  });
});

test('a job that its owner has left behind READY is taken over, and finished', async () => {
  const job = new FakeJob();
  job.running = true;
  job.info = { cur: 100n, end: 100n };
  job.mirrorReady = true;
  job.onPivot = completes(job);

  await job.run({}, { resumes: true });

  expect(job.aborts).toEqual(['pivot']);
});

describe('an abort', () => {
  test('before the start starts nothing', async () => {
    const job = new FakeJob();
    const reason = new Error('enough');

    await expect(job.run({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(job.running).toBe(false);
  });

  test('before the job is started: nothing was touched, and the reason is told', async () => {
    const job = new FakeJob();
    const abort = new AbortController();
    job.onStart = () => {
      abort.abort(new Error('enough'));
      abort.signal.throwIfAborted();
    };

    await expect(job.run({ signal: abort.signal })).rejects.toThrow('enough');

    expect(job.aborts).toEqual([]);
  });

  test('cancels the job, and rejects with the reason when it has really gone', async () => {
    const job = new FakeJob();
    const abort = new AbortController();
    const reason = new Error('enough');
    job.onStart = () => soon(() => abort.abort(reason));
    let gone = false;
    job.onCancel = () =>
      setTimeout(() => {
        gone = true;
        job.end(Status.CANCELED, { changed: false });
      }, 50);

    await expect(job.run({ signal: abort.signal })).rejects.toBe(reason);
    expect(gone).toBe(true);
    expect(job.aborts).toEqual(['cancel']);
  });

  test('after the pivot was asked for comes too late: the job is finished', async () => {
    const job = new FakeJob();
    const abort = new AbortController();
    job.onStart = () => soon(() => job.tell(Status.READY));
    job.onPivot = () => {
      abort.abort();
      setTimeout(completes(job), 50);
    };

    await expect(job.run({ signal: abort.signal })).resolves.toBeUndefined();
    expect(job.aborts).toEqual(['pivot']);
  });

  test('by somebody else is no success', async () => {
    const job = new FakeJob();
    job.onStart = () => soon(() => job.end(Status.CANCELED, { changed: false }));

    await expect(job.run()).rejects.toMatchObject({
      code: 'JOB_FAILED',
      message: expect.stringContaining('somebody else'),
    });
  });

  test('that libvirt refuses is asked for again', async () => {
    const job = new FakeJob();
    const abort = new AbortController();
    job.onStart = () => soon(() => abort.abort());
    job.onCancel = () => {
      if (job.aborts.length === 1) throw new Error('the domain is busy');
      job.end(Status.CANCELED, { changed: false });
    };

    await expect(job.run({ signal: abort.signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(job.aborts).toEqual(['cancel', 'cancel']);
  });
});

test('a pivot that is refused is not the end of the story: the job is cancelled and reported', async () => {
  const job = new FakeJob();
  job.onStart = () => soon(() => job.tell(Status.READY));
  job.onPivot = () => {
    throw new Error('QEMU refused');
  };
  job.onCancel = () => {
    job.running = false;
  };

  await expect(job.run()).rejects.toMatchObject({ code: 'JOB_FAILED', outcome: 'unchanged' });
  expect(job.aborts).toEqual(['pivot', 'cancel']);
});

test('a callback that throws takes the job with it', async () => {
  const job = new FakeJob();
  const mistake = new Error('mine');
  job.onCancel = () => job.end(Status.CANCELED, { changed: false });
  const onProgress = jest.fn(() => {
    throw mistake;
  });

  await expect(job.run({ onProgress })).rejects.toBe(mistake);
  expect(job.running).toBe(false);
});
