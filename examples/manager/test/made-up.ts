// Two hosts whose guests are made up: everything that the page can show, for its looks.
import { type Board, guestKey } from '../src/board.ts';
import type { GuestView, OperationView, SnapshotView } from '../src/views.ts';

const HOUR_MS = 3_600_000;
const AGENT = 'the agent is not connected; install qemu-guest-agent in the guest, or do without a freeze';

const snapshot = (hoursAgo: number, more: Partial<SnapshotView> = {}): SnapshotView => {
  const createdAt = new Date(Date.now() - hoursAgo * HOUR_MS).toISOString();
  const name = createdAt.replaceAll(/[-:]/g, '');
  const disks = [{ disk: 'vda', method: 'qemu', state: 'present' as const, size: 20 * 2 ** 30 }];
  return { name, createdAt, disks, description: null, consistency: 'filesystem', frozenMs: 50, nightly: true, ...more };
};
const guest = (host: string, name: string, snapshots: SnapshotView[], more: Partial<GuestView> = {}): GuestView => ({
  ...{ host, id: `id-of-${name}`, name, state: 'running', nightly: true, nightlyByConfiguration: false },
  ...{ problem: null, snapshots, ...more },
});
const operation = (id: string, { host, id: of, name }: GuestView, more: Partial<OperationView>): OperationView => ({
  ...{ id, host, guest: of, guestName: name, kind: 'delete', snapshot: null, state: 'running', phase: null },
  ...{ done: 0, total: 0, message: null, code: null, ...more },
});

export function fill(board: Board): void {
  board.hosts.set('rack-1', { name: 'rack-1', state: 'up', problem: null, retryAt: null });
  const retryAt = new Date(Date.now() + 30_000).toISOString();
  board.hosts.set('rack-2', { name: 'rack-2', state: 'down', problem: 'Connection refused', retryAt });

  const lost = { disk: 'vdb', method: 'lvm', state: 'missing' as const, size: 200 * 2 ** 30 };
  const disks = [...snapshot(0).disks, lost];
  const old = snapshot(36, { frozenMs: 44, disks });
  const database = guest('rack-1', 'database', [old, snapshot(12)], { nightlyByConfiguration: true });
  const mail = guest('rack-1', 'mail', [snapshot(12, { consistency: 'crash', frozenMs: 0 })], { nightly: false });
  const web = guest('rack-1', 'web', [snapshot(12), snapshot(0.6, { name: 'before-upgrade', nightly: false })]);
  const off = guest('rack-1', 'a-guest-with-a-very-long-name', [], { state: 'shutoff' });
  const archive = guest('rack-2', 'archive', [snapshot(36)]);
  for (const one of [database, mail, web, off, archive]) board.guests.set(guestKey(one), one);

  const merging = { snapshot: old.name, phase: 'commit', done: 4.1 * 2 ** 30, total: 6.4 * 2 ** 30 };
  for (const one of [
    operation('1', database, merging),
    operation('2', mail, { kind: 'nightly', state: 'failed', message: AGENT, code: 'QUIESCE_UNAVAILABLE' }),
  ])
    board.operations.set(one.id, one);
}
