// The schedule: one snapshot of each guest that asks for it, one guest of a host at a time. What was missed, since the host
// or this service was down, is done as soon as both are there.
import { Cron } from 'croner';
import { type Board, guestKey } from './board.ts';
import { isDue, lastCall } from './retention.ts';
import type { GuestView, OperationView } from './views.ts';

/** Codes of failures that say nothing about the guest. */
const HOST_LOST: ReadonlySet<string> = new Set(['CONNECTION_LOST', 'HOST_DOWN', 'RPC', 'INVALID_CONN']);

export interface NightlyOptions {
  schedule: string;
  /** Takes the snapshot and removes old ones. */
  run: (guest: GuestView) => Promise<OperationView>;
  log?: (message: string) => void;
}

export class Nightly implements Disposable {
  readonly #board: Board;
  readonly #options: NightlyOptions;
  readonly #clock: Cron;
  readonly #unfollow: () => void;
  /** The call that a guest's last attempt answered: a failure waits for the next night. */
  readonly #answered = new Map<string, number>();
  /** The last guest in the queue of each host. */
  readonly #queues = new Map<string, Promise<void>>();

  constructor(board: Board, options: NightlyOptions) {
    this.#board = board;
    this.#options = options;
    this.#clock = new Cron(options.schedule, () => this.#considerAll());
    this.#unfollow = board.follow(({ collection, key, value }) => {
      if (value === null || collection === 'operations') return;
      if (collection === 'guests') this.#consider(board.guests.get(key));
      else this.#considerAll();
    });
  }

  [Symbol.dispose](): void {
    this.#clock.stop();
    this.#unfollow();
  }

  #considerAll(): void {
    for (const guest of this.#board.guests.values()) this.#consider(guest);
  }

  #consider(guest: GuestView | undefined): void {
    const call = this.#callFor(guest);
    if (!guest || call === null) return;
    const key = guestKey(guest);
    this.#answered.set(key, call.getTime());
    const before = this.#queues.get(guest.host) ?? Promise.resolve();
    this.#queues.set(
      guest.host,
      before
        .then(() => this.#run(key))
        .catch((error) => this.#options.log?.(`${guest.name}: nightly: ${error.message}`)),
    );
  }

  /** The call of the schedule that this guest has not answered yet. */
  #callFor(guest: GuestView | undefined): Date | null {
    if (!guest?.nightly || guest.problem !== null || this.#board.hosts.get(guest.host)?.state !== 'up') return null;
    const call = lastCall(this.#options.schedule, new Date());
    if (!call || this.#answered.get(guestKey(guest)) === call.getTime()) return null;
    return isDue(guest.snapshots, call) ? call : null;
  }

  async #run(key: string): Promise<void> {
    const guest = this.#board.guests.get(key);
    if (!guest?.nightly) return;
    const { state, message, code } = await this.#options.run(guest);
    this.#options.log?.(`${guest.name}: nightly ${state}: ${message}`);
    // The host went away under it: that is no answer, and it is done when the host is back.
    if (code !== null && HOST_LOST.has(code)) this.#answered.delete(key);
  }
}
