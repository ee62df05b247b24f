// virDomainSnapshot: a snapshot as libvirt keeps it. A DiskSnapshot is none, and `virsh snapshot-list` does not show it.
import type { Domain } from './domain';
import { Handle, handleClass, owner } from './handle';
import type { FlagsArg } from './options';

/** A snapshot that libvirt itself keeps a record of. */
export interface DomainSnapshot {
  /** virDomainSnapshotGetName. Read from the handle, synchronously. */
  getName(): string;
  getXMLDesc(flags?: FlagsArg<'DomainSnapshotXMLFlags'>): Promise<string>;
  getParent(flags?: FlagsArg<never>): Promise<DomainSnapshot>;
  numChildren(flags?: FlagsArg<'DomainSnapshotListFlags'>): Promise<number>;
  listAllChildren(flags?: FlagsArg<'DomainSnapshotListFlags'>): Promise<DomainSnapshot[]>;
  listChildrenNames(flags?: FlagsArg<'DomainSnapshotListFlags'>): Promise<string[]>;
  isCurrent(flags?: FlagsArg<never>): Promise<boolean>;
  hasMetadata(flags?: FlagsArg<never>): Promise<boolean>;
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
