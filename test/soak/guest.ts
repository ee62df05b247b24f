// One guest of the soak: its steps one after the other, and after each the proof that it goes on and has lost nothing.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { type PrivateLibvirtd, readFileFromImage } from '../../lib/testing';
import { guestExec } from '../../lib/testing/agent';
import { qemuOf } from '../faults/running';
import { hasJournal, linksIn, safeLinks, startJournal } from './journal';
import { Observer } from './observer';
import { DISKS, type Fault, type Operation, type Step } from './plan';
import { type Answer, type Measures, type Reverts, Worker } from './worker';

/** Where its disks are mounted, in their order. */
export const FOLDERS = ['/mnt/a', '/mnt/b', '/mnt/c'] as const;

/** Says that daemon or agent are away, or that the dead owner's last call still runs: the same recovery a moment later succeeds. */
const PASSING: ReadonlySet<string | undefined> = new Set(['CONNECTION_LOST', 'OPERATION_IN_PROGRESS', 'THAW_FAILED']);
const RECOVERY_MS = 120_000;
/** For an emulated guest on a machine that is busy with others of its kind. */
const BOOT_MS = 180_000;
/** Why a snapshot has to wait for another to be deleted first. */
const NEEDED: ReadonlySet<string | undefined> = new Set(['IN_USE', 'METHOD_UNSUPPORTED']);

/** At least and at most as many links as a snapshot must hold. */
interface Window {
  low: number;
  high: number;
}

export class SoakGuest {
  readonly observer: Observer;
  readonly #windows = new Map<string, Window>();
  /** Whose deletion began: an interrupted one may have lost what it was of. */
  readonly #deleted = new Set<string>();
  #worker: Worker;
  #taken = 0;

  constructor(
    readonly name: string,
    private readonly daemon: PrivateLibvirtd,
    private readonly scratch: string,
    private readonly allocator: string,
    private readonly say: (line: string) => void,
  ) {
    this.observer = new Observer(daemon, name);
    this.#worker = this.#newWorker();
  }

  /** @throws Error where a promise was broken, with the step */
  async take(step: Step): Promise<void> {
    const name = `s${++this.#taken}`;
    try {
      await this.#take(name, step);
    } catch (error) {
      throw new Error(`${this.name} ${name} ${JSON.stringify(step)}`, { cause: error });
    }
    await delay(step.restMs);
  }

  /**
   * Whatever was begun is recovered, every snapshot is there and holds what it should, and all are deleted.
   *
   * @param order whose turn it is, modulo how many there are; one that others need is told so, and has its turn again
   */
  async conclude(order: readonly number[]): Promise<void> {
    await this.#recover();
    const missing = await this.#worker.must<string[]>({ do: 'missing' });
    expect(missing.filter((one) => !this.#deleted.has(one))).toEqual([]);
    for (const [which, name] of (await this.#sets()).entries()) {
      for (const part of [0, 1, 2]) await this.#check(await this.#ask({ do: 'export', which, part }, name));
    }
    for (const which of order) {
      if ((await this.#sets()).length === 0) break;
      const answer = await this.#worker.ask({ do: 'delete', which, part: null });
      this.say(`${this.name} the last deletions: ${outcomeOf(answer)}`);
      const waits = 'error' in answer && NEEDED.has(answer.error.code) && answer.error.outcome === 'unchanged';
      if (!('result' in answer) && !waits) throw new Error(`${this.name}: ${outcomeOf(answer)}`);
    }
    expect(await this.#sets()).toEqual([]);
    const findings = await this.#worker.must<string[]>({ do: 'diagnose', fix: false });
    if (findings.length > 0) throw new Error(`${this.name}: ${findings.join('\n')}`);
  }

  /** Has done one of each thing that a process does once, and let go of what it can: what it holds then, it always holds. */
  async warmUp(): Promise<Measures> {
    await this.#worker.must({ do: 'warm' });
    await this.#worker.must({ do: 'quiesce', holdMs: 0, maxFreezeMs: 5_000 });
    await this.disconnect();
    return this.measure();
  }

  measure(): Promise<Measures> {
    return this.#worker.must<Measures>({ do: 'measure' });
  }

  async disconnect(): Promise<void> {
    await this.#worker.must({ do: 'disconnect' });
  }

  async close(): Promise<void> {
    await this.#worker.kill();
    await this.observer.close();
  }

  async #take(name: string, { operation, fault }: Step): Promise<void> {
    const low = await this.#safe();
    await this.#harmAgent(fault);
    this.#worker.reverts = null;
    const asked = this.#ask(operation, name, fault.kind === 'deadline' ? fault.afterMs : undefined);
    const { reverts, answer } = await this.#strike(fault, asked);
    this.say(`${this.name} ${name} ${brief(operation)}${faultIn(fault)}: ${outcomeOf(answer)}`);
    if ('ended' in answer && fault.kind !== 'process killed') throw new Error(`the process ended: ${answer.ended}`);
    if ('error' in answer && !TYPED.has(answer.error.name)) throw new Error(answer.error.stack);
    const hasDied = fault.kind === 'process killed' || fault.kind === 'QEMU killed';
    if (hasDied || needsRecovery(answer)) await this.#recover();
    if ('ended' in answer) await this.#checkUntold(this.#exported(name));
    const found = await this.#upAgain(fault.kind === 'QEMU killed');
    if (found) this.#checkBoot(found, low, reverts, 'result' in answer);
    const high = await this.#writesOn();
    this.#windows.set(name, { low, high: found ? Math.max(...found) : high });
    await this.#check(answer);
  }

  async #strike(fault: Fault, asked: Promise<Answer>): Promise<{ reverts: Reverts | null; answer: Answer }> {
    const struck = this.#worker;
    if (fault.kind === 'process killed' || fault.kind === 'QEMU killed') {
      await Promise.race([asked, delay(fault.afterMs)]);
      if (fault.kind === 'QEMU killed') {
        await this.#killQemu();
      } else {
        await struck.kill();
        this.#worker = this.#newWorker();
      }
    }
    const answer = await asked;
    return { reverts: struck.reverts, answer };
  }

  /** Resolves when the daemon has noticed: what is asked of the guest in that moment fails, whoever asks. */
  async #killQemu(): Promise<void> {
    const qemu = await qemuOf(this.name).catch(() => null);
    if (qemu === null) return; // a revert has stopped it
    process.kill(qemu, 'SIGKILL');
    await this.observer.sees('the daemon does not notice that its QEMU is gone', async (domain) => {
      const isNoticed = !(await domain.isActive()) || (await qemuOf(this.name).catch(() => qemu)) !== qemu;
      return isNoticed || undefined;
    });
  }

  /**
   * libvirt 9.0 notes for a moment, where a merge ends, what it cannot read ("unknown mirror job type ''"): a daemon that dies just
   * then takes the guest for off when it is back, while its QEMU runs on. A person ends that one.
   */
  async #endLost(): Promise<boolean> {
    const qemu = await qemuOf(this.name).catch(() => null);
    if (qemu === null) return false;
    this.say(`${this.name} runs on, and the daemon does not know it any more`);
    process.kill(qemu, 'SIGKILL');
    while ((await qemuOf(this.name).catch(() => null)) !== null) await delay(20);
    return true;
  }

  /**
   * The guest runs. Where its QEMU was killed, a person starts it; what a revert stopped runs again by itself.
   *
   * @returns how many links each disk held when it was booted; null where it was not
   */
  async #upAgain(mayBeOff: boolean): Promise<number[] | null> {
    const goesOn = await this.observer.sees(
      'it is not up',
      async (domain) => {
        if (await domain.isActive()) return hasJournal(domain);
        if (!mayBeOff && !(await this.#endLost())) throw new Error('nobody has started the guest again');
        await domain.create();
        return undefined;
      },
      BOOT_MS,
    );
    if (goesOn) return null;
    return this.observer.sees('its journal does not go on', (domain) => startJournal(domain, FOLDERS), BOOT_MS);
  }

  /** What was safe before the step is there, unless the disk has gone back: then what was safe at its snapshot is. */
  #checkBoot(found: readonly number[], low: number, reverts: Reverts | null, isBack: boolean): void {
    const links = Object.fromEntries(DISKS.map((disk, at) => [disk, found[at] ?? -1]));
    const back = reverts?.disks ?? [];
    const window = this.#windows.get(reverts?.set ?? '') ?? { low: 1, high: 0 };
    const holds = (disk: string) => (links[disk] ?? -1) >= low;
    const isAtSnapshot = (disk: string) => (links[disk] ?? -1) >= window.low && (links[disk] ?? -1) <= window.high + 1;
    const others = DISKS.filter((disk) => !back.includes(disk));
    const isWhole = back.every(isAtSnapshot) || (!isBack && back.every(holds));
    this.say(`${this.name} was booted: ${JSON.stringify(links)}, ${low} were safe before`);
    if (isWhole && others.every(holds)) return;
    throw new Error(
      `it holds ${JSON.stringify(links)}, not at least ${low}, or ${JSON.stringify(window)} on ${back.join(', ')}`,
    );
  }

  #ask(operation: Operation, name: string, timeoutMs?: number): Promise<Answer> {
    return this.#worker.ask({ ...operation, name, path: this.#exported(name) }, timeoutMs);
  }

  #exported(name: string): string {
    return join(this.scratch, `${this.name}-${name}.raw`);
  }

  /** An exported snapshot holds each link that was safe before it was taken, and none from after. */
  async #check(answer: Answer): Promise<void> {
    const told = 'result' in answer ? (answer.result as { exported?: string; disk?: string; path?: string }) : {};
    if (told?.exported === undefined || told.path === undefined) return;
    const links = linksIn(await readFileFromImage(told.path, '/journal'));
    await rm(told.path);
    const { low, high } = this.#windows.get(told.exported) ?? { low: 1, high: 0 };
    if (links < low || links > high + 1) {
      throw new Error(`${told.exported}/${told.disk} holds ${links} links, not ${low} to ${high + 1}`);
    }
  }

  /** An export that has its name is whole, also where its process was killed before it could say so. */
  async #checkUntold(path: string): Promise<void> {
    if (!existsSync(path)) return;
    linksIn(await readFileFromImage(path, '/journal'));
    await rm(path);
  }

  /** As the documentation says: connect again, recover; the same again while daemon or agent are away. */
  async #recover(): Promise<void> {
    const end = performance.now() + RECOVERY_MS;
    for (;;) {
      const answer = await this.#worker.ask({ do: 'recover' });
      if ('result' in answer) return;
      const isPassing = 'error' in answer && (answer.error.name === 'LibvirtError' || PASSING.has(answer.error.code));
      if (!isPassing || performance.now() > end) throw new Error(`recovery failed: ${outcomeOf(answer)}`);
      await delay(200);
    }
  }

  #safe(): Promise<number> {
    return this.observer.sees('its agent does not answer', safeLinks);
  }

  async #writesOn(): Promise<number> {
    const before = await this.#safe();
    return this.observer.sees('it does not write', async (domain) => {
      const now = await safeLinks(domain);
      return now > before ? now : undefined;
    });
  }

  #sets(): Promise<string[]> {
    return this.#worker.must<string[]>({ do: 'sets' });
  }

  /** Said to the guest beforehand: a frozen agent runs no programs. */
  async #harmAgent(fault: Fault): Promise<void> {
    if (fault.kind !== 'agent stopped' && fault.kind !== 'agent killed') return;
    const [harm, mend] =
      fault.kind === 'agent stopped' ? ['kill -STOP $agent', 'kill -CONT $agent'] : ['kill -9 $agent', 'start-agent'];
    const script = `agent=$(cat /run/qemu-ga.pid); (usleep ${fault.afterMs}000; ${harm}; usleep ${fault.forMs}000; ${mend}) </dev/null >/dev/null 2>&1 &`;
    await this.observer.sees('its agent does not answer', (domain) => guestExec(domain, ['sh', '-c', script]));
  }

  #newWorker(): Worker {
    return new Worker(this.daemon.uri, this.name, this.scratch, this.allocator, this.#deleted);
  }
}

/** Errors that tell what is true; anything else is a defect. */
const TYPED: ReadonlySet<string> = new Set(['DiskSnapshotError', 'LibvirtError', 'TimeoutError']);

function needsRecovery(answer: Answer): boolean {
  if (!('error' in answer)) return false;
  const { name, code, outcome } = answer.error;
  return name === 'LibvirtError' || code === 'CONNECTION_LOST' || outcome === 'unknown';
}

function brief({ do: what, ...more }: Operation): string {
  const details = 'disks' in more ? { ...more.disks, quiesce: more.quiesce, instead: more.instead } : more;
  return `${what} ${JSON.stringify(details)}`;
}

function faultIn(fault: Fault): string {
  if (fault.kind === 'none') return '';
  return `, ${fault.kind} after ${fault.afterMs} ms${'forMs' in fault ? ` for ${fault.forMs} ms` : ''}`;
}

function outcomeOf(answer: Answer): string {
  if ('ended' in answer) return answer.ended;
  if ('result' in answer) return typeof answer.result === 'string' ? answer.result : JSON.stringify(answer.result);
  const { name, code, outcome, message } = answer.error;
  return `${code ?? name}${outcome ? ` (${outcome})` : ''} ${message.slice(0, 200)}`;
}
