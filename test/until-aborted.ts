// Waiting for a signal. util.aborted() does not do: it only holds its listener for as long as something else holds the object
// that it was given, and a local variable of whoever waits is held by nothing else. What then is collected never goes on.
import { once } from 'node:events';

export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
