// What looking at a domain shows: its images and snapshots, and what is wrong with them.
import type { Method } from '../types';

/** One file of a chain. */
export interface Layer {
  /** Its path, or what else names it. */
  source: string;
  /** `'qcow2'`, `'raw'`, … */
  format: string;
  /** Bytes that the guest sees. */
  virtualSize: number;
  /** Bytes that it takes; null where that cannot be asked. */
  fileSize: number | null;
  /** The guest writes to it. */
  active: boolean;
  /** The chain names it, but it is not there. */
  missing: boolean;
  /** Names of the snapshots whose point in time it holds. */
  snapshots: readonly string[];
}

/** Guest → disks → layers, with the snapshots on them: what a picture needs. */
export interface DiskTree {
  /** The domain's name. */
  guest: string;
  /** Of its connection. */
  uri: string;
  /** With the method that the domain itself names (`policy`), the layers from the newest down, and the snapshots. */
  disks: readonly {
    disk: string;
    policy: Method | null;
    layers: readonly Layer[];
    snapshots: readonly { name: string; method: string; state: 'present' | 'missing' }[];
  }[];
}

/** What {@link diagnose} found. */
export interface Finding {
  /** The kind, for programs. */
  code: string;
  /** The target. */
  disk?: string;
  /** What is wrong. */
  message: string;
  /** What to do about it. */
  advice: string;
  /** `fix` can mend it safely. */
  fixable: boolean;
  /** It was mended by this call. */
  fixed: boolean;
}
