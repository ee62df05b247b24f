// Starting a guest and waiting, by events, until it answers.
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConnectDomainEventAgentLifecycleState, type Connection, type Domain, DomainEventType } from '../libvirt';
import { agentCommand } from './agent';
import { BOOTED } from './guest-scripts';

export interface Startup {
  connection: Connection;
  uuid: string;
  /** File with what the guest says on its serial console. */
  console: string;
  /** False: the guest has no agent channel; what it says on the console tells that it is up. */
  agent: boolean;
  timeoutMs: number;
  signal: AbortSignal | undefined;
  start(): Promise<Domain>;
}

/** Resolves when the guest's agent answers; rejects with the console's last lines where the guest ends or takes too long. */
export async function startAndWait(startup: Startup): Promise<Domain> {
  const { connection, uuid, console, timeoutMs } = startup;
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = startup.signal === undefined ? limit : AbortSignal.any([limit, startup.signal]);
  // Subscribed before the start: no event is missed.
  await using agent = await connection.subscribe('agent-lifecycle');
  await using lifecycle = await connection.subscribe('lifecycle');
  const ready = new Promise<void>((resolve, reject) => {
    agent.on(({ domain, state }) => {
      if (state === ConnectDomainEventAgentLifecycleState.CONNECTED && domain.getUUIDString() === uuid) resolve();
    });
    lifecycle.on(({ domain, event }) => {
      if (event === DomainEventType.STOPPED && domain.getUUIDString() === uuid) reject(new Error('it ended'));
    });
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    if (!startup.agent) saysOnConsole(console, signal).then(resolve, reject);
  });
  ready.catch(() => {}); // awaited below, unless the start itself fails
  const domain = await startup.start();
  try {
    await ready;
    if (startup.agent) await agentCommand(domain, 'guest-ping');
    return domain;
  } catch (error) {
    await domain.destroy().catch(() => {}); // it may have ended by itself
    startup.signal?.throwIfAborted();
    const last = await readFile(console, 'utf8').catch(() => '');
    const how = limit.aborted ? `did not answer within ${timeoutMs} ms` : 'did not come up';
    throw new Error(`the test guest ${how}; its console ends with: ${last.slice(-2000).trim()}`, { cause: error });
  }
}

async function saysOnConsole(path: string, signal: AbortSignal): Promise<void> {
  const watcher = watch(dirname(path), { signal });
  try {
    await new Promise<void>((resolve, reject) => {
      watcher.on('error', reject);
      watcher.on('change', () => {
        readFile(path, 'utf8').then(
          (text) => text.includes(BOOTED) && resolve(),
          () => {}, // not there yet: another change follows
        );
      });
    });
  } finally {
    watcher.close();
  }
}
