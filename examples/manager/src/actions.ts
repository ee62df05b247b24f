// What can be done with a guest's snapshots, by a click or by the schedule.
import {
  type DiskSnapshotSet,
  findDiskSnapshot,
  listDiskSnapshots,
  type Quiesce,
  snapshotDisks,
} from 'libvirt-disksnapshot';
import { isNightly, NIGHTLY_LABEL, setNightly } from './guest.ts';
import type { Control, Operations } from './operations.ts';
import { expired } from './retention.ts';
import type { Supervisor } from './supervisor.ts';
import type { GuestView, OperationView } from './views.ts';

export class NotFound extends Error {}

export class Actions {
  readonly #supervisors: ReadonlyMap<string, Supervisor>;
  readonly #operations: Operations;
  readonly #onSnapshot: (guest: GuestView, set: DiskSnapshotSet) => void;

  constructor(
    supervisors: ReadonlyMap<string, Supervisor>,
    operations: Operations,
    onSnapshot: (guest: GuestView, set: DiskSnapshotSet) => void = () => {},
  ) {
    this.#supervisors = supervisors;
    this.#operations = operations;
    this.#onSnapshot = onSnapshot;
  }

  snapshot(guest: GuestView, quiesce: Quiesce): { id: string } {
    return this.#operations.start(guest, 'snapshot', null, async (control) => {
      const set = await snapshotDisks(await this.#domain(guest), { quiesce, ...control });
      this.#onSnapshot(guest, set);
      return inWords(set);
    });
  }

  /** Snapshot first, then what is beyond `keep`: a failure never leaves fewer than there were. */
  async nightly(guest: GuestView, keep: number): Promise<OperationView> {
    await this.#operations.idle(guest);
    return this.#operations.start(guest, 'nightly', null, async (control) => {
      const domain = await this.#domain(guest);
      // Whoever is off has nothing to freeze; whoever runs must be quiesced, or the night has failed.
      const quiesce: Quiesce = (await domain.isActive()) ? 'required' : 'never';
      const options = { quiesce, labels: NIGHTLY_LABEL, description: 'Nightly', ...control };
      const set = await snapshotDisks(domain, options);
      this.#onSnapshot(guest, set);
      const all = (await listDiskSnapshots(domain)).map((each) => ({
        set: each,
        nightly: isNightly(each),
        createdAt: each.createdAt.toISOString(),
      }));
      const old = expired(all, keep);
      for (const each of old) await each.set.delete(control);
      return old.length > 0 ? `${inWords(set)}; removed ${old.length} old` : inWords(set);
    }).end;
  }

  delete(guest: GuestView, name: string): { id: string } {
    return this.#operations.start(guest, 'delete', name, async (control) => {
      await (await this.#find(guest, name)).delete(control);
      return 'The guest goes on without it';
    });
  }

  revert(guest: GuestView, name: string, force: boolean): { id: string } {
    return this.#operations.start(guest, 'revert', name, async (control) => {
      await (await this.#find(guest, name)).revert({ force, ...control });
      return `The guest is as it was at ${name}`;
    });
  }

  /** Reads one disk as the guest saw it. `send` gets the whole of it, and resolves when that has been taken. */
  download(
    guest: GuestView,
    name: string,
    disk: string,
    send: (content: AsyncIterable<Buffer>, bytes: number) => Promise<void>,
  ): { id: string; end: Promise<OperationView> } {
    return this.#operations.start(guest, 'download', name, async (control) => {
      const set = await this.#find(guest, name);
      const total = set.disks.find((each) => each.disk === disk)?.virtualSize ?? 0;
      await send(counted(set.read(disk, { signal: control.signal }), total, control), total);
      return `All of ${disk}`;
    });
  }

  cancel(id: string): boolean {
    return this.#operations.cancel(id);
  }

  async setNightly(guest: GuestView, enabled: boolean): Promise<void> {
    await setNightly(await this.#domain(guest), enabled);
  }

  #domain({ host, id }: GuestView) {
    const supervisor = this.#supervisors.get(host);
    if (!supervisor) throw new NotFound(`no host ${host}`);
    return supervisor.domain(id);
  }

  async #find(guest: GuestView, name: string): Promise<DiskSnapshotSet> {
    const set = await findDiskSnapshot(await this.#domain(guest), name);
    if (!set) throw new NotFound(`${guest.name} has no snapshot ${name}`);
    return set;
  }
}

function inWords({ name, consistency, frozenMs }: DiskSnapshotSet): string {
  return frozenMs > 0
    ? `${name}: consistent (${consistency}), frozen for ${Math.round(frozenMs)} ms`
    : `${name}: consistent (${consistency})`;
}

async function* counted(content: AsyncIterable<Buffer>, total: number, { onProgress }: Control) {
  let done = 0;
  for await (const chunk of content) {
    done += chunk.length;
    onProgress({ phase: 'copy', done, total });
    yield chunk;
  }
}
