// A running guest as it is, kept inside its qcow2 images and brought back: QEMU's savevm and loadvm.
import {
  type Domain,
  DomainCreateFlags,
  DomainQemuMonitorCommandFlags,
  DomainState,
  DomainXMLFlags,
  LibvirtError,
} from '../libvirt';
import { renewAgentChannel, withoutRenewal } from './agent-channel';
import { agentAnswers, untilAgentAnswers } from './agent-return';
import { endSince, thisMoment } from './under-way';

/** A state in the images, and what it needs around it. */
export interface SavedMachine {
  readonly name: string;
  readonly moment: number;
  /** Its XML while it ran. The state fits these devices and no others. */
  readonly hardware: string;
  /** Undefined: a transient guest. */
  readonly definition: string | undefined;
  readonly paused: boolean;
  /** Its agent answered. */
  readonly agent: boolean;
}

/** QEMU said no: a disk that keeps no state, most often. */
export class StateRefusedError extends Error {
  override readonly name = 'StateRefusedError';
}

/** Limit for a state: some GiB take seconds. */
const STATE_MS = 120_000;

/** Limit for all else that a monitor does, in milliseconds where the host is not busy. A QEMU that hangs takes for ever. */
const MONITOR_MS = 20_000;

/** Keeps the state under a name, in 0.2 s. Every writable disk must be qcow2. */
export async function saveMachine(domain: Domain, name: string): Promise<SavedMachine> {
  const { state } = await domain.getState();
  const paused = state === DomainState.PAUSED;
  const saved = {
    name,
    moment: thisMoment(),
    hardware: await hardwareOf(domain),
    definition: await definitionOf(domain),
    paused,
    agent: !paused && (await agentAnswers(domain)),
  };
  await humanMonitor(domain, `savevm ${name}`);
  return saved;
}

/**
 * Brings the state back: in place while the guest still runs on the same devices; otherwise in a new QEMU, in about twice the
 * time, whatever has become of the old one. The guest runs then, and its agent answers if it did.
 *
 * @returns the guest: the same handle if in place
 */
export async function loadMachine(domain: Domain, saved: SavedMachine): Promise<Domain> {
  endSince(domain, saved.moment);
  let current = domain;
  const load = async () => {
    if (!(await loadInPlace(domain, saved))) current = await loadInNewQemu(domain, saved);
    await defineAgain(current, saved);
  };
  await (saved.agent ? untilAgentAnswers(domain, load) : load());
  return current;
}

export async function dropMachine(domain: Domain, name: string): Promise<void> {
  await humanMonitor(domain, `delvm ${name}`);
}

/** False where it cannot be done in place. */
async function loadInPlace(domain: Domain, saved: SavedMachine): Promise<boolean> {
  try {
    if ((await hardwareOf(domain)) !== saved.hardware) return false;
    await domain.suspend({ timeoutMs: MONITOR_MS });
    if (saved.agent) await renewAgentChannel(domain, MONITOR_MS);
    await humanMonitor(domain, `loadvm ${saved.name}`);
    if (!saved.paused) await domain.resume();
    return true;
  } catch (error) {
    // Off, undefined, crashed, hung: a new QEMU asks for none of it.
    if (error instanceof LibvirtError || error instanceof StateRefusedError || isTimeout(error)) return false;
    throw error;
  }
}

async function loadInNewQemu(domain: Domain, saved: SavedMachine): Promise<Domain> {
  await domain.destroy().catch(onlyOff);
  // Without a definition and without a process it is no longer known; the old handle finds the new one by its UUID.
  const fresh = await domain.connection.domainCreateXML(saved.hardware, DomainCreateFlags.START_PAUSED);
  if (saved.definition !== undefined && (await fresh.hasManagedSaveImage())) await fresh.managedSaveRemove();
  await humanMonitor(fresh, `loadvm ${saved.name}`);
  if (!saved.paused) await fresh.resume();
  return fresh;
}

async function defineAgain(domain: Domain, saved: SavedMachine): Promise<void> {
  const now = await definitionOf(domain);
  if (now === saved.definition) return;
  if (saved.definition === undefined) await domain.undefine();
  else await domain.connection.domainDefineXML(saved.definition);
}

/** The devices, without what each start gives them anew. */
async function hardwareOf(domain: Domain): Promise<string> {
  return withoutRenewal(await domain.getXMLDesc([DomainXMLFlags.SECURE, DomainXMLFlags.MIGRATABLE]));
}

async function definitionOf(domain: Domain): Promise<string | undefined> {
  if (!(await domain.isPersistent())) return undefined;
  return domain.getXMLDesc([DomainXMLFlags.SECURE, DomainXMLFlags.INACTIVE]);
}

/** QEMU's human monitor answers success with nothing, and failure with text. */
async function humanMonitor(domain: Domain, command: string): Promise<void> {
  const options = { flags: DomainQemuMonitorCommandFlags.HMP, timeoutMs: STATE_MS };
  const answer = (await domain.qemuMonitorCommand(command, options)).trim();
  if (answer !== '') throw new StateRefusedError(`QEMU of ${domain.getName()} refused ${command}: ${answer}`);
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

function onlyOff(error: unknown): void {
  const off = error instanceof LibvirtError && ['NO_DOMAIN', 'OPERATION_INVALID'].includes(error.codeName ?? '');
  if (!off) throw error;
}
