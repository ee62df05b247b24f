// What all handle classes share: the native handle they stand for, and the connection it belongs to.
import type { RawHandle } from '../native';
import { brand } from './brand';
import type { Connection } from './connection';

/** @internal The key under which an object gives its native half, also to a second copy of this package. */
export const raw: unique symbol = Symbol.for('libvirt-disksnapshot.native handle');

/** @internal The key of the handle that this one was reached through: a snapshot's guest, a volume's pool. */
export const owner: unique symbol = Symbol('owner');

/** Names of the handle classes, as the addon's tables spell them. */
export type HandleKind =
  | 'Connection'
  | 'Domain'
  | 'DomainCheckpoint'
  | 'DomainSnapshot'
  | 'Interface'
  | 'NWFilter'
  | 'NWFilterBinding'
  | 'Network'
  | 'NetworkPort'
  | 'NodeDevice'
  | 'Secret'
  | 'StoragePool'
  | 'StorageVol'
  | 'Stream';

/** What has a native half. Kept private, so that neither console.log nor a deep comparison walks into it. */
export abstract class NativeObject {
  readonly #raw: RawHandle;

  /** @internal */
  constructor(native: RawHandle) {
    if (native === undefined)
      throw new TypeError('Illegal constructor: libvirt objects are made by connect and by lookups');
    this.#raw = native;
  }

  /** @internal */
  get [raw](): RawHandle {
    return this.#raw;
  }
}

/** An object of libvirt. It holds its connection; the native half is let go when this is collected or the connection closes. */
export abstract class Handle extends NativeObject {
  readonly #connection: Connection;
  readonly #owner: NativeObject;

  /** @internal */
  constructor(native: RawHandle, connection: Connection, from: NativeObject) {
    super(native);
    this.#connection = connection;
    this.#owner = from;
  }

  /** The connection that this belongs to. */
  get connection(): Connection {
    return this.#connection;
  }

  /** @internal */
  get [owner](): NativeObject {
    return this.#owner;
  }
}

type Maker = (native: RawHandle, connection: Connection, from: NativeObject) => NativeObject;

const classes = new Map<string, { prototype: object; make: Maker }>();

/** @internal Enters a class: its brand, and how the addon's results of this kind become its instances. */
export function handleClass(kind: HandleKind, target: { readonly prototype: object }, make: Maker): void {
  brand(target, kind);
  classes.set(kind, { prototype: target.prototype, make });
}

/** @internal */
export function classOf(kind: string): { prototype: object; make: Maker } {
  const entry = classes.get(kind);
  if (entry === undefined) throw new Error(`The addon knows a handle class that lib/libvirt does not: ${kind}`);
  return entry;
}
