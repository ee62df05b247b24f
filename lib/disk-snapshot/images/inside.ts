// Snapshots inside an image: they go with its file, and what lies below it must stay as it is for them.
import { isAbsolute } from 'node:path';
import { type DomainDisk, pathSource, readDisk } from '../../xml/disk';
import { childrenOf, element } from '../../xml/document';
import type { Guest } from '../guest';
import { HELPER_DISK, lookThroughHelper } from '../merge/helper-domain';
import type { DiskRecord, MethodState } from '../records/record';
import { diskOf, liveChain } from './backing-chain';
import { imageChain } from './disk-chain';

/** Where a recorded snapshot lies inside an image file: its path. Null: it is kept otherwise. */
export function imageInside({ internalSnapshot, state }: DiskRecord): string | null {
  if (internalSnapshot === null) return null;
  const { image } = ((state as Partial<MethodState> | null)?.state ?? {}) as { image?: unknown };
  return typeof image === 'string' && isAbsolute(image) ? image : null;
}

/** The disk as it would be on this qcow2 image. */
export function diskOn(disk: DomainDisk, path: string): DomainDisk {
  return readDisk(
    element(
      'disk',
      { type: 'file', device: disk.device },
      element('driver', { name: 'qemu', type: 'qcow2' }),
      pathSource('file', path),
      ...childrenOf(disk.element, 'encryption'),
      element('target', { dev: disk.target }),
    ),
  );
}

/** Names of the snapshots in a qcow2 image that no guest writes to. A pool does not tell them; a QEMU that opens it does. */
export async function snapshotsInside(guest: Guest, disk: DomainDisk, path: string): Promise<readonly string[]> {
  const [top] = await imageChain(guest.domain.connection, { type: 'file', path, format: 'qcow2' });
  if (top?.missing) return [];
  if (top?.internalSnapshots) return top.internalSnapshots;
  return lookThroughHelper(guest.document, diskOn(disk, path), guest.domain, async (helper) => {
    const held = await diskOf(helper, HELPER_DISK);
    const [opened] = held ? await liveChain(helper, held) : [];
    return opened?.internalSnapshots ?? [];
  });
}
