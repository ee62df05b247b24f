// One guest of the soak: its steps one after the other, and after each the proof that it goes on and has lost nothing.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type PrivateLibvirtd, readFileFromImage } from '../../lib/testing';
import { guestExec } from '../../lib/testing/agent';
import { linksIn, safeLinks } from './journal';
import { Observer } from './observer';
import type { Fault, Operation, Step } from './plan';
import { type Answer, type Measures, Worker } from './worker';

/** Says that daemon or agent are away, or that the dead owner's last call still runs: the same recovery a moment later succeeds. */
const PASSING: ReadonlySet<string | undefined> = new Set(['CONNECTION_LOST', 'OPERATION_IN_PROGRESS', 'THAW_FAILED']);
const RECOVERY_MS = 120_000;

/** At least and at most as many links as a snapshot must hold. */
interface Window {
  low: number;
  high: number;
}

export class SoakGuest {
  readonly observer: Observer;
  readonly #windows = new Map<string, Window>();
  #worker: Worker;
  #taken = 0;

  constructor(
    readonly name: string,
    private readonly daemon: PrivateLibvirtd,
    private readonly scratch: string,
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

  /** Whatever was begun is recovered, every snapshot holds what it should, and all are deleted. */
  async conclude(): Promise<void> {
    await this.#recover();
    for (const [which, name] of (await this.#worker.must<string[]>({ do: 'sets' })).entries()) {
      for (const part of [0, 1, 2]) await this.#check(await this.#ask({ do: 'export', which, part }, name));
    }
    for (let left = await this.#sets(); left > 0; left--) {
      await this.#worker.must({ do: 'delete', which: left - 1, part: null });
    }
    const findings = await this.#worker.must<string[]>({ do: 'diagnose', fix: false });
    if (findings.length > 0) throw new Error(`${this.name}: ${findings.join('\n')}`);
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
    const asked = this.#ask(operation, name, fault.kind === 'deadline' ? fault.afterMs : undefined);
    if (fault.kind === 'process killed') {
      await Promise.race([asked, delay(fault.afterMs)]);
      await this.#worker.kill();
      this.#worker = this.#newWorker();
    }
    const answer = await asked;
    this.say(`${this.name} ${name} ${brief(operation)}${faultIn(fault)}: ${outcomeOf(answer)}`);
    if ('ended' in answer && fault.kind !== 'process killed') throw new Error(`the process ended: ${answer.ended}`);
    if ('error' in answer && !TYPED.has(answer.error.name)) throw new Error(answer.error.stack);
    if (fault.kind === 'process killed' || needsRecovery(answer)) await this.#recover();
    const high = await this.#writesOn();
    this.#windows.set(name, { low, high });
    await this.#check(answer);
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

  async #sets(): Promise<number> {
    return (await this.#worker.must<string[]>({ do: 'sets' })).length;
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
    return new Worker(this.daemon.uri, this.name, this.scratch);
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
