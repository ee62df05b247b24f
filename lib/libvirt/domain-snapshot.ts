// virDomainSnapshot: a snapshot as libvirt keeps it. A DiskSnapshot is none, and `virsh snapshot-list` does not show it.
import type { Domain } from './domain';
import { Handle, handleClass, owner } from './handle';
import type { FlagsArg } from './options';

/**
 * A snapshot that libvirt itself keeps a record of. What its members ask of libvirt rejects with `NO_DOMAIN_SNAPSHOT`
 * where it is gone, and with `NO_DOMAIN` where its guest is.
 */
export interface DomainSnapshot {
  /** virDomainSnapshotGetName: its name. Read from the handle, synchronously. */
  getName(): string;
  /**
   * virDomainSnapshotGetXMLDesc: its `<domainsnapshot>`; `SECURE` shows passwords, and wants a writable connection
   * (`OPERATION_DENIED`).
   */
  getXMLDesc(flags?: FlagsArg<'DomainSnapshotXMLFlags'>): Promise<string>;
  /** virDomainSnapshotGetParent: the snapshot before it; `NO_DOMAIN_SNAPSHOT` where there is none. */
  getParent(flags?: FlagsArg<never>): Promise<DomainSnapshot>;
  /** virDomainSnapshotNumChildren: how many come after it; `DESCENDANTS`: theirs too. */
  numChildren(flags?: FlagsArg<'DomainSnapshotListFlags'>): Promise<number>;
  /** virDomainSnapshotListAllChildren: those that come after it; `DESCENDANTS`: theirs too. */
  listAllChildren(flags?: FlagsArg<'DomainSnapshotListFlags'>): Promise<DomainSnapshot[]>;
  /** virDomainSnapshotListChildrenNames: the names of those that come after it; `DESCENDANTS`: theirs too. */
  listChildrenNames(flags?: FlagsArg<'DomainSnapshotListFlags'>): Promise<string[]>;
  /** virDomainSnapshotIsCurrent: whether the guest goes on from it. */
  isCurrent(flags?: FlagsArg<never>): Promise<boolean>;
  /** virDomainSnapshotHasMetadata: whether libvirt keeps a definition of it beside the image's own. */
  hasMetadata(flags?: FlagsArg<never>): Promise<boolean>;
  /**
   * virDomainSnapshotDelete: removes it; `CHILDREN`: and all that come after it. Of external ones libvirt 9.0 removes
   * only some: `CONFIG_UNSUPPORTED` or `OPERATION_UNSUPPORTED` of the others, such as those that others come after.
   */
  delete(flags?: FlagsArg<'DomainSnapshotDeleteFlags'>): Promise<void>;
}

/** A snapshot that libvirt itself keeps a record of. */
export class DomainSnapshot extends Handle {
  private constructor(...made: ConstructorParameters<typeof Handle>) {
    super(...made);
  }
  static {
    handleClass('DomainSnapshot', DomainSnapshot, (...made) => new DomainSnapshot(...made));
  }

  /** The guest that this is a snapshot of. */
  get domain(): Domain {
    const from = this[owner];
    return from instanceof DomainSnapshot ? from.domain : (from as Domain);
  }
}
