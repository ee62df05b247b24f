// Looks at one guest from outside, whatever becomes of the daemon: nothing of what is tested takes part.
import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, type Domain, LibvirtError } from '../../lib';
import type { PrivateLibvirtd } from '../../lib/testing';

/** For a daemon that comes back, an agent that wakes, a guard that thaws, on a busy machine. */
const PATIENCE_MS = 60_000;

export class Observer {
  #connection: Connection | undefined;

  constructor(
    private readonly daemon: PrivateLibvirtd,
    private readonly guest: string,
  ) {}

  /**
   * What the guest shows, as soon as it shows it. Daemon and agent may be away; both are asked again.
   *
   * @throws Error with what was last seen, when nothing came of it in a minute, or as long as it may take
   */
  async sees<T>(
    what: string,
    look: (domain: Domain) => Promise<T | undefined>,
    patienceMs: number = PATIENCE_MS,
  ): Promise<T> {
    const end = performance.now() + patienceMs;
    let last: unknown = 'nothing';
    while (performance.now() < end) {
      try {
        const seen = await look(await this.#domain());
        if (seen !== undefined) return seen;
      } catch (error) {
        if (!(error instanceof LibvirtError)) throw error;
        last = error.message;
      }
      await delay(100);
    }
    throw new Error(`${this.guest}: ${what}, for ${patienceMs} ms (last: ${last})`);
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  async #domain(): Promise<Domain> {
    if (this.#connection === undefined) {
      const opened = await this.daemon.connect();
      this.#connection = opened;
      void opened.closed.then(() => {
        if (this.#connection === opened) this.#connection = undefined;
        return opened.close();
      });
    }
    return this.#connection.domainLookupByName(this.guest);
  }
}
