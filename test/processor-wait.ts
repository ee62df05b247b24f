// How long threads were ready to run while others had the processor. A limit of some milliseconds is meant for our own code:
// what a machine's other work takes from it is subtracted, by the kernel's own count, instead of made up for by a looser limit.
import { openSync, readdirSync, readFileSync, readSync } from 'node:fs';

const buffer = Buffer.alloc(64);

/** Milliseconds since the thread began: the second figure of its `schedstat`. */
function waitedBy(file: number): number {
  const [, nanoseconds] = buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0)).split(' ');
  return Number(nanoseconds) / 1e6;
}

const open = (pid: number, thread: number | string) => openSync(`/proc/${pid}/task/${thread}/schedstat`, 'r');

/** Of the thread that runs JavaScript, since this process began. */
export const waitOfJavaScript: () => number = (() => {
  const file = open(process.pid, process.pid); // for the life of the process
  return () => waitedBy(file);
})();

/**
 * Of all threads of this process, one after the other: at least as much as a call that goes from one to the next has waited.
 * Those that do not wait for a processor add nothing.
 */
export function waitOfProcess(): number {
  let sum = 0;
  for (const thread of readdirSync('/proc/self/task')) {
    try {
      sum += Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'latin1').split(' ')[1]) / 1e6;
    } catch {
      // it has just ended
    }
  }
  return sum;
}
