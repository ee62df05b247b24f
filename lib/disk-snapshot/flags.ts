// The proposal's flag, for those who write it that way.
import type { Flag } from '../libvirt';

/** Flags of {@link diskSnapshotCreate} as the proposal has them. */
export const DiskSnapshotFlags: { readonly QUIESCE_REQUIRED: Flag<'DiskSnapshotFlags'> } = Object.freeze({
  /** Fail unless an agent answers and every file system on the disks froze: the same as `quiesce: 'required'`. */
  QUIESCE_REQUIRED: 1 as Flag<'DiskSnapshotFlags'>,
});
