// What an operation must take back if it fails. An undo is noted before its step runs, so each can be run where
// nothing was done; the last step is taken back first.

import type { CallOptions } from '../libvirt/options';

/** All of it: a host that hangs keeps nobody waiting for longer. What is left then, recovery takes back. */
const LIMIT_MS = 60_000;

type Step = (call: CallOptions) => Promise<void>;

export class UndoLog {
  readonly #steps: { what: string; run: Step; onlyAfterAll: boolean }[] = [];
  #isCommitted = false;

  /** The point of no return has passed: what was made is in use, and taking it back would destroy it. */
  get isCommitted(): boolean {
    return this.#isCommitted;
  }

  commit(): void {
    this.#isCommitted = true;
    this.#steps.length = 0;
  }

  /**
   * Notes how to take back what comes next. What it returns strikes that out: the step has made nothing of ours.
   *
   * @param onlyAfterAll left undone where one of those after it could not be taken back: recovery finds by it what is left
   */
  note(what: string, run: Step, { onlyAfterAll = false } = {}): () => void {
    const step = { what, run, onlyAfterAll };
    this.#steps.push(step);
    return () => {
      const at = this.#steps.indexOf(step);
      if (at >= 0) this.#steps.splice(at, 1);
    };
  }

  /** Takes back all of it, as far as it goes. What could not be undone is named, with the reason. */
  async run(): Promise<{ what: string; error: unknown }[]> {
    const failed: { what: string; error: unknown }[] = [];
    const call = { signal: AbortSignal.timeout(LIMIT_MS) };
    for (const { what, run, onlyAfterAll } of this.#steps.splice(0).reverse()) {
      if (onlyAfterAll && failed.length > 0) continue;
      try {
        await run(call);
      } catch (error) {
        failed.push({ what, error });
      }
    }
    return failed;
  }
}
