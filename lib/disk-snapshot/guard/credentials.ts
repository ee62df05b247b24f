// What a daemon asks before it lets the guard in. The guarded process is asked each time, for a password may have changed. What
// it answered is kept, in memory alone, for the time when it is gone or stuck and the daemon was started anew.
import { setTimeout as delay } from 'node:timers/promises';
import type { AuthCredential } from '../../libvirt';

/** In the order asked; null for one that is left out. */
export type Answers = (string | null)[];
/** Asks the guarded process; nothing where nobody is left to ask. */
export type Ask = (connection: number, credentials: readonly AuthCredential[]) => Promise<Answers>;

/** For the answer of one that may be stuck, where an earlier one is known. */
const PATIENCE_MS = 1_000;

/** All that was said in asking: of two questions of one type, and of two challenges, each has an answer of its own. */
const keyOf = ({ type, prompt, challenge, defaultResult }: AuthCredential): string =>
  JSON.stringify([type, prompt, challenge, defaultResult]);

export class Credentials {
  readonly #ask: Ask;
  /** By connection and question. What was left out is not kept: it would take the place of an answer. */
  readonly #kept = new Map<number, Map<string, string>>();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  async answer(connection: number, credentials: readonly AuthCredential[]): Promise<Answers> {
    const kept = this.#kept.get(connection) ?? new Map<string, string>();
    this.#kept.set(connection, kept);
    const asked = this.#ask(connection, credentials).then((answers) => {
      for (const [i, credential] of credentials.entries()) {
        const answer = answers[i] ?? null;
        if (answer !== null) kept.set(keyOf(credential), answer);
      }
    });
    const isKnown = credentials.some((credential) => kept.has(keyOf(credential)));
    await (isKnown ? Promise.race([asked, delay(PATIENCE_MS, undefined, { ref: false })]) : asked);
    return credentials.map((credential) => kept.get(keyOf(credential)) ?? null);
  }

  forget(connection: number): void {
    this.#kept.delete(connection);
  }
}
