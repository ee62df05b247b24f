// A guest whose agent does what a test says. As in libvirt, one agent call of a domain runs at a time, the others wait,
// and a caller that gives up does not stop what it asked for.

import type { AgentDomain } from '../../lib/disk-snapshot/freeze/agent';
import { DomainState, ErrorDomain, ErrorNumber, LibvirtError } from '../../lib/libvirt';

interface Command {
  execute: string;
  arguments?: { mountpoints: string[] };
}
type CallOptions = { signal?: AbortSignal; timeoutMs?: number; urgent?: boolean };

export const agentSays = (words: string) =>
  new LibvirtError({ code: ErrorNumber.INTERNAL_ERROR, domain: ErrorDomain.QEMU, message: words });
export const libvirtSays = (code: number, message = 'as libvirt puts it', domain: number = ErrorDomain.QEMU) =>
  new LibvirtError({ code, domain, message });
/** What libvirt makes of an agent that does not answer. */
export const unresponsive = () =>
  libvirtSays(ErrorNumber.AGENT_UNRESPONSIVE, 'Guest agent is not responding: Guest agent not available for now');

export class ScriptedGuest {
  /** What the agent has been asked, in order; only what reached it. */
  readonly asked: string[] = [];
  readonly sent: { text: string; seconds: number; options: CallOptions }[] = [];
  readonly frozen = new Set<string>();
  state: number = DomainState.RUNNING;
  /** What happens instead of the agent's own doing: the first that is there for a command is used, once. */
  readonly #instead: { command: string; act: (self: ScriptedGuest) => unknown }[] = [];
  #job: Promise<unknown> = Promise.resolve();

  get domain(): AgentDomain {
    return this as unknown as AgentDomain;
  }

  /** Next time `command` is asked, `act` runs in its place; what it returns is answered, what it throws is the error. */
  next(command: string, act: (self: ScriptedGuest) => unknown): this {
    this.#instead.push({ command, act });
    return this;
  }

  getName = () => 'web1';
  getState = async () => ({ state: this.state, reason: 0 });

  qemuAgentCommand = (text: string, seconds: number, options: CallOptions = {}): Promise<string> => {
    this.sent.push({ text, seconds, options });
    const call = this.#job.then(() => this.#run(JSON.parse(text) as Command));
    this.#job = call.catch(() => undefined);
    const { signal, timeoutMs } = options;
    if (!signal && timeoutMs === undefined) return call;
    return new Promise((resolve, reject) => {
      const timeout = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
      const timer = timeoutMs === undefined ? undefined : setTimeout(reject, timeoutMs, timeout);
      if (signal?.aborted) reject(signal.reason);
      signal?.addEventListener('abort', () => reject(signal.reason));
      call.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  };

  async #run(command: Command): Promise<string> {
    this.asked.push(command.execute);
    const found = this.#instead.findIndex((instead) => instead.command === command.execute);
    const [instead] = found < 0 ? [] : this.#instead.splice(found, 1);
    const answer = instead ? await instead.act(this) : this.#answer(command);
    return JSON.stringify({ return: answer });
  }

  #answer({ execute, arguments: args }: Command): unknown {
    if (this.state !== DomainState.RUNNING) throw libvirtSays(ErrorNumber.OPERATION_INVALID, 'domain is not running');
    switch (execute) {
      case 'guest-fsfreeze-status':
        return this.frozen.size > 0 ? 'frozen' : 'thawed';
      case 'guest-fsfreeze-freeze-list':
        return this.freeze(args?.mountpoints ?? []);
      case 'guest-fsfreeze-thaw':
        return this.thaw();
      default:
        throw agentSays(`The command ${execute} has not been found`);
    }
  }

  freeze(mountpoints: readonly string[]): number {
    if (this.frozen.size > 0) throw agentSays('the command has been disabled: the agent is in frozen state');
    for (const mountpoint of mountpoints) this.frozen.add(mountpoint);
    return this.frozen.size;
  }

  thaw(): number {
    const count = this.frozen.size;
    this.frozen.clear();
    return count;
  }
}
