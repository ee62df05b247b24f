// Snapshots as callers hold them: a record of the journal with the operations on it.
import { Readable } from 'node:stream';
import type { Domain } from '../libvirt';
import { DiskSnapshotError } from './errors';
import { facade } from './facade';
import { deleteSnapshots } from './merge/delete-by-method';
import { tell } from './progress';
import type { DiskRecord, SetRecord } from './records/record';
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
    return facade(this.#domain, options, ({ onProgress, ...call }) =>
      deleteSnapshots(this.#domain, this.#id, targets, {
        ...call,
        onProgress: (progress) => tell(onProgress, progress),
      }),
    );
  }

  async revert(_options: RevertOptions = {}): Promise<void> {
    throw this.unsupported(
      'revert',
      'shut the guest down, make an overlay over backupSource, and define the disk on it',
    );
  }

  read(disk: string, _options: ReadOptions = {}): Readable {
    const error = this.disks.some((d) => d.disk === disk)
      ? this.unsupported('read', 'qemu-img convert reads backupSource, which no longer changes')
      : new DiskSnapshotError('DISK_NOT_FOUND', `${this.guest}: snapshot ${this.name} has no disk ${disk}`, {
          guest: this.guest,
          disk,
          snapshot: this.name,
        });
    return new Readable({ read: () => undefined }).destroy(error);
  }

  /** @internal */
  unsupported(what: string, wayOut: string): DiskSnapshotError {
    return new DiskSnapshotError('METHOD_UNSUPPORTED', `${what}() is not supported by this version; ${wayOut}`, {
      guest: this.guest,
      snapshot: this.name,
    });
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
    return this.set.revert(options);
  }

  read(options: ReadOptions = {}): Readable {
    return this.set.read(this.disk, options);
  }

  async export(_path: string, _options: ExportOptions = {}): Promise<void> {
    throw this.set.unsupported('export', 'qemu-img convert reads backupSource, which no longer changes');
  }

  toJSON(): object {
    const { set: _, ...plain } = this; // the set holds the disks, and would be written within itself
    return plain;
  }
}
