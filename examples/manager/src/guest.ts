// One guest: what the page shows of it, and the mark in its metadata that asks for nightly snapshots.
import {
  type CallOptions,
  type DiskSnapshotSet,
  type Domain,
  DomainMetadataType,
  DomainModificationImpact,
  DomainState,
  LibvirtError,
  listDiskSnapshots,
  nameOf,
} from 'libvirt-disksnapshot';
import type { HostConfig } from './config.ts';
import type { GuestView, SnapshotView } from './views.ts';

/** Kept with the guest, so that it goes where the guest goes, and every manager sees it. */
const NIGHTLY_URI = 'urn:disk-snapshot-manager:nightly:1';
/** On snapshots that the schedule made: it never removes those of others. */
export const NIGHTLY_LABEL = { 'made-by': 'disk-snapshot-manager/nightly' } as const;

/** Null where the guest is gone. */
export async function lookAt(domain: Domain, host: HostConfig, call: CallOptions): Promise<GuestView | null> {
  const [id, name] = [domain.getUUIDString(), domain.getName()];
  const nightlyByConfiguration = host.nightly.includes(name);
  const view = { host: host.name, id, name, nightlyByConfiguration };
  try {
    const { state } = await domain.getState(call);
    const nightly = nightlyByConfiguration || (await isMarked(domain, call));
    const known = { ...view, nightly, state: nameOf(DomainState, state)?.toLowerCase() ?? `state ${state}` };
    try {
      const sets = await listDiskSnapshots(domain, call);
      return { ...known, snapshots: sets.map(snapshotView), problem: null };
    } catch (error) {
      if (isGone(error)) throw error;
      return { ...known, snapshots: [], problem: textOf(error) };
    }
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

export async function setNightly(domain: Domain, enabled: boolean): Promise<void> {
  const element = enabled ? '<nightly/>' : null;
  // The copy of a running guest and the one that it starts from next: either alone would be forgotten.
  const [active, persistent] = [await domain.isActive(), await domain.isPersistent()];
  const { LIVE, CONFIG } = DomainModificationImpact;
  const impact = (active ? LIVE : 0) | (persistent ? CONFIG : 0);
  await domain.setMetadata(DomainMetadataType.ELEMENT, element, 'manager', NIGHTLY_URI, impact);
}

async function isMarked(domain: Domain, call: CallOptions): Promise<boolean> {
  try {
    await domain.getMetadata(DomainMetadataType.ELEMENT, NIGHTLY_URI, call);
    return true;
  } catch (error) {
    if (error instanceof LibvirtError && error.codeName === 'NO_DOMAIN_METADATA') return false;
    throw error;
  }
}

export function isNightly({ labels }: DiskSnapshotSet): boolean {
  return Object.entries(NIGHTLY_LABEL).every(([key, value]) => labels[key] === value);
}

function snapshotView(set: DiskSnapshotSet): SnapshotView {
  const { name, description, createdAt, consistency, frozenMs, disks } = set;
  return {
    name,
    description,
    createdAt: createdAt.toISOString(),
    consistency,
    frozenMs,
    nightly: isNightly(set),
    disks: disks.map(({ disk, method, state, virtualSize }) => ({ disk, method, state, size: virtualSize })),
  };
}

function isGone(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof LibvirtError && cause.codeName === 'NO_DOMAIN';
}

export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
