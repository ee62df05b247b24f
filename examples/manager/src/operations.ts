// What is under way, and what became of it: one change of a guest at a time, each with progress and a way to cancel it.
import { DiskSnapshotError, LibvirtError, type Progress } from 'libvirt-disksnapshot';
import { type Board, guestKey } from './board.ts';
import { textOf } from './guest.ts';
import { HostDown } from './supervisor.ts';
import type { GuestView, OperationView } from './views.ts';

/** How many that have ended stay on the page. */
const REMEMBERED = 20;
const PROGRESS_MS = 100;

export interface Control {
  signal: AbortSignal;
  onProgress: (progress: Pick<Progress, 'done' | 'total'> & { phase: string }) => void;
}
/** Does it, and says in words what became of it. */
export type Work = (control: Control) => Promise<string>;
export type Failure = { host: string; kind: OperationView['kind']; code: string };

/** Another change of that guest is under way. */
export class GuestBusy extends Error {}

export class Operations {
  readonly #board: Board;
  readonly #onFailure: (failure: Failure) => void;
  readonly #running = new Map<string, { control: AbortController; end: Promise<void>; guest: string | null }>();
  #count = 0;
  #stopped = false;

  constructor(board: Board, onFailure: (failure: Failure) => void = () => {}) {
    this.#board = board;
    this.#onFailure = onFailure;
  }

  /** Begins at once. `end` resolves with how it ended, and never rejects: the page tells of failures. */
  start(
    guest: Pick<GuestView, 'host' | 'id' | 'name'>,
    kind: OperationView['kind'],
    snapshot: string | null,
    work: Work,
  ): { id: string; end: Promise<OperationView> } {
    // Reading disturbs nobody, and the library keeps what is read from being deleted.
    const exclusive = kind === 'download' ? null : guestKey(guest);
    if (this.#stopped) throw new GuestBusy('this service is stopping');
    if (exclusive !== null && this.#busyWith(exclusive)) {
      throw new GuestBusy(`another operation on ${guest.name} is under way: wait for it, or cancel it`);
    }
    const id = String(++this.#count);
    const control = new AbortController();
    const { host, id: guestId, name: guestName } = guest;
    const empty = { state: 'running', phase: null, done: 0, total: 0, message: null, code: null } as const;
    this.#board.operations.set(id, { id, host, guest: guestId, guestName, kind, snapshot, ...empty });
    const end = this.#run(id, control, work);
    this.#running.set(id, { control, end: end.then(() => {}), guest: exclusive });
    return { id, end };
  }

  /** Asks it to end. What it did is undone, or finished where it cannot be undone any more. */
  cancel(id: string): boolean {
    const running = this.#running.get(id);
    if (!running) return false;
    this.#update(id, { state: 'cancelling' });
    running.control.abort();
    return true;
  }

  /** Resolves when nothing changes this guest. */
  async idle(guest: Pick<GuestView, 'host' | 'id'>): Promise<void> {
    for (let busy = this.#busyWith(guestKey(guest)); busy; busy = this.#busyWith(guestKey(guest))) await busy;
  }

  /** Cancels everything, and resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const id of this.#running.keys()) this.cancel(id);
    await Promise.all([...this.#running.values()].map(({ end }) => end));
  }

  #busyWith(guest: string): Promise<void> | undefined {
    return [...this.#running.values()].find((running) => running.guest === guest)?.end;
  }

  async #run(id: string, control: AbortController, work: Work): Promise<OperationView> {
    let told = 0;
    const onProgress: Control['onProgress'] = ({ phase, done, total }) => {
      const isNews = phase !== this.#board.operations.get(id)?.phase;
      if (!isNews && Date.now() - told < PROGRESS_MS) return;
      told = Date.now();
      this.#update(id, { phase, done, total });
    };
    try {
      this.#update(id, { state: 'done', message: await work({ signal: control.signal, onProgress }) });
    } catch (error) {
      if (control.signal.aborted) this.#update(id, { state: 'cancelled' });
      else this.#fail(id, error);
    }
    this.#running.delete(id);
    const ended = this.#board.operations.values().filter((each) => !this.#running.has(each.id));
    for (const old of ended.slice(0, -REMEMBERED)) this.#board.operations.delete(old.id);
    return this.#operation(id);
  }

  #fail(id: string, error: unknown): void {
    const code = codeOf(error);
    this.#update(id, { state: 'failed', message: textOf(error), code });
    const { host, kind } = this.#operation(id);
    this.#onFailure({ host, kind, code });
  }

  #update(id: string, part: Partial<OperationView>): void {
    this.#board.operations.set(id, { ...this.#operation(id), ...part });
  }

  #operation(id: string): OperationView {
    const operation = this.#board.operations.get(id);
    if (!operation) throw new Error(`no operation ${id}`);
    return operation;
  }
}

export function codeOf(error: unknown): string {
  if (error instanceof DiskSnapshotError) return error.code;
  if (error instanceof LibvirtError) return error.codeName;
  return error instanceof HostDown ? 'HOST_DOWN' : 'OTHER';
}
