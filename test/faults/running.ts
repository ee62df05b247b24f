// The parent's side of an operation that runs in a process of its own, step by step.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FaultPoint } from '../../lib/disk-snapshot/fault-point';
import type { Task } from './operations';

export type Report =
  | { ended: 'well' }
  | { ended: 'badly'; kind: string; code: string; outcome?: string; message: string }
  | { ended: 'killed' };

export class RunningOperation {
  readonly #child: ChildProcess;
  readonly #guards = new Set<number>();
  #at: { point: FaultPoint; arrived: () => void } | null = null;
  #waitsAt: FaultPoint | null = null;
  /** Points that it passed. */
  readonly passed: FaultPoint[] = [];
  readonly ended: Promise<Report>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    let said: Report = { ended: 'killed' };
    child.on('message', (message: { point: FaultPoint } | Report) => {
      if ('ended' in message) said = message;
      else this.#pass(message.point);
    });
    this.ended = once(child, 'exit').then(() => said);
  }

  /** @param timeoutMs of its call; null: it may take for ever */
  static start(uri: string, guest: string, task: Task, timeoutMs: number | null): RunningOperation {
    const { does, disks, quiesce } = task;
    return RunningOperation.of('operation.js', uri, guest, JSON.stringify({ does, disks, quiesce, timeoutMs }));
  }

  /** A program beside this one that tells its points. */
  static of(program: string, ...args: string[]): RunningOperation {
    const argv = [join(__dirname, program), ...args];
    return new RunningOperation(spawn(process.execPath, argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
  }

  /** Resolves when it waits at the point; rejects where it ends before. Points on the way are passed. */
  async runTo(point: FaultPoint): Promise<void> {
    const arrived = new Promise<'there'>((resolve) => {
      this.#at = { point, arrived: () => resolve('there') };
    });
    const met = await Promise.race([arrived, this.ended]);
    if (met !== 'there') throw new Error(`it never came to ${point}, and ended so: ${JSON.stringify(met)}`);
    for (const guard of await guardsOf(this.#child.pid)) this.#guards.add(guard);
  }

  /** Lets it go on from its point, to the end. */
  go(order: 'go' | 'deadline' = 'go'): void {
    if (this.#waitsAt !== null) this.#answer(this.#waitsAt, order);
    this.#waitsAt = null;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** Its guards that have not gone; they go when it has, and their guest is proven thawed. */
  async guardsLeft(): Promise<number[]> {
    const alive = await Promise.all([...this.#guards].map(isGuard));
    return [...this.#guards].filter((_, index) => alive[index]);
  }

  #pass(point: FaultPoint): void {
    this.passed.push(point);
    if (this.#at?.point !== point) {
      this.#answer(point, 'go');
      return;
    }
    this.#waitsAt = point;
    this.#at.arrived();
    this.#at = null; // a second disk passes the same points
  }

  #answer(point: FaultPoint, order: 'go' | 'deadline'): void {
    if (this.#child.connected) this.#child.send({ point, order });
  }
}

async function guardsOf(parent: number | undefined): Promise<number[]> {
  const children = (await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8')).split(' ').filter(Boolean);
  const pids = children.map(Number);
  const guards = await Promise.all(pids.map(isGuard));
  return pids.filter((_, index) => guards[index]);
}

const isGuard = (pid: number) =>
  readFile(`/proc/${pid}/cmdline`, 'utf8').then(
    (line) => line.includes(join('disk-snapshot', 'guard')),
    () => false,
  );

/** QEMU of a guest, as this process sees it. */
export const qemuOf = (guest: string): Promise<number> => qemuWith(`guest=${guest},`);

/** The QEMU that is started with this in one of its arguments. */
export async function qemuWith(word: string): Promise<number> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (argv[0]?.includes('qemu-system') && argv.some((each) => each.includes(word))) return Number(pid);
  }
  throw new Error(`no QEMU with ${word}`);
}
