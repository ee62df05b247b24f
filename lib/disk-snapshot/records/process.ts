// Who made something, so that it can be told later whether its maker is gone: a process by host, boot, number and start.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  host: string;
  /** Of that host: what was there before its restart is gone. Empty where it is not Linux. */
  boot: string;
  pid: number;
  /** In clock ticks since boot; a pid alone may be somebody else's by now. */
  started: string;
}

/** `'unknown'`: of another host, or not of Linux. */
export type Life = 'alive' | 'gone' | 'unknown';

export function thisProcess(): ProcessIdentity {
  return { host: hostname(), boot: bootId(), pid: process.pid, started: startOf(process.pid) };
}

export function lifeOf({ host, boot, pid, started }: ProcessIdentity): Life {
  if (host !== hostname() || boot === '') return 'unknown';
  return boot === bootId() && startOf(pid) === started ? 'alive' : 'gone';
}

const bootId = () => readProc('/proc/sys/kernel/random/boot_id');

/** Field 22 of stat(5); the command in field 2 may hold blanks and parentheses. */
function startOf(pid: number): string {
  const stat = readProc(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return ''; // not Linux, or no such process
  }
}
