// virSecret: a passphrase or key that the host keeps for guests.
import type { DomainEvents, EventNameOf } from './events';
import type { SecretUsageType } from './generated/constants';
import { Handle, handleClass } from './handle';
import type { CallOptions, FlagsArg } from './options';
import type { OwnSubscribeOptions, Subscription } from './subscription';

/** A secret of the host. What its members ask of libvirt rejects with `NO_SECRET` where it is gone. */
export interface Secret {
  /** virSecretGetUUID: 16 bytes. Read from the handle, synchronously. */
  getUUID(): Uint8Array;
  /** virSecretGetUUIDString: its UUID as text. Read from the handle, synchronously. */
  getUUIDString(): string;
  /** virSecretGetUsageType: what it is for. Read from the handle, synchronously. */
  getUsageType(): SecretUsageType;
  /** virSecretGetUsageID: of the object that it is for. Read from the handle, synchronously. */
  getUsageID(): string;
  /** virSecretGetXMLDesc: its `<secret>`, without the value. */
  getXMLDesc(flags?: FlagsArg<never>): Promise<string>;
  /**
   * virSecretGetValue: its bytes. `INVALID_SECRET` of a private one, which is never given; `NO_SECRET` where no value
   * was set.
   */
  getValue(flags?: FlagsArg<never>): Promise<Uint8Array>;
  /** virSecretSetValue: sets its value: any bytes; a daemon takes at most 64 KiB. */
  setValue(value: Uint8Array, flags?: FlagsArg<never>): Promise<void>;
  /** virSecretUndefine: removes it, and its value. */
  undefine(options?: CallOptions): Promise<void>;
}

/** A secret of the host. Made by the lookups of a connection. */
export class Secret extends Handle {
  private constructor(...made: ConstructorParameters<typeof Handle>) {
    super(...made);
  }
  static {
    handleClass('Secret', Secret, (...made) => new Secret(...made));
  }

  /**
   * {@link Connection.subscribe} to what happens to this secret alone.
   */
  subscribe<Name extends EventNameOf<'secret'>>(
    event: Name,
    options: OwnSubscribeOptions = {},
  ): Promise<Subscription<DomainEvents[Name]>> {
    return this.connection.subscribe(event, { ...options, secret: this });
  }
}
