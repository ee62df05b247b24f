// An agent that comes, and comes back: what a restore or a boot waits for.
import { ConnectDomainEventAgentLifecycleState, type Domain, LibvirtError } from '../libvirt';
import { agentCommand } from './agent';

/** After a restore it takes 0.1 s, after a boot seconds, on a busy host a minute. */
const LIMIT_MS = 120_000;

/** Does `work`, and resolves when the agent answers after it. */
export async function untilAgentAnswers(domain: Domain, work: () => Promise<unknown>): Promise<void> {
  const limit = new AbortController();
  // QEMU takes the guest's end of the channel away and gives it back, and so does libvirt with the agent.
  await using changes = await domain.connection.subscribe('agent-lifecycle', { domain, signal: limit.signal });
  await work();
  const reason = new Error(`the agent of ${domain.getName()} did not answer within ${LIMIT_MS} ms`);
  const timer = setTimeout(() => limit.abort(reason), LIMIT_MS);
  try {
    if (await agentAnswers(domain)) return;
    for await (const { state } of changes) {
      if (state === ConnectDomainEventAgentLifecycleState.CONNECTED && (await agentAnswers(domain))) return;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** True also where there is no agent that could answer. */
export async function agentAnswers(domain: Domain): Promise<boolean> {
  try {
    await agentCommand(domain, 'guest-ping');
    return true;
  } catch (error) {
    if (!(error instanceof LibvirtError)) throw error;
    if (error.codeName === 'ARGUMENT_UNSUPPORTED') return true; // no channel
    if (['AGENT_UNRESPONSIVE', 'AGENT_COMMAND_TIMEOUT'].includes(error.codeName ?? '')) return false;
    throw error;
  }
}
