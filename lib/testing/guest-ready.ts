// Starting a guest and waiting, by events, until it answers.
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConnectDomainEventAgentLifecycleState, type Domain, DomainEventType } from '../libvirt';
import { agentCommand } from './agent';
import { BOOTED } from './guest-scripts';

export interface Startup {
  /** File with what the guest says on its serial console. */
  console: string;
  /** False: the guest has no agent channel; what it says on the console tells that it is up. */
  agent: boolean;
  /** What a guest without an agent says there when it is up. Default: what ours says. */
  upWhen?: string | undefined;
  timeoutMs: number;
  signal: AbortSignal | undefined;
  /** Starts the guest, but not its processors: nothing happens in it until somebody listens. */
  startPaused(): Promise<Domain>;
}

/** Resolves when the guest's agent answers; rejects with the console's last lines where the guest ends or takes too long. */
export async function startAndWait(startup: Startup): Promise<Domain> {
  const limit = AbortSignal.timeout(startup.timeoutMs);
  const signal = startup.signal === undefined ? limit : AbortSignal.any([limit, startup.signal]);
  const domain = await startup.startPaused();
  try {
    await resumeAndWait(domain, startup, signal);
    return domain;
  } catch (error) {
    await domain.destroy().catch(() => {}); // it may have ended by itself
    startup.signal?.throwIfAborted();
    const last = await readFile(startup.console, 'utf8').catch(() => '');
    const how = limit.aborted ? `did not answer within ${startup.timeoutMs} ms` : 'did not come up';
    throw new Error(`the test guest ${how}; its console ends with: ${last.slice(-2000).trim()}`, { cause: error });
  }
}

async function resumeAndWait(
  domain: Domain,
  { agent, console, upWhen = BOOTED }: Startup,
  signal: AbortSignal,
): Promise<void> {
  await using lifecycle = await domain.connection.subscribe('lifecycle', { domain });
  await using channel = await domain.connection.subscribe('agent-lifecycle', { domain });
  const ready = new Promise<void>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    lifecycle.on(({ event }) => {
      if (event === DomainEventType.STOPPED) reject(new Error('it ended'));
    });
    channel.on(({ state }) => {
      if (state === ConnectDomainEventAgentLifecycleState.CONNECTED) resolve();
    });
    if (!agent) saysOnConsole(console, upWhen, signal).then(resolve, reject);
  });
  ready.catch(() => {}); // awaited below, unless resume fails
  signal.throwIfAborted();
  await domain.resume();
  await ready;
  if (agent) await agentCommand(domain, 'guest-ping');
}

async function saysOnConsole(path: string, wanted: string, signal: AbortSignal): Promise<void> {
  const watcher = watch(dirname(path), { signal });
  try {
    await new Promise<void>((resolve, reject) => {
      watcher.on('error', reject);
      watcher.on('change', () => {
        readFile(path, 'utf8').then(
          (text) => text.includes(wanted) && resolve(),
          () => {}, // not there yet: another change follows
        );
      });
    });
  } finally {
    watcher.close();
  }
}
