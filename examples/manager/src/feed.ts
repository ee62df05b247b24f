// The board as server-sent events: all of it first, then each change. A browser that reads slowly gets the newest value of
// each entry, and never a queue that grows.
import type { Board, Change } from './board.ts';

/** So that a browser which went away without a word is noticed. */
const HEARTBEAT_MS = 20_000;

export async function* feed(board: Board, signal: AbortSignal): AsyncGenerator<string> {
  const pending = new Map<string, Change>();
  let wake = () => {};
  const note = (change: Change) => {
    const id = `${change.collection} ${change.key}`;
    pending.delete(id); // a later change goes to the end
    pending.set(id, change);
    wake();
  };
  const unfollow = board.follow(note);
  signal.addEventListener('abort', () => wake(), { once: true });
  const heartbeat = setInterval(() => wake(), HEARTBEAT_MS);
  try {
    yield eventOf('board', board.changes());
    while (!signal.aborted) {
      if (pending.size === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        // Whatever else happens in this turn of the event loop goes in one message.
        await new Promise(setImmediate);
      }
      const changes = [...pending.values()];
      pending.clear();
      yield changes.length > 0 ? eventOf('changes', changes) : ': still here\n\n';
    }
  } finally {
    clearInterval(heartbeat);
    unfollow();
  }
}

/** JSON has no line breaks of its own, so one line of data is enough. */
const eventOf = (event: string, changes: readonly Change[]) => `event: ${event}\ndata: ${JSON.stringify(changes)}\n\n`;
