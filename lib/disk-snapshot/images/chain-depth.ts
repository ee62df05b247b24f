// How many images a disk may rest on.

import type { CallOptions } from '../../libvirt/options';
import type { DomainDisk } from '../../xml/domain';
import { DiskSnapshotError } from '../errors';
import type { Guest } from '../guest';
import type { ImageRef } from '../records/record';
import { chainOfXml } from './backing-chain';
import { imageChain } from './disk-chain';

/**
 * The uppermost counted. libvirt starts no guest on more than 200, though it defines one; and from 122 on it cannot hand on what
 * QEMU says of its disks, nested that deep: nothing could be merged any more. A merge in progress needs a few for itself.
 */
const MOST_IMAGES = 100;

/** @throws DiskSnapshotError LIMIT_EXCEEDED where one more image over `base` would be too many */
export async function refuseDeep(guest: Guest, disk: DomainDisk, base: ImageRef, call: CallOptions): Promise<void> {
  const depth = await depthOf(guest, disk, base, call);
  if (depth < MOST_IMAGES) return;
  throw new DiskSnapshotError(
    'LIMIT_EXCEEDED',
    `${guest.name}: disk ${disk.target} rests on ${depth} images already; on more than ${MOST_IMAGES} it could not be worked with for long. ` +
      'Delete older snapshots first: that merges their images',
    { guest: guest.name, disk: disk.target },
  );
}

/** The XML of a guest that is off need not name what lies below the uppermost; headers that nobody here can read, QEMU will judge. */
async function depthOf(guest: Guest, disk: DomainDisk, base: ImageRef, call: CallOptions): Promise<number> {
  const named = chainOfXml(disk).length;
  if (guest.active) return named;
  try {
    return (await imageChain(guest.domain.connection, base, call)).length;
  } catch (error) {
    if (error instanceof DiskSnapshotError && error.code !== 'LIMIT_EXCEEDED') return named;
    throw error;
  }
}
