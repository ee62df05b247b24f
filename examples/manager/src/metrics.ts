// For Prometheus: what the board knows, counted when it is asked for; and what happened, counted when it happens.
import type { DiskSnapshotSet } from 'libvirt-disksnapshot';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Board } from './board.ts';
import type { Failure } from './operations.ts';
import type { GuestView } from './views.ts';

export class Metrics {
  readonly #registry = new Registry();
  readonly #frozen = new Histogram({
    name: 'disk_snapshot_frozen_milliseconds',
    help: 'How long the guest was frozen for a snapshot, from before the freeze to after the thaw.',
    labelNames: ['host'],
    buckets: [10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000],
    registers: [this.#registry],
  });
  readonly #failures = new Counter({
    name: 'disk_snapshot_failures_total',
    help: 'Operations that failed, by the code of their error.',
    labelNames: ['host', 'operation', 'code'],
    registers: [this.#registry],
  });

  constructor(board: Board) {
    const registers = [this.#registry];
    new Gauge({
      name: 'disk_snapshot_host_up',
      help: '1 while libvirt on that host is connected.',
      labelNames: ['host'],
      registers,
      collect() {
        this.reset();
        for (const { name, state } of board.hosts.values()) this.set({ host: name }, state === 'up' ? 1 : 0);
      },
    });
    new Gauge({
      name: 'disk_snapshot_count',
      help: 'Snapshots of a guest.',
      labelNames: ['host', 'guest'],
      registers,
      collect() {
        this.reset();
        for (const { host, name, snapshots } of board.guests.values())
          this.set({ host, guest: name }, snapshots.length);
      },
    });
    new Gauge({
      name: 'disk_snapshot_newest_age_seconds',
      help: 'Age of the newest snapshot of a guest; absent where it has none.',
      labelNames: ['host', 'guest'],
      registers,
      collect() {
        this.reset();
        for (const { host, name, snapshots } of board.guests.values()) {
          const newest = snapshots.at(-1);
          if (newest) this.set({ host, guest: name }, (Date.now() - Date.parse(newest.createdAt)) / 1000);
        }
      },
    });
  }

  readonly contentType = this.#registry.contentType;

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  readonly onSnapshot = ({ host }: GuestView, { frozenMs }: DiskSnapshotSet): void => {
    if (frozenMs > 0) this.#frozen.observe({ host }, frozenMs);
  };

  readonly onFailure = ({ host, kind, code }: Failure): void => {
    this.#failures.inc({ host, operation: kind, code });
  };
}
