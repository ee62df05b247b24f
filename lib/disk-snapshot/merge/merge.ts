// Merging one layer of a disk into the image below it: by the QEMU that runs the guest, or by one of our own.
import { type Domain, DomainBlockCommitFlags, DomainBlockJobType, ErrorNumber, LibvirtError } from '../../libvirt';
import { child } from '../../xml/document';
import type { DomainDisk } from '../../xml/domain';
import { DiskSnapshotError } from '../errors';
import { faultPoint } from '../fault-point';
import { lookAtGuest } from '../guest';
import { type Chain, chainOfXml, diskOf, liveChain, positionOf } from '../images/backing-chain';
import { diskChain } from '../images/disk-chain';
import type { ImageRef } from '../records/record';
import { type BlockJobOptions, runBlockJob } from './block-job';
import { settleDefinition } from './definition';
import { HELPER_DISK, withHelper } from './helper-domain';

export interface Layer {
  domain: Domain;
  /** The target. */
  disk: string;
  overlay: ImageRef;
  /** The image below, as it was recorded. */
  base: ImageRef;
  /** A merge was begun before, by somebody who may have died since. */
  begun: boolean;
}

export interface MergeOptions extends BlockJobOptions {
  /** MiB/s; 0: unlimited. */
  bandwidth: number;
  /** Told true before the base is written to, false where the merge was refused and has touched nothing. */
  note(deleting: boolean): Promise<void>;
}

/**
 * Merges the layer into the image below it and brings the definition in line. The layer's file stays.
 *
 * @returns the image that holds the layer's data now
 * @throws as runBlockJob
 */
export async function mergeLayer(layer: Layer, options: MergeOptions): Promise<ImageRef> {
  const { domain, disk, overlay } = layer;
  const guest = await lookAtGuest(domain, { signal: options.signal });
  if (guest.active) {
    const parent = await mergeIn(domain, disk, layer, options);
    await faultPoint('delete.merged');
    if (await domain.isPersistent()) await settleDefinition(domain, disk, overlay, parent);
    return parent;
  }
  const defined = guest.document.disks.find(({ target }) => target === disk);
  if (!defined) throw notInChain(layer);
  return withHelper(guest.document, defined, domain, async (helper) => {
    const parent = await mergeIn(helper, HELPER_DISK, layer, options);
    await faultPoint('delete.merged');
    // Before the helper ends: as long as it holds the image, the guest cannot start from the old definition.
    await settleDefinition(domain, disk, overlay, parent);
    return parent;
  });
}

/** The merge by one QEMU, which holds the disk as `target`. */
async function mergeIn(runner: Domain, target: string, layer: Layer, options: MergeOptions): Promise<ImageRef> {
  const disk = await diskOf(runner, target);
  const chain = disk ? await liveChain(runner, disk) : [];
  const at = positionOf(chain, layer.overlay.path);
  // The merge that somebody left behind has just come to its end by itself.
  if (at < 0 && layer.begun && positionOf(chain, layer.base.path) >= 0) return layer.base;
  const [top, base] = at < 0 ? [] : chain.slice(at);
  if (!disk || !top?.path || !base?.path) throw notInChain(layer);
  refuseInternal(layer, top.internalSnapshots ?? []);

  // Both ends are named: without a base the whole chain would be merged. Only the active layer's job waits for its pivot.
  const isActive = at === 0;
  const [from, into] = [top.path, base.path];
  const flags = isActive ? [DomainBlockCommitFlags.ACTIVE] : [];
  const resumes = layer.begun && (await mergeRuns(runner, disk, into));
  await runBlockJob(
    {
      domain: runner,
      disk: target,
      pivots: isActive,
      resumes,
      start: async () => {
        if (resumes) return runner.blockJobSetSpeed(target, options.bandwidth);
        await options.note(true);
        try {
          await faultPoint('delete.noted');
          // The last moment at which an abort finds the point in time untouched.
          options.signal?.throwIfAborted();
          await runner.blockCommit(target, into, from, options.bandwidth, flags);
        } catch (refusal) {
          if (!layer.begun) await options.note(false);
          throw refusal;
        }
        await faultPoint('delete.job-started');
      },
      took: async () => !(await chainsNow(runner, target, layer)).some((now) => positionOf(now, from) >= 0),
    },
    options,
  );
  const image = disk.backingChain.find(({ sourcePath }) => sourcePath === into);
  return { type: image?.type === 'block' ? 'block' : 'file', path: into, format: base.format };
}

/** Whether a merge into that image runs already. An inner merge does not show its target, but no other job could be ours. */
async function mergeRuns(runner: Domain, disk: DomainDisk, into: string): Promise<boolean> {
  const info = await runner.getBlockJobInfo(disk.target);
  if (info?.type === DomainBlockJobType.COMMIT) return true;
  if (info?.type !== DomainBlockJobType.ACTIVE_COMMIT) return false;
  const mirror = child(disk.element, 'mirror', 'source')?.attributes;
  // A libvirtd that was killed as it began the job has it, but does not show where it leads.
  return mirror === undefined || (mirror.file ?? mirror.dev) === into;
}

/** What the disk rests on, by all accounts: QEMU's and libvirt's; those of the definition where that QEMU has ended. */
async function chainsNow(runner: Domain, target: string, layer: Layer): Promise<Chain[]> {
  try {
    const disk = await diskOf(runner, target);
    if (disk && (await runner.isActive())) return [await liveChain(runner, disk), chainOfXml(disk)];
  } catch (e) {
    if (!(e instanceof LibvirtError) || !ENDED.has(e.code)) throw e;
  }
  return [await diskChain(await lookAtGuest(layer.domain, {}), layer.disk)];
}

const ENDED: ReadonlySet<number> = new Set([ErrorNumber.NO_DOMAIN, ErrorNumber.OPERATION_INVALID]);

function refuseInternal({ domain, disk, overlay }: Layer, inside: readonly string[]): void {
  if (inside.length === 0) return;
  const guest = domain.getName();
  throw new DiskSnapshotError(
    'METHOD_UNSUPPORTED',
    `${guest}: disk ${disk}: the layer ${overlay.path} carries internal snapshots (${inside.join(', ')}), which a merge ` +
      'would lose. Delete them first (virsh snapshot-delete, or qemu-img snapshot -d while the guest is off)',
    { guest, disk },
  );
}

function notInChain({ domain, disk, overlay }: Layer): DiskSnapshotError {
  const guest = domain.getName();
  const message = `${guest}: disk ${disk} has changed meanwhile: ${overlay.path} lies over no image of its chain. Try again`;
  return new DiskSnapshotError('OPERATION_FAILED', message, { guest, disk });
}
