// The interface behind all methods: what the built-in ones are, and what a vendor ships.
import type { Readable } from 'node:stream';
import type { Domain } from '../libvirt';
import type { Problem } from './types';

/** `<diskSnapshot>` as it was written. */
export interface MethodElement {
  /** Its own, `method` among them. */
  attributes: Readonly<Record<string, string>>;
  /** Its elements in their order; what lies deeper, `xml` holds. */
  children: readonly { name: string; attributes: Readonly<Record<string, string>>; text: string; xml: string }[];
  /** The whole element. */
  xml: string;
}

/** A disk, as its domain has it. */
export interface MethodDisk {
  /** `'vda'` */
  target: string;
  /** `'disk'`, `'lun'`, … */
  device: string;
  /** `'file'`, `'block'`, `'network'`, `'volume'`, … */
  type: string;
  /** Of its image; null where the domain does not say. */
  format: string | null;
  /** Path of its file or device; null where it is none. */
  sourcePath: string | null;
  /** The whole `<disk>`. */
  xml: string;
}

/** Data and State must survive JSON: another process, on another host, may be the one that undoes. */
export interface MethodContext<Data> {
  /** The guest. */
  domain: Domain;
  /** The disk, as it is now. */
  disk: MethodDisk;
  /**
   * From {@link SnapshotMethod.parse}, or {@link SnapshotMethod.dataFor}; or the members of the object that the caller passed,
   * as they are: `plan` checks them.
   */
  data: Data;
  /** Of the snapshot: unique in its domain, and fit to be part of a file name. */
  name: string;
  /** Whether the guest runs, or is paused. */
  active: boolean;
  /** Of the caller, until the cut; what must happen in any case is told of none. */
  signal: AbortSignal;
  /** Bytes, of how many; for what takes long. */
  progress(done: number, total: number): void;
}

/**
 * A method of taking snapshots, one disk at a time: what `qemu`, `lvm`, `btrfs` and so on are, and what a storage vendor can
 * ship as a package. A set calls, for each of its disks: `plan`, `prepare`, `cut`, `backupSource`; and where anything
 * fails, of whatever disk, `undo`. `examples/vendor-array` is a whole one.
 *
 * What a function throws reaches callers as DiskSnapshotError `OPERATION_FAILED` with guest and disk, unless it is a
 * DiskSnapshotError or LibvirtError already. `data` and `state` come back from the domain's metadata, where whoever manages
 * the domain can write: what is removed or overwritten because of them must be the method's own.
 */
export interface SnapshotMethod<Data = unknown, State = unknown> {
  /** The name in `<diskSnapshot method='…'>`; not one of those built in. */
  readonly method: string;
  /** Of this interface. */
  readonly interfaceVersion: 1;
  /** `'frozen'`: the cut is right only while the guest is frozen or paused. `'any'`: the storage takes care. */
  readonly needs: 'frozen' | 'any';
  /** Reads the element, or throws, which callers get as `INVALID_XML`. */
  parse(element: MethodElement): Data;
  /** Why this method serves that disk though nobody asked for one, in words, for the plan; false: it does not. */
  claims?(disk: MethodDisk): string | false;
  /**
   * The data where nobody gave any: the disk was claimed, or only the method's name was passed. What it throws callers get as
   * `INVALID_ARGUMENT`. Default: `{}`, which `Data` must then allow.
   */
  dataFor?(disk: MethodDisk): Data;
  /** Every reason against it, what the cut will make, and the bytes that it takes at once. Touches nothing. */
  plan(c: MethodContext<Data>): Promise<{ problems: readonly Problem[]; creates: readonly string[]; bytes: number }>;
  /**
   * All that can be done while the guest still runs. What it gives is recorded before `cut` runs, and `undo` is told of it.
   * Where it fails there is no state yet, and so no `undo`: it has to clean up what it made by itself.
   */
  prepare(c: MethodContext<Data>): Promise<State>;
  /** The guest waits meanwhile. Where it fails, `undo` follows, with the state of `prepare`. */
  cut(c: MethodContext<Data> & { state: State }): Promise<State>;
  /** Takes back the cut. Any number of times, after any step, also where nothing was done, and in any process. */
  undo(c: MethodContext<Data> & { state: State }): Promise<void>;
  /** Whether the storage still has it; false is listed as `'missing'`. */
  exists(c: MethodContext<Data> & { state: State }): Promise<boolean>;
  /** Removes the point in time; one that is gone already is success. */
  delete(c: MethodContext<Data> & { state: State }): Promise<void>;
  /** Brings the disk back to it. The guest is off; the snapshot stays, and can be gone back to again. */
  revert(c: MethodContext<Data> & { state: State; force: boolean }): Promise<void>;
  /** `source`: `<source>` XML of the immutable state; `modifiedDisk`: null where the guest still uses its original. */
  backupSource(
    c: MethodContext<Data> & { state: State },
  ): Promise<{ source: string; format: string; modifiedDisk: string | null }>;
  /** What the guest saw, raw. Default: the local file or device of `backupSource`. */
  read?(c: MethodContext<Data> & { state: State }): Readable;
}
