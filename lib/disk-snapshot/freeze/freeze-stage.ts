// How far a freeze has come, as a table of what may follow what: a step that is not in it does not compile.

/** What each stage may become. */
export interface NextStage {
  /** The freeze command is on its way. */
  freezing: 'frozen' | 'untouched' | 'doubtful';
  /** The agent counted all of them frozen, and the lease runs. */
  frozen: 'thawing' | 'doubtful';
  /** The holder has asked for the thaw while all was well. */
  thawing: 'thawed' | 'lost';
  /** Frozen, partly frozen or soon to be frozen, for all we know: thawing until proven thawed. */
  doubtful: 'thawed' | 'lost';
  /** The command never reached the agent. */
  untouched: never;
  /** `guest-fsfreeze-status` says so, or the guest is off. */
  thawed: never;
  /** Nobody can ask the guest any more. */
  lost: never;
}
export type StageName = keyof NextStage;

/** The stage of one freeze. Timers and callers meet here: whoever comes second finds the stage passed. */
export class FreezeStage {
  #now: StageName = 'freezing';

  get now(): StageName {
    return this.#now;
  }

  /** Goes on, if the freeze is still where the caller thinks; says whether it was. */
  pass<From extends StageName>(from: From, to: NextStage[From]): boolean {
    if (this.#now !== from) return false;
    this.#now = to;
    return true;
  }
}
