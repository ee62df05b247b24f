// Progress, told to a listener that may be anybody's.
import type { Progress } from './types';

/** A listener that throws harms nobody: like an event target's, its error surfaces as an uncaught exception. */
export function tell(onProgress: ((progress: Progress) => void) | undefined, progress: Progress): void {
  if (!onProgress) return;
  try {
    onProgress(progress);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
