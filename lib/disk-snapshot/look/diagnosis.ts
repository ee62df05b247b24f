// What can be wrong with a domain and its disk snapshots, and what to do about each. The checks are elsewhere; here are
// the codes, and what a check gets to see.
import type { CallOptions } from '../../libvirt/options';
import type { DomainDocument } from '../../xml/domain';
import type { Guest } from '../guest';
import type { ImageFiles } from '../images/image-files';
import type { ImageUsers } from '../images/users';
import type { Journal } from '../records/journal';
import type { ClaimRecord } from '../records/record';

/** What a person does about a finding, where a program cannot. */
export const ADVICE = {
  STALE_CLAIM: 'Diagnose with fix, or leave it: the next operation on this domain removes it',
  ERASED_RECORDS: 'Diagnose with fix, which copies them back, before the guest is shut down',
  RECORDS_DIFFER:
    'Somebody defined the domain from an old description. Nothing to do now; after the next start, delete what is listed as missing',
  DAMAGED_RECORD:
    "Look at it with `virsh metadata DOMAIN --uri URI`; what cannot be mended goes with --remove, and is then forgotten. A record of a later version is read by that version's package",
  UNREADABLE_POLICY: 'Set it anew, or take it away, with updateDisk(domain, diskXml)',
  STALE_INTENT: 'Diagnose with fix, or call recoverDiskSnapshots(domain): it finishes or undoes what was begun',
  GUEST_FROZEN:
    'Wait, if somebody is at work; else call unquiesceStorage(domain), or `virsh domfsthaw DOMAIN`: the guest cannot write',
  UNFINISHED_MERGE: 'Delete the snapshot again: that finishes the merge',
  MISSING_SNAPSHOT: 'Delete it, which forgets it; or bring back what it rested on',
  UNFINISHED_BLOCK_JOB:
    'Wait for its end, or end it: `virsh blockjob DOMAIN DISK --abort`, or --pivot where it is ready. Until then the disk takes no snapshot',
  MISSING_FILE:
    'Bring it back under that name. A guest that runs may still have it open: do not stop it, but copy the disk elsewhere first (virsh blockcopy)',
  WRONG_BACKING_FORMAT:
    'Shut the guest down and write the truth into the header: `qemu-img rebase -u -f FORMAT -b BACKING -F BACKING_FORMAT IMAGE`',
  UNREADABLE_CHAIN: 'Look at it with `qemu-img info --backing-chain`',
  ORPHANED_OVERLAY: 'If nobody misses what is in it, remove the file',
  LEFT_COPY: 'Diagnose with fix on the host of that reader; or, if nobody reads it, remove it: `virsh vol-delete PATH`',
  XML_BEHIND_QEMU:
    'Do not stop or start the guest, and restart the daemon before anything else: it then asks QEMU anew',
  DEFINITION_BEHIND:
    'Define the disk on the image that the guest writes to (virsh edit) before the guest stops: started on an older layer, it would destroy those above',
  NOT_EXAMINED: 'Mend what stands in the way, and diagnose again',
} as const satisfies Record<string, string>;

export type FindingCode = keyof typeof ADVICE;

/** A finding before anything is done about it. */
export interface Found {
  code: FindingCode;
  disk?: string;
  message: string;
  /** Mends it where that is safe; false: it could not. Absent: only a person can. */
  fix?: () => Promise<boolean>;
}

/** The domain as the checks see it. */
export interface Case {
  guest: Guest;
  /** What a running guest will start from; null where there is no second copy. */
  definition: DomainDocument | null;
  journal: Journal;
  /** Who is alive and at work: what changes under its hands is no finding. */
  owner: ClaimRecord | null;
  files: ImageFiles;
  /** Who uses which image; asked once, and only if a check needs it. */
  users(): Promise<ImageUsers>;
  call: CallOptions;
}

export type Check = (look: Case) => Promise<Found[]>;
