// Waits for what stands on the board, woken by the board itself.
import type { Board } from '../src/board.ts';

export function until<Value>(board: Board, read: () => Value, wanted: Value): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (read() !== wanted) return;
      unfollow();
      resolve();
    };
    const unfollow = board.follow(look);
    look();
  });
}
