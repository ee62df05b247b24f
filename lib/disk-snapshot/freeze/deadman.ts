// For the case that the whole host is out of reach, and with it every guard outside the guest: before the freeze, a sleeping
// thaw for each file system is left inside. It goes past the agent, which then counts 0 at its own thaw: the truth is told.
import { DiskSnapshotError } from '../errors';
import { type AgentDomain, type AgentError, askAgent } from './agent';
import { waitFor } from './patience';

export interface Deadman {
  /** The guest is thawed: nothing is left in it. What cannot be reached ends by itself, when its time is over. */
  cancel(): Promise<void>;
}

/** Later than everybody outside. */
const GRACE_MS = 5_000;
const CALL = { limitMs: 5_000 };
const CANCEL_LIMIT_MS = 10_000;

/** The text never changes: seconds and mountpoint are arguments. A signal ends the sleep as well, and nothing is thawed. */
const SLEEP_THEN_THAW = 'sleep "$1" & trap "kill $!" TERM; wait $! && exec fsfreeze --unfreeze "$2"';
const KILL = 'kill -TERM "$1"';

/**
 * `guest-exec` of a sleeping `fsfreeze --unfreeze` for each mountpoint.
 *
 * @throws DiskSnapshotError GUARD_UNAVAILABLE: the agent does not run programs
 */
export async function leaveDeadman(
  domain: AgentDomain,
  mountpoints: readonly string[],
  longestMs: number,
): Promise<Deadman> {
  const seconds = String(Math.ceil((longestMs + GRACE_MS) / 1000));
  const left: number[] = [];
  const cancel = async () => {
    const ended = Promise.allSettled(left.map((pid) => end(domain, pid)));
    await waitFor(ended, { limitMs: CANCEL_LIMIT_MS });
  };
  try {
    for (const mountpoint of mountpoints) left.push(await shell(domain, SLEEP_THEN_THAW, seconds, mountpoint));
  } catch (error) {
    await cancel();
    throw refused(domain, error);
  }
  return { cancel };
}

const shell = (domain: AgentDomain, script: string, ...args: readonly string[]): Promise<number> =>
  askAgent(domain, 'guest-exec', { ...CALL, arguments: { path: 'sh', arg: ['-c', script, 'sh', ...args] } });

const hasEnded = (domain: AgentDomain, pid: number): Promise<boolean> =>
  askAgent(domain, 'guest-exec-status', { ...CALL, arguments: { pid } });

/** The agent knows a program by its process id until it was told of its end, so that this id is nobody else's. */
async function end(domain: AgentDomain, pid: number): Promise<void> {
  if (await hasEnded(domain, pid)) return;
  const killer = await shell(domain, KILL, String(pid));
  for (const each of [killer, pid]) while (!(await hasEnded(domain, each)));
}

function refused(domain: AgentDomain, error: unknown): DiskSnapshotError {
  const guest = domain.getName();
  const said = (error as AgentError).message;
  const message =
    `${guest}: deadman: true needs guest-exec, to leave a sleeping thaw in the guest: ${said}. ` +
    'Allow guest-exec and guest-exec-status in the configuration of qemu-guest-agent, or leave deadman out';
  return new DiskSnapshotError('GUARD_UNAVAILABLE', message, { guest, cause: error });
}
