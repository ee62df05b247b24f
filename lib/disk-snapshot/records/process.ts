// Who made something, so that it can be told later whether its maker is gone: a process by boot, number and start.
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessIdentity {
  /** For people: several hosts and containers may go by one name. */
  host: string;
  /**
   * Of the kernel that runs there, which no other has, and of the namespace that gives its processes their numbers, as each
   * container has one. Empty where it is not Linux.
   */
  boot: string;
  pid: number;
  /** In clock ticks since boot; a pid alone may be somebody else's by now. */
  started: string;
}

/** `'unknown'`: of another host, container or boot, or not of Linux. */
export type Life = 'alive' | 'gone' | 'unknown';

export function thisProcess(): ProcessIdentity {
  return { host: hostname(), boot: bootId(), pid: process.pid, started: startOf(process.pid) };
}

export function lifeOf({ boot, pid, started }: ProcessIdentity): Life {
  if (boot === '' || boot !== bootId()) return 'unknown';
  return startOf(pid) === started ? 'alive' : 'gone';
}

function bootId(): string {
  const kernel = read('/proc/sys/kernel/random/boot_id', readFileSync);
  const [namespace] = /\d+/.exec(read('/proc/self/ns/pid', readlinkSync)) ?? [];
  return kernel === '' || namespace === undefined ? '' : `${kernel}-${namespace}`;
}

/** Field 22 of stat(5); the command in field 2 may hold blanks and parentheses. */
function startOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`, readFileSync);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function read(path: string, how: (path: string, encoding: 'utf8') => string): string {
  try {
    return how(path, 'utf8').trim();
  } catch {
    return ''; // not Linux, or no such process
  }
}
