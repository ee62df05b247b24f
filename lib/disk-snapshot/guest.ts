// The domain as an operation finds it, and the states in which its disks are better left alone.
import { type Domain, DomainState } from '../libvirt';
import type { CallOptions } from '../libvirt/options';
import { type DomainDocument, readDomain } from '../xml/domain';
import { DiskSnapshotError } from './errors';
import { journalOf } from './records/journal';

export interface Guest {
  domain: Domain;
  /** The live XML of a guest that runs, else the one it will start from. */
  document: DomainDocument;
  name: string;
  /** Of its XML, in bytes. */
  size: number;
  active: boolean;
  /** Active, but not running: paused, shutting down, suspended by itself. */
  paused: boolean;
}

export async function lookAtGuest(domain: Domain, call: CallOptions): Promise<Guest> {
  const [xml, { state }] = await Promise.all([domain.getXMLDesc(call), domain.getState(call)]);
  const document = readDomain(xml);
  const active = state !== DomainState.SHUTOFF && state !== DomainState.CRASHED;
  const size = Buffer.byteLength(xml);
  return { domain, document, size, name: document.name, active, paused: active && state !== DomainState.RUNNING };
}

/** Whether two looks at a guest would lead to the same plan. */
export function isSameGuest(a: Guest, b: Guest): boolean {
  const facts = ({ document, active, paused }: Guest) =>
    JSON.stringify([
      active,
      paused,
      document.disks.map((disk) => disk.xml),
      journalOf(document).sets.map((set) => set.name),
    ]);
  return facts(a) === facts(b);
}

/** A guest that starts from a managed-save image runs on the disks of that moment, whatever its XML says since. */
export async function refuseManagedSave(guest: Guest, call: CallOptions): Promise<void> {
  if (guest.active || !(await guest.domain.hasManagedSaveImage(call))) return;
  throw new DiskSnapshotError(
    'GUEST_ACTIVE',
    `${guest.name} is not off but saved: it would start on its old disks, and write into the snapshot. ` +
      `Start it, or let the image go (virsh managedsave-remove ${guest.name})`,
    { guest: guest.name },
  );
}

/** No agent answers in a guest that does not run. */
export function refuseSleeping(guest: Guest): void {
  if (guest.active && !guest.paused) return;
  const state = guest.active ? 'is paused' : 'is off';
  const advice = guest.active ? 'Resume it' : 'A guest that was shut down has nothing to freeze';
  throw new DiskSnapshotError(
    'QUIESCE_UNAVAILABLE',
    `${guest.name} ${state}: no agent can answer. ${advice}, or ask for quiesce: 'preferred' or 'never'`,
    { guest: guest.name },
  );
}
