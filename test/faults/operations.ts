// What is tried: what is done, to which disks by which methods, in which state of the guest; and the points that it passes.

import type { Method } from '../../lib';
import { FAULT_POINTS, type FaultPoint } from '../../lib/disk-snapshot/fault-point';

/** Where the second disk, `vdb`, lies; `vda` is a qcow2 file beside it. */
export type Site = 'files' | 'btrfs' | 'ceph';

export type Methods = Readonly<Record<'vda' | 'vdb', string | Method>>;

/** What a process of its own has to know of it. */
export type Task = Pick<Operation, 'does' | 'quiesce'> & { disks: Readonly<Record<string, string | Method>> };

export interface Operation {
  does: 'freeze' | 'snapshot' | 'delete' | 'revert';
  /** To tell it from others that do the same; empty: two layers of QEMU. */
  kind: string;
  site: Site;
  disks: Methods;
  /** Of a snapshot. */
  quiesce: 'required' | 'never';
  /** Throughout. */
  isOff: boolean;
  /** A file system that cannot be frozen is mounted: beside the freeze there is a pause. */
  hasFat: boolean;
  points: readonly FaultPoint[];
}

const internal = { method: 'qemu', mode: 'internal' } as const;
const KINDS = {
  '': { disks: { vda: 'qemu', vdb: 'qemu' } },
  off: { disks: { vda: 'qemu', vdb: 'qemu' }, isOff: true },
  mixed: { disks: { vda: 'qemu', vdb: internal } },
  internal: { disks: { vda: internal, vdb: internal } },
  btrfs: { site: 'btrfs', disks: { vda: 'btrfs', vdb: 'btrfs' } },
  'qemu+btrfs': { site: 'btrfs', disks: { vda: 'qemu', vdb: 'btrfs' } },
  'qemu+btrfs, off': { site: 'btrfs', disks: { vda: 'qemu', vdb: 'btrfs' }, isOff: true },
  'plug-in': { site: 'btrfs', disks: { vda: 'plug-in', vdb: 'plug-in' } },
  'qemu+plug-in': { site: 'btrfs', disks: { vda: 'qemu', vdb: 'plug-in' } },
  'qemu+rbd': { site: 'ceph', disks: { vda: 'qemu', vdb: 'rbd' } },
} as const satisfies Record<string, Partial<Operation> & { disks: Methods }>;

/** Points that a quiesced snapshot by layers does not pass. */
const OF_A_PAUSE: readonly FaultPoint[] = ['pause.begun', 'snapshot.methods-cut', 'pause.ended'];
const without = <T extends FaultPoint>(points: readonly T[], others: readonly FaultPoint[]) =>
  points.filter((point) => !others.includes(point));

/**
 * Layers of QEMU pass every point, and meet every fault. Other methods differ where they cut, delete and revert, and in what a
 * process that died just then leaves: those points are tried with them.
 */
const TRIED: readonly (Pick<Operation, 'does' | 'points'> & {
  kind: keyof typeof KINDS;
  how?: 'paused' | 'frozen and paused';
})[] = [
  { does: 'freeze', kind: '', points: ['guard.armed', 'freeze.sent', 'freeze.held', 'thaw.sent', 'thaw.proven'] },
  { does: 'snapshot', kind: '', points: without(FAULT_POINTS.snapshot, OF_A_PAUSE) },
  { does: 'delete', kind: '', points: without(FAULT_POINTS.delete, ['delete.method-done']) },
  { does: 'revert', kind: '', points: without(FAULT_POINTS.revert, ['revert.method-done']) },

  {
    does: 'snapshot',
    kind: 'mixed',
    how: 'paused',
    points: ['snapshot.prepared', 'pause.begun', 'snapshot.methods-cut', 'snapshot.layers-cut', 'pause.ended'],
  },
  { does: 'delete', kind: 'mixed', points: ['delete.method-done'] },
  { does: 'revert', kind: 'mixed', points: ['revert.begun', 'revert.method-done', 'revert.defined'] },
  { does: 'snapshot', kind: 'internal', points: ['snapshot.methods-cut', 'snapshot.verified'] },
  { does: 'delete', kind: 'internal', points: ['delete.method-done'] },
  { does: 'revert', kind: 'internal', points: ['revert.method-done'] },

  { does: 'snapshot', kind: 'off', points: ['snapshot.prepared', 'snapshot.layers-cut', 'snapshot.written'] },
  {
    does: 'delete',
    kind: 'off',
    points: ['delete.job-ready', 'delete.merged', 'delete.defined', 'delete.file-removed', 'delete.recorded'],
  },
  { does: 'revert', kind: 'off', points: ['revert.layer-made', 'revert.begun', 'revert.defined'] },

  {
    does: 'snapshot',
    kind: 'btrfs',
    points: ['snapshot.prepared', 'snapshot.methods-cut', 'snapshot.verified', 'snapshot.written'],
  },
  { does: 'snapshot', kind: 'btrfs', how: 'paused', points: ['snapshot.methods-cut', 'pause.ended'] },
  { does: 'delete', kind: 'btrfs', points: ['delete.method-done'] },
  { does: 'revert', kind: 'btrfs', points: ['revert.method-done', 'revert.defined'] },
  { does: 'snapshot', kind: 'qemu+btrfs', points: ['snapshot.methods-cut', 'snapshot.layers-cut'] },
  {
    does: 'snapshot',
    kind: 'qemu+btrfs',
    how: 'frozen and paused',
    points: ['pause.begun', 'snapshot.methods-cut', 'pause.ended'],
  },
  { does: 'delete', kind: 'qemu+btrfs', points: ['delete.method-done'] },
  { does: 'revert', kind: 'qemu+btrfs', points: ['revert.method-done', 'revert.defined'] },
  { does: 'revert', kind: 'qemu+btrfs, off', points: ['revert.method-done'] },

  { does: 'snapshot', kind: 'plug-in', points: ['snapshot.methods-cut', 'snapshot.written'] },
  { does: 'snapshot', kind: 'qemu+plug-in', points: ['snapshot.methods-cut', 'snapshot.layers-cut'] },
  { does: 'delete', kind: 'qemu+plug-in', points: ['delete.method-done'] },
  { does: 'revert', kind: 'qemu+plug-in', points: ['revert.method-done'] },

  { does: 'snapshot', kind: 'qemu+rbd', points: ['snapshot.methods-cut', 'snapshot.layers-cut'] },
  { does: 'delete', kind: 'qemu+rbd', points: ['delete.method-done'] },
  { does: 'revert', kind: 'qemu+rbd', points: ['revert.method-done', 'revert.defined'] },
];

export const OPERATIONS: readonly Operation[] = TRIED.map(({ does, kind, how, points }) => {
  const { site = 'files', disks, isOff = false }: Partial<Operation> & { disks: Methods } = KINDS[kind];
  return {
    does,
    kind: [kind, how].filter(Boolean).join(', '),
    site,
    disks,
    isOff,
    quiesce: how === 'paused' || isOff ? 'never' : 'required',
    hasFat: how === 'frozen and paused',
    points,
  };
});

export const hasLayers = ({ disks }: Operation) => Object.values(disks).includes('qemu');
