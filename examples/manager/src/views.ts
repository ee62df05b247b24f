// What the page shows: plain data, which goes to the browser as it is.

export interface HostView {
  name: string;
  state: 'connecting' | 'up' | 'down';
  /** Why it is down, in words. */
  problem: string | null;
  /** ISO time of the next attempt, where it is down. */
  retryAt: string | null;
}

export interface DiskView {
  disk: string;
  method: string;
  state: 'present' | 'missing';
  /** Bytes that the guest sees. */
  size: number;
}

export interface SnapshotView {
  name: string;
  description: string | null;
  /** ISO time. */
  createdAt: string;
  consistency: string;
  frozenMs: number;
  /** Made by the schedule, and so removed by it. */
  nightly: boolean;
  disks: DiskView[];
}

export interface GuestView {
  host: string;
  id: string;
  name: string;
  /** libvirt's name of the state in lower case: `running`, `shutoff`. */
  state: string;
  nightly: boolean;
  /** The configuration asks for nightly snapshots: the page cannot switch them off. */
  nightlyByConfiguration: boolean;
  /** Oldest first. */
  snapshots: SnapshotView[];
  /** What keeps us from looking at it, in words. */
  problem: string | null;
}

export interface OperationView {
  id: string;
  host: string;
  guest: string;
  guestName: string;
  kind: 'snapshot' | 'nightly' | 'delete' | 'revert' | 'download';
  snapshot: string | null;
  state: 'running' | 'cancelling' | 'done' | 'failed' | 'cancelled';
  phase: string | null;
  /** Bytes; a `total` of 0: not known. */
  done: number;
  total: number;
  /** What became of it, in words. */
  message: string | null;
  /** The error's, where it failed. */
  code: string | null;
}
