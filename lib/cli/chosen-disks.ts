// Those disks of a snapshot that --disk names.
import type { DiskSnapshot, DiskSnapshotSet } from '../index';
import { EXIT } from './exit-codes';
import { CliError } from './failure';

export function disksOf(set: DiskSnapshotSet, named: readonly string[] | undefined): readonly DiskSnapshot[] {
  if (named === undefined) return set.disks;
  return [...new Set(named)].map((name) => {
    const found = set.disks.find(({ disk }) => disk === name);
    if (found) return found;
    const known = set.disks.map(({ disk }) => disk).join(', ');
    throw new CliError('NOT_FOUND', EXIT.NOT_FOUND, `snapshot ${set.name} has no disk ${name}. It has: ${known}`);
  });
}
