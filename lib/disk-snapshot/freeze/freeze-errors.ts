// The errors of freezing and thawing: what is the matter with the guest's agent, in words, and the way out.

import { DiskSnapshotError, type Outcome } from '../errors';
import type { AgentError, AgentFailure } from './agent';

/** Why there is no freeze: what the agent call said, where it could be, told more exactly. */
export type NoFreeze = AgentFailure | 'off' | 'paused' | 'not-connected' | 'hung';

const CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>";
const REASONS: Readonly<Record<NoFreeze, string>> = {
  'no-channel': `the domain has no channel for a guest agent. Add ${CHANNEL}, and install qemu-guest-agent in the guest`,
  'not-connected': 'no agent is connected. Install qemu-guest-agent in the guest, or start it there',
  hung: 'its agent is connected but does not answer: it hangs, or runs a hook that does. Restart it in the guest',
  unresponsive: 'its agent does not answer. Look whether qemu-guest-agent runs in the guest, and restart it there',
  late: 'its agent did not answer in time. Look whether it hangs, or how busy the guest is',
  off: 'it is off. A guest that was shut down has nothing to freeze',
  paused: 'it is paused, so that no agent can answer. Resume it',
  'not-running': 'it is not running, so that no agent can answer. Resume it',
  gone: 'the domain does not exist any more',
  busy: 'another agent call on this domain has not ended. Try again when it has, or find out which client hangs there',
  disabled: 'its agent does not run the commands for freezing. Allow them in the configuration of qemu-guest-agent',
  refused: 'its agent failed. Look at its log and its freeze hook in the guest',
  garbled: 'its agent answers nonsense. Look what runs in its place in the guest',
  denied: 'this connection may not talk to its agent. Connect without readonly, or as a user who may',
  unsupported: 'its hypervisor has no guest agents',
  lost: 'the connection to the hypervisor ended',
  failed: 'libvirt failed',
};

/** No freeze, and nothing left frozen: QUIESCE_UNAVAILABLE, or CONNECTION_LOST. */
export function unavailable(
  guest: string,
  error: AgentError,
  { outcome = 'unchanged', why = error.failure }: { outcome?: Outcome; why?: NoFreeze } = {},
): DiskSnapshotError {
  if (error.failure === 'lost') return connectionLost(guest, error, outcome);
  const message = `${guest} cannot be frozen: ${REASONS[why]}; or do without (quiesce: 'never'). ${error.message}`;
  return new DiskSnapshotError('QUIESCE_UNAVAILABLE', message, { guest, outcome, cause: error });
}

export function alreadyFrozen(guest: string): DiskSnapshotError {
  return new DiskSnapshotError(
    'ALREADY_FROZEN',
    `${guest} is frozen already, by somebody else or by a freeze that nobody ended. Wait until they thaw it, ` +
      'or call unquiesceStorage(domain), which thaws it whoever froze it',
    { guest },
  );
}

export function miscounted(guest: string, frozen: number, asked: readonly string[]): DiskSnapshotError {
  return new DiskSnapshotError(
    'QUIESCE_UNAVAILABLE',
    `${guest}: its agent froze ${frozen} of ${asked.length} file systems (${asked.join(', ')}), and has thawed them again. ` +
      'One may be frozen by another program in the guest, covered by another mount, or of a kind that cannot be frozen',
    { guest, outcome: 'undone' },
  );
}

/** @param outcome `'undone'` where nothing was made of the freeze. */
export function budgetExceeded(guest: string, maxFreezeMs: number, outcome: Outcome): DiskSnapshotError {
  return new DiskSnapshotError(
    'FREEZE_BUDGET_EXCEEDED',
    `${guest}: the ${maxFreezeMs} ms that maxFreezeMs allows it to be frozen are over; it is thawed. ` +
      'Allow more, or look what keeps the guest or the host busy',
    { guest, outcome },
  );
}

export function endedEarly(guest: string, how: string, cause?: unknown): DiskSnapshotError {
  return new DiskSnapshotError('OPERATION_FAILED', `${guest} is no longer frozen by us, or not provably: ${how}`, {
    guest,
    outcome: 'unknown',
    cause,
  });
}

/** @param then whether the thawing goes on in the background. */
export function thawFailed(
  guest: string,
  waitedMs: number,
  trouble: unknown,
  then: 'goes on' | 'ended' = 'goes on',
): DiskSnapshotError {
  const last = trouble instanceof Error ? ` (${trouble.message})` : '';
  const more =
    then === 'ended'
      ? 'Call unquiesceStorage(domain) again when the agent answers'
      : 'While this process and its connection live, it goes on trying until the agent says thawed';
  return new DiskSnapshotError(
    'THAW_FAILED',
    `${guest} may be frozen, or freeze when its agent wakes: ${waitedMs} ms after it was asked, the agent has not confirmed the thaw${last}. ` +
      `${more}. Restart qemu-guest-agent in the guest, resume a guest that is paused, or reset it as the last resort`,
    { guest, outcome: 'unknown', cause: trouble },
  );
}

/** There is no use in trying on. */
export function thawImpossible(guest: string, error: AgentError, outcome: Outcome = 'unknown'): DiskSnapshotError {
  if (error.failure === 'lost') return connectionLost(guest, error);
  const message = `${guest} cannot be thawed from here: ${REASONS[error.failure]}. ${error.message}`;
  const code = outcome === 'unchanged' ? 'QUIESCE_UNAVAILABLE' : 'THAW_FAILED';
  return new DiskSnapshotError(code, message, { guest, outcome, cause: error });
}

export function connectionLost(guest: string, cause: unknown, outcome: Outcome = 'unknown'): DiskSnapshotError {
  const said = cause instanceof Error ? ` (${cause.message})` : '';
  const maybe =
    outcome === 'unknown' ? ' The guest may be frozen: connect again and call unquiesceStorage(domain)' : '';
  return new DiskSnapshotError('CONNECTION_LOST', `${guest}: its agent cannot be asked any more${said}.${maybe}`, {
    guest,
    outcome,
    cause,
  });
}
