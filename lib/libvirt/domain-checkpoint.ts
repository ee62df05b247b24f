// virDomainCheckpoint: a moment from which changed blocks are counted.
import type { Domain } from './domain';
import { Handle, handleClass, owner } from './handle';
import type { FlagsArg } from './options';

/**
 * A moment from which libvirt keeps count of the blocks that change. What its members ask of libvirt rejects with
 * `NO_DOMAIN_CHECKPOINT` where it is gone, and with `NO_DOMAIN` where its guest is.
 */
export interface DomainCheckpoint {
  /** virDomainCheckpointGetName: its name. Read from the handle, synchronously. */
  getName(): string;
  /**
   * virDomainCheckpointGetXMLDesc: its `<domaincheckpoint>`; with `SIZE`, how many bytes of each disk have changed
   * since.
   */
  getXMLDesc(flags?: FlagsArg<'DomainCheckpointXMLFlags'>): Promise<string>;
  /** virDomainCheckpointGetParent: the checkpoint before it; `NO_DOMAIN_CHECKPOINT` where there is none. */
  getParent(flags?: FlagsArg<never>): Promise<DomainCheckpoint>;
  /** virDomainCheckpointListAllChildren: those that come after it; `DESCENDANTS`: theirs too. */
  listAllChildren(flags?: FlagsArg<'DomainCheckpointListFlags'>): Promise<DomainCheckpoint[]>;
  /**
   * virDomainCheckpointDelete: removes it; what it remembers goes to the one before it. `OPERATION_UNSUPPORTED` of a
   * guest that is off, without `METADATA_ONLY`.
   */
  delete(flags?: FlagsArg<'DomainCheckpointDeleteFlags'>): Promise<void>;
}

/** A checkpoint. Made by the lookups of a guest. */
export class DomainCheckpoint extends Handle {
  private constructor(...made: ConstructorParameters<typeof Handle>) {
    super(...made);
  }
  static {
    handleClass('DomainCheckpoint', DomainCheckpoint, (...made) => new DomainCheckpoint(...made));
  }

  /** The guest that this is a checkpoint of. */
  get domain(): Domain {
    const from = this[owner];
    return from instanceof DomainCheckpoint ? from.domain : (from as Domain);
  }
}
