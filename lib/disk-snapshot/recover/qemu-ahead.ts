// Where QEMU has switched to the overlay and libvirt does not know it: a driver that died between QEMU's transaction and its
// own bookkeeping names the base for ever, in both its documents. What the guest has written since goes back into the base,
// by QEMU's own commands, and libvirt's documents are true again.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Domain } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import type { DomainDisk } from '../../xml/domain';
import { DiskSnapshotError } from '../errors';
import { type BlockDevice, chainOfQemu, pathOf } from '../images/backing-chain';
import { qmp } from '../images/qmp';
import type { ImageRef, QemuState } from '../records/record';

interface Node {
  'node-name': string;
  drv: string;
  /** The file at the bottom of it, also of a format's node. */
  file: string;
}
interface Job {
  id: string;
  type: string;
  status: string;
  error?: string;
}

/** libvirt ignores the events of jobs that it did not start, and does not pass them on in a stable form: so we ask. */
const POLL_MS = 50;
const JOB_PREFIX = 'libvirt-disksnapshot-';

/**
 * Merges the overlay that QEMU writes to back into its base and lets go of it. A commit that was begun before, by somebody who
 * died, is taken over. The overlay's file stays.
 *
 * @throws DiskSnapshotError JOB_FAILED; the guest then goes on in the overlay. An aborted signal cancels, and is the reason.
 */
export async function commitBack(
  domain: Domain,
  disk: DomainDisk,
  { overlay, base }: QemuState,
  call: CallOptions,
): Promise<void> {
  const prefix = `${JOB_PREFIX}${disk.target}-`;
  const jobs = await qmp<Job[]>(domain, 'query-jobs', {}, call);
  const begun = jobs.find(({ id }) => id.startsWith(prefix));
  const job = begun?.id ?? `${prefix}${randomUUID()}`;
  if (!begun) {
    const nodes = await namedNodes(domain, call);
    const range = { device: formatNode(domain, nodes, overlay), 'base-node': formatNode(domain, nodes, base) };
    await qmp(domain, 'block-commit', { 'job-id': job, ...range, 'auto-dismiss': false }, call);
  }
  await runToItsEnd(domain, disk.target, job, call);
  await letGoOf(domain, overlay);
  const devices = await qmp<BlockDevice[]>(domain, 'query-block');
  if (chainOfQemu(devices, disk.alias)?.[0]?.path === base.path) return;
  throw failed(domain, disk.target, `QEMU has merged ${overlay.path}, but does not go on in ${base.path}`);
}

/** Closes an overlay that no disk uses: left open, libvirt's next snapshot would fail over the name of its node. */
export async function letGoOf(domain: Domain, overlay: ImageRef, call: CallOptions = {}): Promise<void> {
  const nodes = (await namedNodes(domain, call)).filter(({ file }) => pathOf(file) === overlay.path);
  // The format's node holds the one of its file.
  nodes.sort((a, b) => Number(b.drv === overlay.format) - Number(a.drv === overlay.format));
  for (const node of nodes) await qmp(domain, 'blockdev-del', { 'node-name': node['node-name'] }, call);
}

const namedNodes = (domain: Domain, call: CallOptions) =>
  qmp<Node[]>(domain, 'query-named-block-nodes', { flat: true }, call);

function formatNode(domain: Domain, nodes: readonly Node[], image: ImageRef): string {
  const found = nodes.find(({ drv, file }) => drv === image.format && pathOf(file) === image.path);
  if (found) return found['node-name'];
  throw failed(domain, null, `QEMU has ${image.path} open under no name as ${image.format}`);
}

async function runToItsEnd(domain: Domain, disk: string, id: string, call: CallOptions): Promise<void> {
  let isAsked = false;
  for (;;) {
    const job = (await qmp<Job[]>(domain, 'query-jobs')).find((one) => one.id === id);
    if (!job) return; // somebody else dismissed it: the chain tells what came of it
    if (job.status === 'concluded') {
      await qmp(domain, 'job-dismiss', { id });
      call.signal?.throwIfAborted();
      if (job.error !== undefined) throw failed(domain, disk, `QEMU could not merge it: ${job.error}`);
      return;
    }
    if (call.signal?.aborted && !isAsked) {
      isAsked = true;
      await qmp(domain, 'block-job-cancel', { device: id, force: true });
    } else if (job.status === 'ready' && !isAsked) {
      isAsked = true;
      await qmp(domain, 'job-complete', { id });
    }
    await delay(POLL_MS);
  }
}

function failed(domain: Domain, disk: string | null, why: string): DiskSnapshotError {
  const guest = domain.getName();
  const of = disk === null ? '' : ` disk ${disk}:`;
  return new DiskSnapshotError(
    'JOB_FAILED',
    `${guest}:${of} ${why}. The guest goes on and has lost nothing; do not stop it. See to the cause, then call recoverDiskSnapshots(domain) again`,
    { guest, ...(disk === null ? {} : { disk }), outcome: 'unknown' },
  );
}
