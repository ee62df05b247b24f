// Memory and disks of a running guest, kept inside its qcow2 images and brought back in place: QEMU's savevm and loadvm.
import {
  ConnectDomainEventAgentLifecycleState,
  type Domain,
  DomainQemuMonitorCommandFlags,
  DomainState,
  LibvirtError,
} from '../libvirt';
import { agentCommand } from './agent';

/** Limit for an agent that has to be found again; it takes 0.1 s. */
const AGENT_RETURN_MS = 20_000;

/** Keeps the state under a name, in 0.2 s. Every writable disk must be qcow2. */
export async function saveMachine(domain: Domain, name: string): Promise<void> {
  await humanMonitor(domain, `savevm ${name}`);
}

/** Brings the state back without a new QEMU, in 0.2 s: the guest runs, and its agent, if it has one, answers. */
export async function loadMachine(domain: Domain, name: string): Promise<void> {
  // QEMU takes the guest's end of the channel away and gives it back, and so does libvirt with the agent.
  await using changes = await domain.connection.subscribe('agent-lifecycle', {
    domain,
    signal: AbortSignal.timeout(AGENT_RETURN_MS),
  });
  await humanMonitor(domain, `loadvm ${name}`);
  const { state } = await domain.getState();
  if (state === DomainState.PAUSED) await domain.resume();
  if (await agentAnswers(domain)) return;
  for await (const change of changes) {
    if (change.state === ConnectDomainEventAgentLifecycleState.CONNECTED && (await agentAnswers(domain))) return;
  }
}

export async function dropMachine(domain: Domain, name: string): Promise<void> {
  await humanMonitor(domain, `delvm ${name}`);
}

/** True also where there is no agent that could answer. */
async function agentAnswers(domain: Domain): Promise<boolean> {
  try {
    await agentCommand(domain, 'guest-ping');
    return true;
  } catch (error) {
    if (!(error instanceof LibvirtError)) throw error;
    if (error.codeName === 'ARGUMENT_UNSUPPORTED') return true; // no channel
    if (error.codeName === 'AGENT_UNRESPONSIVE') return false;
    throw error;
  }
}

/** QEMU's human monitor answers success with nothing, and failure with text. */
async function humanMonitor(domain: Domain, command: string): Promise<void> {
  const answer = (await domain.qemuMonitorCommand(command, DomainQemuMonitorCommandFlags.HMP)).trim();
  if (answer !== '') throw new Error(`QEMU of ${domain.getName()} refused ${command}: ${answer}`);
}
