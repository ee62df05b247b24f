// A browser cannot send a header with a download. So whoever has the token gets a ticket: a path for one use, within a minute.
import { randomBytes } from 'node:crypto';

const VALID_MS = 60_000;

export class Tickets<Value> {
  readonly #values = new Map<string, { value: Value; until: number }>();

  issue(value: Value): string {
    const now = Date.now();
    for (const [ticket, { until }] of this.#values) if (until < now) this.#values.delete(ticket);
    const ticket = randomBytes(24).toString('base64url');
    this.#values.set(ticket, { value, until: now + VALID_MS });
    return ticket;
  }

  redeem(ticket: string): Value | undefined {
    const found = this.#values.get(ticket);
    this.#values.delete(ticket);
    return found && found.until >= Date.now() ? found.value : undefined;
  }
}
