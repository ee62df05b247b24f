// Disks that no method which works on their image serves, whatever that image is.
import type { DomainDisk } from '../../xml/disk';
import type { MethodContext } from '../types';
import { refusal } from './refusal';

const UNFIT: readonly { test: (disk: DomainDisk) => boolean; reason: string }[] = [
  { test: (d) => d.source === null, reason: 'its drive is empty' },
  { test: (d) => d.device !== 'disk', reason: `only disks of device="disk" can be written to as a whole` },
  { test: (d) => d.readonly, reason: 'it is read-only: it cannot change, so it needs no snapshot' },
  { test: (d) => d.shareable, reason: 'it is shareable: other guests would go on writing to the same image' },
  { test: (d) => d.transient, reason: 'it is transient: what is written to it is thrown away anyhow' },
];

/** @throws DiskSnapshotError METHOD_UNSUPPORTED, or DISK_BUSY while a block job runs on it */
export function refuseUnfit(c: Pick<MethodContext<unknown>, 'domain' | 'disk'>, disk: DomainDisk): void {
  const found = UNFIT.find(({ test }) => test(disk));
  if (found) throw refusal(c, 'METHOD_UNSUPPORTED', `it takes no snapshot: ${found.reason}. Leave it out`);
  if (!disk.hasMirror) return;
  const abort = `virsh blockjob ${c.domain.getName()} ${disk.target} --abort`;
  throw refusal(c, 'DISK_BUSY', `a block job runs on it. Wait for its end, or abort it (${abort})`);
}
