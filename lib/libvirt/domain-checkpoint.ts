// virDomainCheckpoint: a moment from which changed blocks are counted.
import type { Domain } from './domain';
import { Handle, handleClass, owner } from './handle';
import type { FlagsArg } from './options';

/** A moment from which libvirt keeps count of the blocks that change. */
export interface DomainCheckpoint {
  /** virDomainCheckpointGetName. Read from the handle, synchronously. */
  getName(): string;
  getXMLDesc(flags?: FlagsArg<'DomainCheckpointXMLFlags'>): Promise<string>;
  getParent(flags?: FlagsArg<never>): Promise<DomainCheckpoint>;
  listAllChildren(flags?: FlagsArg<'DomainCheckpointListFlags'>): Promise<DomainCheckpoint[]>;
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
