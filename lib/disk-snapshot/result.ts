// Snapshots as callers hold them: a record of the journal with the operations on it.
import { Readable } from 'node:stream';
import type { Domain } from '../libvirt';
import { invalidValue } from './argument';
import { DiskSnapshotError } from './errors';
import { checkCallOptions, facade } from './facade';
import { deleteSnapshots } from './merge/delete-by-method';
import { tell } from './progress';
import { readableOf } from './read/chunks';
import { exportSnapshot } from './read/export';
import { settleReaders } from './read/readers';
import { chunksOf, type Place } from './read/source';
import type { DiskRecord, SetRecord } from './records/record';
import { revertSnapshots } from './revert/revert';
import type {
  Consistency,
  DeleteOptions,
  DiskSnapshot,
  DiskSnapshotSet,
  ExportOptions,
  ReadOptions,
  RevertOptions,
} from './types';

type State = DiskSnapshot['state'];

/** @param states by target; what is not named is present, as it is just after the cut. */
export function setOf(domain: Domain, record: SetRecord, states: ReadonlyMap<string, State> = new Map()): SnapshotSet {
  return new SnapshotSet(domain, record, states);
}

const failed = (error: Error): Readable => new Readable({ read: () => undefined }).destroy(error);

class SnapshotSet implements DiskSnapshotSet {
  readonly name: string;
  readonly guest: string;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly disks: readonly DiskSnapshot[];
  readonly consistency: Consistency;
  readonly frozenMs: number;
  readonly pausedMs: number;
  readonly evidence: readonly { fact: string; from: string }[];
  readonly #domain: Domain;
  readonly #id: string;

  constructor(domain: Domain, record: SetRecord, states: ReadonlyMap<string, State>) {
    this.#domain = domain;
    this.#id = record.id;
    this.name = record.name;
    this.guest = domain.getName();
    this.description = record.description;
    this.labels = record.labels;
    this.createdAt = new Date(record.createdAt);
    this.consistency = record.consistency;
    this.frozenMs = record.frozenMs;
    this.pausedMs = record.pausedMs;
    this.evidence = record.evidence;
    this.disks = record.disks.map((disk) => new Snapshot(this, disk, states.get(disk.disk) ?? 'present'));
  }

  /**
   * Takes the point in time away and keeps the guest's data: each layer is merged into the image below it, and its
   * file removed. Done twice is success.
   *
   * @throws DiskSnapshotError JOB_FAILED, IN_USE, OPERATION_IN_PROGRESS …; an abort rejects with `signal.reason` and
   * leaves the snapshot in place.
   */
  delete(options: DeleteOptions = {}): Promise<void> {
    return this.deleteDisks(null, options);
  }

  /** @internal */
  deleteDisks(targets: readonly string[] | null, options: DeleteOptions): Promise<void> {
    return facade(this.#domain, options, 'delete', async ({ onProgress, ...call }) => {
      const disks = targets ?? this.disks.map(({ disk }) => disk);
      await settleReaders(this.#id, disks, { guest: this.guest, snapshot: this.name });
      await deleteSnapshots(this.#domain, this.#id, targets, {
        ...call,
        onProgress: (progress) => tell(onProgress, progress),
      });
    });
  }

  /**
   * Brings the disks back to this point in time, of a guest that is off; with `force` a running one is stopped first and
   * started again. The snapshot stays, and can be gone back to again. What the guest wrote since, and no other snapshot
   * holds, is gone.
   *
   * @throws DiskSnapshotError GUEST_ACTIVE, NOT_FOUND, DISK_NOT_FOUND, METHOD_UNSUPPORTED, OPERATION_IN_PROGRESS …, before
   * anything is touched; RECOVERY_NEEDED with outcome 'unknown': recoverDiskSnapshots(domain) finishes it
   */
  revert(options: RevertOptions = {}): Promise<void> {
    return this.revertDisks(null, options);
  }

  /** @internal */
  revertDisks(targets: readonly string[] | null, options: RevertOptions): Promise<void> {
    return revertSnapshots(this.#domain, this.#id, targets, options);
  }

  /**
   * What the guest saw of this disk at that moment, as a Readable of bytes; with `as: 'file'` the bytes of `backupSource`
   * alone. Nothing is opened before the first read. Destroying it, or the signal, ends it and what was set up for it.
   * While it is read, the snapshot is not deleted: IN_USE.
   *
   * An image that this process may open is read by `qemu-nbd`; any other, on this host or a remote one, through its
   * storage pool: a chain is then copied into one volume for as long as it is read.
   */
  read(disk: string, options: ReadOptions = {}): Readable {
    try {
      checkCallOptions(options, 'read');
    } catch (error) {
      return failed(error as Error);
    }
    const { as = 'raw', signal } = options;
    if (as !== 'raw' && as !== 'file') return failed(invalidValue('options.as', "'raw' or 'file'", as));
    if (this.disks.some((d) => d.disk === disk))
      return readableOf((ended) => chunksOf(this.placeOf(disk), as, ended), signal);
    const where = { guest: this.guest, disk, snapshot: this.name };
    return failed(
      new DiskSnapshotError('DISK_NOT_FOUND', `${this.guest}: snapshot ${this.name} has no disk ${disk}`, where),
    );
  }

  /** @internal */
  exportDisk(disk: string, path: string, options: ExportOptions): Promise<void> {
    return facade(this.#domain, options, 'export', (checked) => exportSnapshot(this.placeOf(disk), path, checked));
  }

  /** @internal */
  placeOf(disk: string): Place {
    return { domain: this.#domain, setId: this.#id, snapshot: this.name, disk };
  }

  toJSON(): object {
    const { name, guest, description, labels, createdAt, disks, consistency, frozenMs, pausedMs, evidence } = this;
    return { name, guest, description, labels, createdAt, disks, consistency, frozenMs, pausedMs, evidence };
  }
}

class Snapshot implements DiskSnapshot {
  readonly set: SnapshotSet;
  readonly name: string;
  readonly disk: string;
  readonly method: string;
  readonly state: State;
  readonly modifiedDisk: string | null;
  readonly backupSource: string | null;
  readonly internalSnapshot: string | null;
  readonly format: string;
  readonly virtualSize: number;
  readonly backingChain: readonly { source: string; format: string }[];
  readonly consistency: Consistency;
  readonly createdAt: Date;

  constructor(set: SnapshotSet, record: DiskRecord, state: State) {
    this.set = set;
    this.name = set.name;
    this.disk = record.disk;
    this.method = record.method;
    this.state = state;
    this.modifiedDisk = record.modifiedDisk;
    this.backupSource = record.backupSource;
    this.internalSnapshot = record.internalSnapshot;
    this.format = record.format;
    this.virtualSize = record.virtualSize;
    this.backingChain = record.backingChain;
    this.consistency = set.consistency;
    this.createdAt = set.createdAt;
  }

  /** As the set's delete, for this disk alone. */
  delete(options: DeleteOptions = {}): Promise<void> {
    return this.set.deleteDisks([this.disk], options);
  }

  revert(options: RevertOptions = {}): Promise<void> {
    return this.set.revertDisks([this.disk], options);
  }

  read(options: ReadOptions = {}): Readable {
    return this.set.read(this.disk, options);
  }

  /**
   * Writes what the guest saw into a new file on this machine, by default a qcow2; holes are kept. The file appears under
   * its name when it is complete; on an error or an abort nothing is left.
   *
   * @throws DiskSnapshotError FILE_EXISTS, NO_SPACE, PERMISSION_DENIED, NOT_FOUND …
   */
  export(path: string, options: ExportOptions = {}): Promise<void> {
    return this.set.exportDisk(this.disk, path, options);
  }

  toJSON(): object {
    const { set: _, ...plain } = this; // the set holds the disks, and would be written within itself
    return plain;
  }
}
