// The pair of the proposal's answer: virDomainQuiesceStorage and virDomainUnquiesceStorage; and what a snapshot needs to
// freeze by itself. Everything that a frozen agent does not answer is asked before.
import { setTimeout as delay } from 'node:timers/promises';
import { type Domain, DomainXMLFlags, LibvirtError } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { type DomainDocument, readDomain } from '../../xml/domain';
import { invalidType } from '../argument';
import { DiskSnapshotError } from '../errors';
import { checkMilliseconds, facade, signalOf } from '../facade';
import { faultPoint } from '../fault-point';
import { watchOver } from '../guard/watch';
import { selectDisks } from '../select';
import type { FrozenFilesystem, QuiescedStorage, QuiesceOptions } from '../types';
import { type AgentCommand, type AgentDomain, AgentError, type AskOptions, askAgent, isOff } from './agent';
import { leaveDeadman } from './deadman';
import { type GuestMount, locateMounts, selectFilesystems } from './filesystems';
import { type Freeze, type FreezeOptions, freezeFilesystems, THAW_PATIENCE_MS } from './freeze';
import { alreadyFrozen, type NoFreeze, thawFailed, thawImpossible, unavailable } from './freeze-errors';
import { HeldStorage } from './held-storage';
import { waitFor } from './patience';
import { Thawing } from './thaw';

export type { Freeze } from './freeze';
export { heldFreeze, isQuiescedStorage } from './held-storage';

/** For a sign of life, which takes a healthy agent milliseconds; and for the list, which grows with the guest. */
const QUESTION_MS = 5_000;
const LIST_MS = 15_000;
/** Just after a restart libvirtd shows an agent as connected, and says for up to a second that there is none. */
const RECONNECT_MS = 2_000;
const RECONNECT_PAUSE_MS = 50;
const DEFAULT_MAX_FREEZE_MS = 10_000;

const NEEDED: readonly AgentCommand[] = [
  'guest-fsfreeze-status',
  'guest-fsfreeze-freeze-list',
  'guest-fsfreeze-thaw',
  'guest-get-fsinfo',
];

/** A guest that can be frozen. */
export interface PreparedFreeze {
  /** What `freeze` will freeze; none: it does nothing. */
  readonly filesystems: readonly FrozenFilesystem[];
  /** On the same disks, writable, and of a kind that cannot be frozen (FAT of an EFI partition): they stay as they are. */
  readonly unfreezable: readonly FrozenFilesystem[];
  /** `guest-fsfreeze-freeze-list`; as `freezeFilesystems` in freeze.ts. */
  freeze(options: GuardedFreezeOptions): Promise<Freeze>;
}

export interface GuardedFreezeOptions extends Omit<FreezeOptions, 'onThawed' | 'watch'> {
  /** Default true: a process of its own watches the freeze, and ends it if this one dies. */
  guard?: boolean | undefined;
  /** Default false: a sleeping thaw is left in the guest as well. */
  deadman?: boolean | undefined;
}

/** The watch begins before the freeze: once the command is sent it would be too late. */
async function freezeGuarded(
  domain: Domain,
  filesystems: readonly FrozenFilesystem[],
  { guard = true, deadman = false, ...options }: GuardedFreezeOptions,
): Promise<Freeze> {
  if (filesystems.length === 0) return freezeFilesystems(domain, filesystems, options);
  const mountpoints = filesystems.map(({ mountpoint }) => mountpoint);
  const { maxFreezeMs, signal } = options;
  const watch = await watchOver(domain, 'freeze', maxFreezeMs, { guard, signal });
  // The last before the freeze: its time runs from now on.
  const inside = await (deadman ? leaveDeadman(domain, mountpoints, maxFreezeMs) : null)?.catch((error: unknown) => {
    watch.end();
    throw error;
  });
  await faultPoint('guard.armed');
  try {
    return await freezeFilesystems(domain, filesystems, { ...options, onThawed: () => inside?.cancel(), watch });
  } catch (error) {
    // What libvirt itself said tells nothing of the guest: who watches over it goes on.
    const isDoubtful =
      error instanceof LibvirtError || (error instanceof DiskSnapshotError && error.outcome === 'unknown');
    if (!isDoubtful) {
      watch.end();
      await inside?.cancel();
    }
    throw error;
  }
}

/**
 * Asks everything that cannot be asked while frozen: whether an agent answers, may freeze and is not frozen already, and
 * which file systems lie on these disks. Changes nothing.
 *
 * @throws DiskSnapshotError QUIESCE_UNAVAILABLE or ALREADY_FROZEN, outcome `'unchanged'`; CONNECTION_LOST
 */
export async function prepareFreeze(
  domain: Domain,
  document: DomainDocument,
  targets: readonly string[] | 'all',
  options: CallOptions = {},
): Promise<PreparedFreeze> {
  return (await lookInside(domain, document, targets, options)).prepared;
}

async function lookInside(
  domain: Domain,
  document: DomainDocument,
  targets: readonly string[] | 'all',
  options: CallOptions,
): Promise<{ prepared: PreparedFreeze; mounts: GuestMount[] }> {
  const mounts = locateMounts(await askForFilesystems(domain, document, options), document);
  const { filesystems, unfreezable, covered } = selectFilesystems(mounts, targets);
  const [hidden] = covered;
  if (hidden) throw outOfReach(domain.getName(), hidden);
  const prepared: PreparedFreeze = {
    filesystems,
    unfreezable,
    freeze: (freezeOptions) => freezeGuarded(domain, filesystems, freezeOptions),
  };
  return { prepared, mounts };
}

async function askForFilesystems(domain: AgentDomain, document: DomainDocument, options: CallOptions) {
  const signal = signalOf(options);
  const call = { limitMs: QUESTION_MS, timeoutMs: QUESTION_MS, signal };
  const guest = domain.getName();
  try {
    const enabled = await firstWord(domain, document, call);
    const canSay = enabled.has('guest-fsfreeze-status');
    // First, since a frozen agent has disabled the others.
    if (canSay && (await askAgent(domain, 'guest-fsfreeze-status', call)) === 'frozen') throw alreadyFrozen(guest);
    const missing = NEEDED.filter((command) => !enabled.has(command));
    if (missing[0]) throw new AgentError('disabled', missing[0], `not enabled: ${missing.join(', ')}`);
    return await askAgent(domain, 'guest-get-fsinfo', { limitMs: LIST_MS, timeoutMs: LIST_MS, signal });
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    throw unavailable(guest, error, { why: await exactly(domain, document, error) });
  }
}

/** The commands that the agent runs; an agent that libvirt is about to find again is given the time. */
async function firstWord(domain: AgentDomain, document: DomainDocument, call: AskOptions) {
  const startedAt = performance.now();
  for (;;) {
    try {
      return await askAgent(domain, 'guest-info', call);
    } catch (error) {
      const isAbsent = error instanceof AgentError && error.failure === 'unresponsive';
      const isLate = performance.now() - startedAt > RECONNECT_MS;
      if (!isAbsent || isLate || document.agentConnected !== true) throw error;
    }
    await delay(RECONNECT_PAUSE_MS);
  }
}

/** libvirt has one error for several states of guest and agent; who looks closer can give better advice. */
async function exactly(domain: AgentDomain, document: DomainDocument, { failure }: AgentError): Promise<NoFreeze> {
  if (failure === 'not-running') return (await isOff(domain)) ? 'off' : 'paused';
  if (failure !== 'unresponsive' && failure !== 'late') return failure;
  return document.agentConnected === false ? 'not-connected' : 'hung';
}

function outOfReach(guest: string, { mountpoint, fsType, disks }: FrozenFilesystem): DiskSnapshotError {
  return new DiskSnapshotError(
    'QUIESCE_UNAVAILABLE',
    `${guest} cannot be frozen: its ${fsType} of ${disks.join(', ') || 'an unknown disk'} on ${mountpoint} is covered by another mount, ` +
      "where its agent cannot reach it. Unmount what covers it, or do without (quiesce: 'never')",
    { guest },
  );
}

// ---- the public pair ------------------------------------------------------------------------------------------------

/**
 * Freezes the file systems on some disks of a running guest, and holds them frozen until `unquiesce()`, the end of the
 * lease, or the end of the `await using` block. The guest's writers wait meanwhile: be quick. While it holds, this
 * process is kept alive; with the process or its connection goes the promise to thaw.
 *
 * `options.signal` and `options.timeoutMs` count until the guest is frozen: then it is thawed, and the call rejects.
 * Kinds of file system that cannot be frozen (FAT) are not in `filesystems`, and are not frozen.
 *
 * The agent's `guest-fsfreeze-freeze-list`, through virDomainQemuAgentCommand.
 *
 * @throws DiskSnapshotError QUIESCE_UNAVAILABLE (no agent answers, or it cannot freeze), ALREADY_FROZEN, DISK_NOT_FOUND,
 * FREEZE_BUDGET_EXCEEDED (it froze too slowly), THAW_FAILED (it did not freeze, and is not proven thawed)
 * @example
 * const frozen = await quiesceStorage(dom, { disks: ['vda', 'vdb'], maxFreezeMs: 5000 });
 * try {
 *   // the storage's own snapshot
 * } finally {
 *   console.log(await frozen.unquiesce()); // { intact: true, … }
 * }
 */
export function quiesceStorage(domain: Domain, options: QuiesceOptions = {}): Promise<QuiescedStorage> {
  return facade(
    domain,
    options,
    'quiesceStorage',
    async ({ disks = 'all', maxFreezeMs = DEFAULT_MAX_FREEZE_MS, guard, signal }) => {
      checkMilliseconds('options.maxFreezeMs', maxFreezeMs);
      if (disks !== 'all' && !Array.isArray(disks))
        throw invalidType('options.disks', "'all' or a list of targets", disks);
      if (guard !== undefined && typeof guard !== 'boolean') throw invalidType('options.guard', 'a boolean', guard);
      const call = { signal };
      const document = readDomain(await domain.getXMLDesc({ flags: DomainXMLFlags.SECURE, ...call }));
      const targets = disks === 'all' ? disks : selectDisks(document, disks).map(({ disk }) => disk.target);
      const { prepared, mounts } = await lookInside(domain, document, targets, call);
      const uuid = domain.getUUIDString(); // once frozen, nothing may fail between the freeze and its holder
      const freeze = await prepared.freeze({ maxFreezeMs, signal, guard });
      return new HeldStorage(freeze, { name: document.name, uuid, mounts });
    },
  );
}

/**
 * Thaws whatever is frozen in the guest, by whomever: also what another program or a process that died has frozen.
 * Resolves when the agent says thawed; 0 where nothing was frozen, and for a guest that is off.
 *
 * The agent's `guest-fsfreeze-thaw`, through virDomainQemuAgentCommand. Waits 20 s, or `timeoutMs`.
 *
 * @throws DiskSnapshotError QUIESCE_UNAVAILABLE where there is nobody to ask (no channel, no right); THAW_FAILED (outcome
 * `'unknown'`) where the agent does not confirm in time
 */
export function unquiesceStorage(domain: Domain, options: CallOptions = {}): Promise<{ thawed: number }> {
  return facade(domain, options, 'unquiesceStorage', async ({ signal }) => {
    const guest = domain.getName();
    const limitMs = options.timeoutMs === undefined ? THAW_PATIENCE_MS : undefined;
    const thawing = new Thawing(domain);
    try {
      const waited = await waitFor(thawing.proven, { limitMs, signal });
      if (waited.kind === 'done') return { thawed: waited.value.thawed };
      throw waited.kind === 'aborted' ? waited.reason : thawFailed(guest, THAW_PATIENCE_MS, thawing.trouble, 'ended');
    } catch (error) {
      throw error instanceof AgentError ? thawImpossible(guest, error, 'unchanged') : error;
    } finally {
      thawing.stop(); // a freeze that is not ours is not worked on behind the caller's back
    }
  });
}
