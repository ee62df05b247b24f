// Overlays that others made (virsh, virt-manager) become records, and can then be listed and deleted like ours.
import { randomUUID } from 'node:crypto';
import { extname } from 'node:path';
import type { Domain } from '../libvirt';
import type { CallOptions } from '../libvirt/options';
import { pathSource } from '../xml/disk';
import { formatXml } from '../xml/document';
import { checkSnapshotName, defaultName } from './element/name';
import { DiskSnapshotError } from './errors';
import { facade } from './facade';
import { type Guest, lookAtGuest, refuseManagedSave } from './guest';
import type { ChainLayer } from './images/backing-chain';
import { diskChain } from './images/disk-chain';
import { withClaim } from './records/claim';
import { type Journal, journalOf, writeRecord } from './records/journal';
import { type DiskRecord, type ImageRef, qemuStateOf, type SetRecord } from './records/record';
import { setOf } from './result';
import { selectDisks } from './select';
import type { DiskSnapshotSet } from './types';

/**
 * Makes a record of every layer that has none: from the base upwards, each as a set of one disk. Touches no image. A layer
 * that is recorded already is left alone, so a second call adopts nothing.
 *
 * The name is the file's last extension, where virsh puts it, or a time stamp; `createdAt` is the time of adoption, since
 * no image tells its age.
 *
 * @returns what was adopted, oldest layer first
 * @throws DiskSnapshotError DISK_NOT_FOUND, OPERATION_IN_PROGRESS, GUEST_ACTIVE (a managed-save image)
 * @example
 * for (const set of await adoptDiskSnapshots(dom)) await set.delete();
 */
export function adoptDiskSnapshots(
  dom: Domain,
  options: CallOptions & { disks?: 'all' | readonly string[] } = {},
): Promise<DiskSnapshotSet[]> {
  return facade(dom, options, 'adoptDiskSnapshots', ({ disks = 'all', signal }) => {
    const call = signal ? { signal } : {};
    return withClaim(dom, 'adopt', call, async () => {
      const guest = await lookAtGuest(dom, call);
      await refuseManagedSave(guest, call);
      const journal = journalOf(guest.document);
      const adopted: SetRecord[] = [];
      for (const { disk } of selectDisks(guest.document, disks)) {
        adopted.push(...(await adoptDisk(guest, journal, disk.target, adopted, call)));
      }
      for (const set of adopted) await writeRecord(dom, 'set', set, call);
      return adopted.map((set) => setOf(dom, set));
    });
  });
}

async function adoptDisk(
  guest: Guest,
  journal: Journal,
  disk: string,
  before: readonly SetRecord[],
  call: CallOptions,
): Promise<SetRecord[]> {
  const chain = await diskChain(guest, disk, call);
  const recorded = new Set(
    journal.sets.flatMap((set) => set.disks.map((record) => qemuStateOf(record)?.overlay.path ?? null)),
  );
  const adopted: SetRecord[] = [];
  for (let at = chain.length - 2; at >= 0; at--) {
    const overlay = refOf(chain[at]);
    const base = refOf(chain[at + 1]);
    if (!overlay || !base || recorded.has(overlay.path)) continue;
    const taken = new Set([...journal.sets, ...before, ...adopted].map(({ name }) => name));
    const order = before.length + adopted.length;
    const now = new Date(Date.now() + order); // later layers are younger, whatever the clock says
    adopted.push({
      version: 1,
      id: randomUUID(),
      name: nameOf(overlay.path, now, taken),
      description: null,
      labels: {},
      createdAt: now.toISOString(),
      consistency: 'disk',
      frozenMs: 0,
      pausedMs: 0,
      evidence: [{ fact: `adopted: ${overlay.path} lay over ${base.path}`, from: 'the backing chain' }],
      disks: [recordOf(guest, disk, { overlay, base, below: chain.slice(at + 2) }, chain[at + 1]?.virtualSize ?? 0)],
    });
  }
  return adopted;
}

/** Null for what lies on another host: method `qemu` merges files and devices. */
function refOf(layer: ChainLayer | undefined): ImageRef | null {
  if (!layer || layer.path === null) return null;
  return { type: layer.path.startsWith('/dev/') ? 'block' : 'file', path: layer.path, format: layer.format };
}

function nameOf(path: string, now: Date, taken: ReadonlySet<string>): string {
  const name = extname(path).slice(1);
  try {
    checkSnapshotName(name);
  } catch (error) {
    if (!(error instanceof DiskSnapshotError)) throw error;
    return defaultName(now, taken);
  }
  return taken.has(name) || FORMATS.has(name) ? defaultName(now, taken) : name;
}

/** Extensions that say what a file is, and not which snapshot. */
const FORMATS: ReadonlySet<string> = new Set(['qcow2', 'qcow', 'img', 'raw', 'qed', 'vmdk', 'snap', 'overlay']);

function recordOf(
  guest: Guest,
  disk: string,
  { overlay, base, below }: { overlay: ImageRef; base: ImageRef; below: readonly ChainLayer[] },
  virtualSize: number,
): DiskRecord {
  const isActive = guest.document.disks.find(({ target }) => target === disk)?.sourcePath === overlay.path;
  return {
    disk,
    method: 'qemu',
    backupSource: formatXml(pathSource(base.type, base.path)),
    internalSnapshot: null,
    format: base.format,
    virtualSize,
    modifiedDisk: isActive ? (guest.document.disks.find(({ target }) => target === disk)?.xml ?? null) : null,
    backingChain: below.map(({ path, format }) => ({ source: path ?? '', format })),
    state: { mode: 'external', overlay, base },
  };
}
