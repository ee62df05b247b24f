// One host: connected while it can be, followed by events alone, and tried again when it is lost. What happens to it
// touches no other host.
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Connection,
  connect,
  DiskSnapshotError,
  type Domain,
  type DomainEvents,
  recoverDiskSnapshots,
} from 'libvirt-disksnapshot';
import { type Board, guestKey } from './board.ts';
import { coalesced } from './coalesce.ts';
import type { HostConfig } from './config.ts';
import { lookAt, textOf } from './guest.ts';
import type { GuestView, HostView } from './views.ts';

/** Whatever may change what the page shows of a guest. Records of snapshots are metadata. */
const EVENTS = ['lifecycle', 'metadata-change', 'block-job-2'] as const satisfies (keyof DomainEvents)[];
const CALL_MS = 20_000;
const RECOVERY_MS = 60_000;
const KEEP_ALIVE = { interval: 5, count: 3 };
const ENDED = {
  client: 'we closed the connection',
  eof: 'libvirt closed the connection',
  error: 'the connection broke',
  keepalive: `libvirt has not answered for ${KEEP_ALIVE.interval * KEEP_ALIVE.count} seconds`,
};

/** Doubled with each failure, and up to a quarter shorter, so that many hosts do not come back in step. */
export function backOffMs(failures: number, random = Math.random): number {
  return Math.min(60_000, 500 * 2 ** failures) * (1 - random() / 4);
}

interface Call {
  signal: AbortSignal;
  timeoutMs: number;
}

/** The host is not connected. */
export class HostDown extends Error {}

export class Supervisor {
  readonly host: HostConfig;
  readonly #board: Board;
  readonly #log: (message: string) => void;
  #connection: Connection | undefined;

  constructor(host: HostConfig, board: Board, log: (message: string) => void = () => {}) {
    this.host = host;
    this.#board = board;
    this.#log = (message) => log(`${host.name}: ${message}`);
    this.#show({ state: 'connecting' });
  }

  /** Until the signal aborts; it never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      const problem = await this.#session(signal, () => {
        failures = 0;
      }).catch(textOf);
      this.#connection = undefined;
      if (signal.aborted) return;
      const waitMs = backOffMs(failures);
      this.#log(`${problem}; next attempt in ${Math.ceil(waitMs / 1000)} s`);
      this.#show({ state: 'down', problem, retryAt: new Date(Date.now() + waitMs).toISOString() });
      await delay(waitMs, undefined, { signal }).catch(() => {});
    }
  }

  async domain(id: string): Promise<Domain> {
    if (this.#connection === undefined) throw new HostDown(`${this.host.name} is not connected`);
    return this.#connection.domainLookupByUUIDString(id, { timeoutMs: CALL_MS });
  }

  /** From connecting to the end of the connection; resolves with why it ended. */
  async #session(stop: AbortSignal, onUp: () => void): Promise<string> {
    await using connection = await connect(this.host.uri, { signal: stop, timeoutMs: CALL_MS, keepAlive: KEEP_ALIVE });
    const over = new AbortController();
    const signal = AbortSignal.any([stop, over.signal]);
    const ended = connection.closed.then((reason) => ENDED[reason]);
    try {
      const call = () => ({ signal, timeoutMs: CALL_MS });
      const refresh = coalesced((id: string, domain: Domain) => this.#refresh(id, domain, call()));
      // Before the guests are listed: what changes in between is told.
      for (const name of EVENTS) {
        const events = await connection.subscribe(name, call());
        events.on(({ domain }) => void refresh(domain.getUUIDString(), domain));
      }
      const before = this.#guests();
      const domains = await connection.listAllDomains(call());
      const present = new Set(domains.map((domain) => domain.getUUIDString()));
      for (const guest of before) if (!present.has(guest.id)) this.#board.guests.delete(guestKey(guest));
      await Promise.all(
        domains.map(async (domain) => {
          await this.#recover(domain, { signal, timeoutMs: RECOVERY_MS });
          await refresh(domain.getUUIDString(), domain);
        }),
      );
      this.#connection = connection;
      onUp();
      this.#show({ state: 'up' });
      this.#log(`connected, ${domains.length} guests`);
      return await Promise.race([ended, aborted(stop)]);
    } finally {
      over.abort();
    }
  }

  /** What this or another manager left half done when it died. */
  async #recover(domain: Domain, call: Call): Promise<void> {
    try {
      const { finished, undone, thawed } = await recoverDiskSnapshots(domain, call);
      const done = [...finished.map((name) => `finished ${name}`), ...undone.map((name) => `undid ${name}`)];
      if (thawed) done.push('thawed it');
      if (done.length > 0) this.#log(`${domain.getName()}: recovery ${done.join(', ')}`);
    } catch (error) {
      const { code } = error instanceof DiskSnapshotError ? error : { code: null };
      if (code === 'CONNECTION_LOST' || call.signal.aborted) throw error;
      // Another manager is at work, the guest has gone, or a person has to decide: in none of them is the host to blame.
      if (code !== 'OPERATION_IN_PROGRESS' && code !== 'NOT_FOUND') this.#log(`recovery: ${textOf(error)}`);
    }
  }

  async #refresh(id: string, domain: Domain, call: Call): Promise<void> {
    const key = guestKey({ host: this.host.name, id });
    try {
      const view = await lookAt(domain, this.host, call);
      if (view) this.#board.guests.set(key, view);
      else this.#board.guests.delete(key);
    } catch (error) {
      const known = this.#board.guests.get(key);
      if (known && !call.signal.aborted) this.#board.guests.set(key, { ...known, problem: textOf(error) });
    }
  }

  #guests(): GuestView[] {
    return this.#board.guests.values().filter(({ host }) => host === this.host.name);
  }

  #show(view: Partial<HostView> & Pick<HostView, 'state'>): void {
    this.#board.hosts.set(this.host.name, { name: this.host.name, problem: null, retryAt: null, ...view });
  }
}

function aborted(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve('stopped'), { once: true }));
}
