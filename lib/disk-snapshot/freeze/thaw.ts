// Thawing until proven: no answer, a late one and a wrong one all mean that the guest may be frozen, so one asks again.
import { type AgentDomain, AgentError, askAgent, isOff } from './agent';
import { pause } from './patience';

/** How long libvirt waits for one answer. A thaw takes as long as the guest's own hooks. */
const THAW_LIMIT_MS = 10_000;
const STATUS_LIMIT_MS = 5_000;
/** Between two tries, growing: an agent that has just started again answers within the second. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** What ended the thawing: the agent's own word, or that the guest is off. */
export interface ThawProof {
  /** File systems that the agent says it thawed. One whose answer was lost is missing. */
  thawed: number;
  /** When the thaw was answered, by `performance.now()`. */
  answeredAt: number;
}

/** A guest being thawed. It goes on until it is proven, stopped, or nobody can be asked; it does not hold the process. */
export class Thawing {
  /** Rejects with an AgentError where asking has no use any more, or with what libvirt said. */
  readonly proven: Promise<ThawProof>;
  readonly #domain: AgentDomain;
  readonly #stop = new AbortController();
  #trouble: unknown = null;

  constructor(domain: AgentDomain) {
    this.#domain = domain;
    this.proven = this.#run();
    this.proven.catch(() => undefined); // also where nobody waits any more
  }

  /** Why the last try did not prove it; null before one has failed. */
  get trouble(): unknown {
    return this.#trouble;
  }

  /** Makes the present try the last one. */
  stop(): void {
    this.#stop.abort();
  }

  async #run(): Promise<ThawProof> {
    const proof: ThawProof = { thawed: 0, answeredAt: Number.NaN };
    for (let rest = FIRST_PAUSE_MS; ; rest = Math.min(2 * rest, LONGEST_PAUSE_MS)) {
      if (await this.#attempt(proof)) return proof;
      if (this.#stop.signal.aborted) throw this.#trouble;
      await pause(rest, this.#stop.signal);
    }
  }

  /**
   * One thaw, then the question whether it took. Neither is abandoned: libvirt serves one agent call of a domain at a
   * time, so a second one beside a hung one would only wait behind it.
   */
  async #attempt(proof: ThawProof): Promise<boolean> {
    try {
      this.#trouble = null;
      const thawed = await this.#thaw();
      proof.thawed += thawed;
      if (thawed > 0 || Number.isNaN(proof.answeredAt)) proof.answeredAt = performance.now();
      const status = await askAgent(this.#domain, 'guest-fsfreeze-status', { limitMs: STATUS_LIMIT_MS, urgent: true });
      if (status === 'thawed') return true;
      this.#trouble ??= new AgentError('refused', 'guest-fsfreeze-status', 'still frozen after a thaw');
      return false;
    } catch (error) {
      return await this.#isOver(error, proof);
    }
  }

  /** The agent thaws before it runs its hook, so that an error of the hook says nothing of the file systems. */
  async #thaw(): Promise<number> {
    try {
      return await askAgent(this.#domain, 'guest-fsfreeze-thaw', { limitMs: THAW_LIMIT_MS, urgent: true });
    } catch (error) {
      if (!(error instanceof AgentError) || error.failure !== 'refused') throw error;
      this.#trouble = error;
      return 0;
    }
  }

  /** After a failed try: true where the guest is off, false where it is worth another try. */
  async #isOver(error: unknown, proof: ThawProof): Promise<boolean> {
    this.#trouble = error;
    if (!(error instanceof AgentError) || error.hopeless) throw error;
    if (error.failure !== 'not-running' && error.failure !== 'gone') return false;
    if (!(await isOff(this.#domain))) return false;
    proof.answeredAt = performance.now();
    return true;
  }
}
