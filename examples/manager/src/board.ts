// The one place where what is known stands. Supervisors and operations write to it, the page and the schedule follow it.
import { isDeepStrictEqual } from 'node:util';
import type { GuestView, HostView, OperationView } from './views.ts';

export type Collection = 'hosts' | 'guests' | 'operations';
/** `value` is null where the entry has gone. */
export interface Change {
  collection: Collection;
  key: string;
  value: HostView | GuestView | OperationView | null;
}
type Listener = (change: Change) => void;

/** Values by key. What is set again unchanged is told to nobody. */
export class Live<Value extends HostView | GuestView | OperationView> {
  readonly #collection: Collection;
  readonly #tell: Listener;
  readonly #values = new Map<string, Value>();

  constructor(collection: Collection, tell: Listener) {
    this.#collection = collection;
    this.#tell = tell;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  values(): Value[] {
    return [...this.#values.values()];
  }

  set(key: string, value: Value): void {
    if (isDeepStrictEqual(this.#values.get(key), value)) return;
    this.#values.set(key, value);
    this.#tell({ collection: this.#collection, key, value });
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#tell({ collection: this.#collection, key, value: null });
  }

  changes(): Change[] {
    return [...this.#values].map(([key, value]) => ({ collection: this.#collection, key, value }));
  }
}

export class Board {
  readonly #listeners = new Set<Listener>();
  readonly #tell: Listener = (change) => {
    for (const listener of this.#listeners) listener(change);
  };
  readonly hosts = new Live<HostView>('hosts', this.#tell);
  /** By {@link guestKey}. */
  readonly guests = new Live<GuestView>('guests', this.#tell);
  readonly operations = new Live<OperationView>('operations', this.#tell);

  /** Tells of each change from now on, until what it returns is called. */
  follow(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Everything, as if it had just changed. */
  changes(): Change[] {
    return [...this.hosts.changes(), ...this.guests.changes(), ...this.operations.changes()];
  }
}

/** A guest's id is unique on its host alone: a migrated one may still be defined on another. */
export const guestKey = ({ host, id }: { host: string; id: string }): string => `${host}/${id}`;
