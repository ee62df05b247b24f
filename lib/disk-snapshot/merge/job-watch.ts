// Everything that can be heard of a block job: its events, the guest's end, the connection's end, QEMU's own words.
import { ConnectDomainEventBlockJobStatus, type Domain, DomainEventType, type Subscription } from '../../libvirt';
import type { DomainEvents } from '../../libvirt/events';
import type { JobNews } from './job-state';

const NEWS: Readonly<Record<number, JobNews>> = {
  [ConnectDomainEventBlockJobStatus.COMPLETED]: 'completed',
  [ConnectDomainEventBlockJobStatus.FAILED]: 'failed',
  [ConnectDomainEventBlockJobStatus.CANCELED]: 'cancelled',
  [ConnectDomainEventBlockJobStatus.READY]: 'ready',
};

/** Begun before the job, so that nothing is missed; news come in the order in which they happened. */
export class JobWatch {
  /** QEMU's own word for a failure, which libvirt's event leaves out. */
  reason: string | null = null;
  connectionLost = false;
  readonly #news: JobNews[] = [];
  readonly #subscriptions: AsyncDisposable[] = [];
  #wake: () => void = () => {};

  static async begin(domain: Domain, disk: string): Promise<JobWatch> {
    const watch = new JobWatch();
    try {
      await watch.listen(domain, disk);
    } catch (error) {
      await watch.end();
      throw error;
    }
    return watch;
  }

  private async listen(domain: Domain, disk: string): Promise<void> {
    const conn = domain.connection;
    const jobs = await conn.subscribe('block-job-2', { domain });
    this.#subscriptions.push(jobs);
    jobs.on((event) => {
      const news = NEWS[event.status];
      if (event.disk === disk && news !== undefined) this.tell(news);
    });
    const life = await conn.subscribe('lifecycle', { domain });
    this.#subscriptions.push(life);
    void this.follow(life);
    // Only for a better message: a connection that may not listen to QEMU's monitor does without.
    const monitor = await conn.subscribe('qemu-monitor-event', { domain }).catch(() => null);
    if (monitor === null) return;
    this.#subscriptions.push(monitor);
    monitor.on(({ event, details }) => {
      if (event !== 'BLOCK_JOB_COMPLETED' || details === null) return;
      const { device, error } = JSON.parse(details) as { device: string; error?: string };
      if (error !== undefined && device.includes(`-${disk}-`)) this.reason = error;
    });
  }

  private async follow(life: Subscription<DomainEvents['lifecycle']>): Promise<void> {
    try {
      for await (const { event } of life) {
        if (event === DomainEventType.STOPPED || event === DomainEventType.CRASHED) this.tell('lost');
      }
    } catch {
      // Which is how a subscription says that its connection has ended.
      this.connectionLost = true;
      this.tell('lost');
    }
  }

  tell(news: JobNews): void {
    this.#news.push(news);
    this.#wake();
  }

  /** Makes a pending `next` return, for something that is no news of the job. */
  wake(): void {
    this.#wake();
  }

  /** The next news; null when it is time to look for ourselves. */
  async next(limitMs: number): Promise<JobNews | null> {
    if (this.#news.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limitMs).unref();
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#news.shift() ?? null;
  }

  async end(): Promise<void> {
    await Promise.all(this.#subscriptions.map((s) => s[Symbol.asyncDispose]()));
  }
}
