// Who reads a snapshot now, in this process: it is not deleted beneath them. Readers of other processes are kept apart by
// QEMU's lock on the image.
import { DiskSnapshotError } from '../errors';

interface Reading {
  signal: AbortSignal | undefined;
  ended: Promise<void>;
}

const readings = new Map<string, Set<Reading>>();
const keyOf = (setId: string, disk: string) => `${setId} ${disk}`;

/** The result ends it. An aborted signal says that the end is near. */
export function beginReading(setId: string, disk: string, signal: AbortSignal | undefined): () => void {
  const key = keyOf(setId, disk);
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const reading = { signal, ended };
  const readers = readings.get(key) ?? new Set();
  readings.set(key, readers.add(reading));
  return () => {
    readers.delete(reading);
    if (readers.size === 0) readings.delete(key);
    end();
  };
}

/**
 * Waits for readers that were told to end.
 *
 * @throws DiskSnapshotError IN_USE where one goes on
 */
export async function settleReaders(
  setId: string,
  disks: readonly string[],
  where: { guest: string; snapshot: string },
): Promise<void> {
  for (const disk of disks) {
    const readers = [...(readings.get(keyOf(setId, disk)) ?? [])];
    if (readers.some(({ signal }) => !signal?.aborted)) {
      throw new DiskSnapshotError(
        'IN_USE',
        `${where.guest}: snapshot ${where.snapshot} of disk ${disk} is being read. Let the reader end, or destroy it, first`,
        { ...where, disk },
      );
    }
    await Promise.all(readers.map(({ ended }) => ended));
  }
}
