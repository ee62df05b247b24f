// File systems that we hold frozen: how they get there, what is watched meanwhile, and how they are let go. Whatever goes
// wrong, the guest is thawed, and proven to be.
import type { CallOptions } from '../../libvirt/options';
import type { DiskSnapshotError } from '../errors';
import { signalOf } from '../facade';
import { faultPoint } from '../fault-point';
import type { Watch } from '../guard/watch';
import type { FrozenFilesystem, ThawResult } from '../types';
import { type AgentDomain, AgentError, askAgent, isOff } from './agent';
import {
  alreadyFrozen,
  budgetExceeded,
  connectionLost,
  endedEarly,
  miscounted,
  thawFailed,
  thawImpossible,
  unavailable,
} from './freeze-errors';
import { FreezeStage } from './freeze-stage';
import { pause, waitFor } from './patience';
import { Thawing, type ThawProof } from './thaw';

/** A caller is told after this long that the guest is not proven thawed; the thawing itself goes on. */
export const THAW_PATIENCE_MS = 20_000;
/** How often a held freeze is looked at, and how long one look may take. */
const WATCH_MS = 500;
const WATCH_CALL = { limitMs: 5_000, timeoutMs: 5_000 };

/** File systems held frozen by us. */
export interface Freeze {
  readonly filesystems: readonly FrozenFilesystem[];
  /**
   * Aborts when they are no longer frozen by us, or no longer provably so: lease over (reason: FREEZE_BUDGET_EXCEEDED),
   * thawed by another, agent, guest or connection lost. The thawing has begun then. Not by `thaw()`.
   */
  readonly signal: AbortSignal;
  /**
   * Thaws, and resolves when `guest-fsfreeze-status` says thawed, or the guest is off. Any number of times: all get the
   * same result. `options` end the waiting (default 20 s), never the thawing: that goes on for as long as this process
   * and the connection live, without holding the process.
   *
   * @throws DiskSnapshotError THAW_FAILED or CONNECTION_LOST, with outcome `'unknown'`
   */
  thaw(options?: CallOptions): Promise<ThawResult>;
}

export interface FreezeOptions {
  /** The lease, from just before the freeze is asked for. */
  maxFreezeMs: number;
  /** Ends the freezing; a freeze that holds does not listen to it. */
  signal?: AbortSignal | undefined;
  /** Called when a freeze that held is proven thawed, or the guest is off; what it does is waited for. */
  onThawed?: (() => void | Promise<void>) | undefined;
  /** Who watches over the guest: told when we thaw, when it is proven, and when we cannot any more. */
  watch?: Watch | undefined;
}

// ---- freezing -------------------------------------------------------------------------------------------------------

/** The guest, and its name from while the connection could tell it. */
interface Named {
  domain: AgentDomain;
  guest: string;
  watch: FreezeOptions['watch'];
}

/** How the freeze command ended, once it has. */
type Ending = { frozen: number } | { error: unknown };

/** What a freeze that did not come about has left: nothing, or a guest that was thawed again. */
type Undone = { untouched: DiskSnapshotError } | { said: unknown };

/**
 * Freezes file systems of a guest that was just seen thawed. None: no call, since an empty list means all of them.
 *
 * @throws DiskSnapshotError when the guest is proven thawed again: QUIESCE_UNAVAILABLE, FREEZE_BUDGET_EXCEEDED, or
 * ALREADY_FROZEN (by another, and left so); THAW_FAILED and CONNECTION_LOST where it is not, with outcome `'unknown'`.
 * An aborted `signal` rejects with its reason.
 */
export async function freezeFilesystems(
  domain: AgentDomain,
  filesystems: readonly FrozenFilesystem[],
  { maxFreezeMs, signal, onThawed, watch }: FreezeOptions,
): Promise<Freeze> {
  signal?.throwIfAborted();
  if (filesystems.length === 0) return nothingFrozen();
  const guest = domain.getName(); // now: a connection that has ended gives none any more
  const mountpoints = filesystems.map(({ mountpoint }) => mountpoint);
  const stage = new FreezeStage();
  watch?.begin();
  const sentAt = performance.now();
  const ending = sendFreeze(domain, mountpoints, maxFreezeMs);
  await faultPoint('freeze.sent');
  const waited = await waitFor(ending, { limitMs: maxFreezeMs, signal });
  const ended = waited.kind === 'done' ? waited.value : null;
  if (ended && 'frozen' in ended && ended.frozen === mountpoints.length) {
    stage.pass('freezing', 'frozen');
    const held = new HeldFreeze({ domain, guest, watch }, filesystems, stage, { sentAt, maxFreezeMs, onThawed });
    await faultPoint('freeze.held');
    return held;
  }
  watch?.takeOver();
  const undone = await undoFreeze({ domain, guest, watch }, stage, ending);
  if (waited.kind === 'aborted') throw waited.reason;
  if ('untouched' in undone) throw undone.untouched;
  if (waited.kind === 'late') throw budgetExceeded(guest, maxFreezeMs, 'undone');
  if (ended && 'frozen' in ended) throw miscounted(guest, ended.frozen, mountpoints);
  if (undone.said instanceof AgentError) throw unavailable(guest, undone.said, { outcome: 'undone' });
  throw undone.said;
}

/**
 * Sends the command and never gives it up: a freeze whose caller has gone may still wait for its turn in libvirt, or in
 * the agent, and take effect later. Only libvirt's own answer says that it is over.
 */
async function sendFreeze(domain: AgentDomain, mountpoints: readonly string[], maxFreezeMs: number): Promise<Ending> {
  // libvirt waits a little longer than we do, so that it is always the lease that ends a slow freeze.
  const limitMs = maxFreezeMs + 1_000;
  try {
    return { frozen: await askAgent(domain, 'guest-fsfreeze-freeze-list', { limitMs, arguments: { mountpoints } }) };
  } catch (error) {
    return { error };
  }
}

/** Leaves the guest thawed, or throws THAW_FAILED or CONNECTION_LOST and goes on behind the caller's back. */
async function undoFreeze(named: Named, stage: FreezeStage, ending: Promise<Ending>): Promise<Undone> {
  let thawing = null as Thawing | null;
  // A thaw sent before the freeze has ended in libvirt would wait behind it, or undo the freeze of somebody else.
  const undone = ending.then(async (ended): Promise<Undone> => {
    const said = 'error' in ended ? ended.error : null;
    if (said instanceof AgentError && said.neverRan) {
      stage.pass('freezing', 'untouched');
      return { untouched: await whyUntouched(named, said) };
    }
    stage.pass('freezing', 'doubtful');
    thawing = new Thawing(named.domain);
    await proven(named, thawing, stage, 'doubtful');
    return { said };
  });
  const waited = await waitFor(undone, { limitMs: THAW_PATIENCE_MS });
  if (waited.kind === 'done') return waited.value;
  throw thawFailed(named.guest, THAW_PATIENCE_MS, thawing?.trouble);
}

/** The command never ran. Where the guest is frozen all the same, it is by somebody else, and left to them. */
async function whyUntouched({ domain, guest }: Named, error: AgentError): Promise<DiskSnapshotError> {
  if (error.failure !== 'disabled') return unavailable(guest, error);
  const status = await askAgent(domain, 'guest-fsfreeze-status', WATCH_CALL).catch(() => 'unknown');
  return status === 'frozen' ? alreadyFrozen(guest) : unavailable(guest, error);
}

async function proven(
  { guest, watch }: Named,
  thawing: Thawing,
  stage: FreezeStage,
  from: 'thawing' | 'doubtful',
): Promise<ThawProof> {
  try {
    const proof = await thawing.proven;
    await faultPoint('thaw.proven');
    stage.pass(from, 'thawed');
    watch?.end();
    return proof;
  } catch (error) {
    stage.pass(from, 'lost');
    watch?.handOver();
    throw error instanceof AgentError ? thawImpossible(guest, error) : connectionLost(guest, error);
  }
}

// ---- held -----------------------------------------------------------------------------------------------------------

class HeldFreeze implements Freeze {
  readonly filesystems: readonly FrozenFilesystem[];
  readonly #named: Named;
  readonly #stage: FreezeStage;
  readonly #sentAt: number;
  readonly #maxFreezeMs: number;
  readonly #onThawed: FreezeOptions['onThawed'];
  readonly #over = new AbortController();
  readonly #watched = new AbortController();
  /** Holds the process: one that ends while its guest is frozen would leave it so. */
  readonly #lease: NodeJS.Timeout;
  #release: { thawing: Thawing; result: Promise<ThawResult> } | null = null;

  constructor(
    named: Named,
    filesystems: readonly FrozenFilesystem[],
    stage: FreezeStage,
    { sentAt, maxFreezeMs, onThawed }: Pick<FreezeOptions, 'maxFreezeMs' | 'onThawed'> & { sentAt: number },
  ) {
    this.filesystems = filesystems;
    this.#named = named;
    this.#stage = stage;
    this.#sentAt = sentAt;
    this.#maxFreezeMs = maxFreezeMs;
    this.#onThawed = onThawed;
    this.#lease = setTimeout(() => this.#endByBudget(), maxFreezeMs - (performance.now() - sentAt));
    void this.#watch();
    named.watch?.onLost(() =>
      this.#end(endedEarly(named.guest, 'the guard, which ends it if this process dies, was lost')),
    );
  }

  get signal(): AbortSignal {
    this.#endIfOver();
    return this.#over.signal;
  }

  async thaw(options: CallOptions = {}): Promise<ThawResult> {
    this.#endIfOver();
    if (this.#stage.pass('frozen', 'thawing')) this.#letGo('thawing');
    const { thawing, result } = this.#release ?? this.#letGo('doubtful');
    await faultPoint('thaw.sent');
    const limitMs = options.timeoutMs === undefined ? THAW_PATIENCE_MS : undefined;
    const waited = await waitFor(result, { limitMs, signal: signalOf(options) });
    if (waited.kind === 'aborted') throw waited.reason;
    if (waited.kind === 'late') throw thawFailed(this.#named.guest, THAW_PATIENCE_MS, thawing.trouble);
    return waited.value;
  }

  /** Asked, and not only waited for: after JavaScript was stuck, the lease's timer comes later than who looks at the signal. */
  #endIfOver(): void {
    if (performance.now() - this.#sentAt >= this.#maxFreezeMs) this.#endByBudget();
  }

  #endByBudget(): void {
    this.#end(budgetExceeded(this.#named.guest, this.#maxFreezeMs, 'undone'));
  }

  /** The freeze does not hold any more: the guest comes first, then the holder is told. */
  #end(reason: DiskSnapshotError): void {
    if (!this.#stage.pass('frozen', 'doubtful')) return;
    this.#letGo('doubtful');
    this.#over.abort(reason);
  }

  #letGo(from: 'thawing' | 'doubtful'): { thawing: Thawing; result: Promise<ThawResult> } {
    clearTimeout(this.#lease);
    this.#watched.abort();
    const thawing = new Thawing(this.#named.domain);
    this.#named.watch?.takeOver();
    const result = proven(this.#named, thawing, this.#stage, from).then(async ({ thawed, answeredAt }) => {
      await this.#onThawed?.();
      return {
        filesystems: [...this.filesystems],
        frozenMs: answeredAt - this.#sentAt,
        intact: from === 'thawing' && thawed === this.filesystems.length,
      };
    });
    // Also where nobody calls thaw(): a process that ends by itself waits for it as long as a caller would.
    waitFor(result, { limitMs: THAW_PATIENCE_MS }).catch(() => undefined);
    this.#release = { thawing, result };
    return this.#release;
  }

  async #watch(): Promise<void> {
    while (this.#stage.now === 'frozen') {
      await pause(WATCH_MS, this.#watched.signal);
      const misfortune = this.#stage.now === 'frozen' ? await this.#look() : null;
      if (misfortune) this.#end(misfortune);
    }
  }

  /** What ended the freeze, or null. A guest that is paused stays as frozen as it was. */
  async #look(): Promise<DiskSnapshotError | null> {
    const { domain, guest } = this.#named;
    try {
      const status = await askAgent(domain, 'guest-fsfreeze-status', WATCH_CALL);
      return status === 'frozen' ? null : endedEarly(guest, 'somebody else has thawed it');
    } catch (error) {
      const failure = error instanceof AgentError ? error.failure : 'lost';
      if (failure === 'busy') return null;
      if (failure === 'lost') return connectionLost(guest, error);
      if (failure !== 'not-running' && failure !== 'gone') return endedEarly(guest, 'its agent was lost', error);
      const off = await isOff(domain).catch(() => true);
      return off ? endedEarly(guest, 'it is off') : null;
    }
  }
}

function nothingFrozen(): Freeze {
  return {
    filesystems: [],
    signal: new AbortController().signal,
    thaw: async () => ({ filesystems: [], frozenMs: 0, intact: true }),
  };
}
