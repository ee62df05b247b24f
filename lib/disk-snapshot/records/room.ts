// Records are kept in the domain's XML, and libvirt passes no string on that is longer than 4 MiB: a domain whose XML has
// grown beyond that can be neither read nor managed any more.
import { DiskSnapshotError } from '../errors';
import type { Guest } from '../guest';

/** Of REMOTE_STRING_MAX, 4 MiB, a quarter is left for the devices, which a guest that runs shows in more detail. */
const MOST_BYTES = 3 * 1024 * 1024;

/**
 * @param more of records that are to be written
 * @throws DiskSnapshotError LIMIT_EXCEEDED
 */
export function refuseFull({ name, size }: Guest, more: unknown = {}): void {
  // An intent and the set that it becomes are there at the same time; each holds text of which XML writes some at length.
  const bytes = size + 3 * Buffer.byteLength(JSON.stringify(more));
  if (bytes <= MOST_BYTES) return;
  throw new DiskSnapshotError(
    'LIMIT_EXCEEDED',
    `${name}: with another snapshot its XML would take ${bytes} bytes, more than ${MOST_BYTES}, near to what libvirt can pass on (4 MiB). ` +
      'Delete snapshots, shorten their descriptions and labels, or take out what else fills <metadata>',
    { guest: name },
  );
}
