// Trees and snapshots to draw: small, branched, damaged, hostile.
import type { DiskSnapshotSet, DiskTree, Layer, SnapshotPlan } from 'libvirt-disksnapshot';
import type { SnapshotTimeline } from '../lib/picture';

type Disk = DiskTree['disks'][number];
const GiB = 1024 ** 3;
const MiB = 1024 ** 2;

export function layer(source: string, more: Partial<Layer> = {}): Layer {
  const plain = { format: 'qcow2', virtualSize: 20 * GiB, fileSize: 300 * MiB, active: false, missing: false };
  return { source, ...plain, snapshots: [], ...more };
}

const taken = (...names: string[]): Disk['snapshots'] =>
  names.map((name) => ({ name, method: 'qemu', state: 'present' as const }));

export const small: DiskTree = {
  guest: 'web1',
  uri: 'qemu:///system',
  disks: [
    {
      disk: 'vda',
      policy: null,
      layers: [
        layer('/images/web1.nightly.qcow2', { active: true }),
        layer('/images/web1.qcow2', { fileSize: 2.5 * GiB, snapshots: ['nightly'] }),
      ],
      snapshots: taken('nightly'),
    },
  ],
};

const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'];

/** Four disks, six layers, a branch within a branch, a missing layer, a logical volume and a snapshot inside an image. */
export const large: DiskTree = {
  guest: 'database',
  uri: 'qemu+ssh://host7.example.org/system',
  disks: [
    {
      disk: 'vda',
      policy: { method: 'qemu', mode: 'external' },
      layers: [
        layer('/images/root.friday.qcow2', { active: true, fileSize: 41 * MiB }),
        ...[3, 2, 1, 0].map((at) =>
          layer(`/images/root.${days[at]}.qcow2`, { fileSize: (at + 2) * 97 * MiB, snapshots: [days[at + 1] ?? ''] }),
        ),
        layer('/images/root.qcow2', { fileSize: 6.2 * GiB, snapshots: ['monday'] }),
      ],
      snapshots: taken(...days, 'attempt-1', 'attempt-2', 'attempt-3'),
    },
    {
      disk: 'vdb',
      policy: null,
      layers: [
        layer('/images/data.tuesday.qcow2', { active: true, fileSize: 112 * MiB, virtualSize: 200 * GiB }),
        layer('/images/data.monday.qcow2', { missing: true, fileSize: null, snapshots: [] }),
        layer('/images/data.qcow2', { fileSize: 87 * GiB, snapshots: ['monday'], virtualSize: 200 * GiB }),
      ],
      snapshots: [...taken('monday'), { name: 'tuesday', method: 'qemu', state: 'missing' }],
    },
    {
      disk: 'vdc',
      policy: { method: 'lvm' },
      layers: [layer('/dev/vg0/logs', { format: 'raw', active: true, fileSize: null, virtualSize: 50 * GiB })],
      snapshots: [
        { name: 'monday', method: 'lvm', state: 'present' },
        { name: 'tuesday', method: 'lvm', state: 'missing' },
      ],
    },
    {
      disk: 'sda',
      policy: null,
      layers: [layer('/images/scratch.qcow2', { active: true, snapshots: ['before-upgrade'], virtualSize: 8 * GiB })],
      snapshots: taken('before-upgrade'),
    },
  ],
};

const branch = (name: string, source: string, ...below: string[]) => ({
  ...{ name, disk: 'vda', method: 'qemu', state: 'present', format: 'qcow2', internalSnapshot: null },
  backupSource: `<source file='${source}'/>`,
  backingChain: below.map((path) => ({ source: path, format: 'qcow2' })),
});

/** What the records add to `large`: three points in time that two reverts have left. */
export const largeSets = [
  {
    name: 'attempts',
    disks: [
      branch('attempt-1', '/images/try-1.qcow2', '/images/root.monday.qcow2', '/images/root.qcow2'),
      branch(
        'attempt-2',
        '/images/try-2.qcow2',
        '/images/try-1.qcow2',
        '/images/root.monday.qcow2',
        '/images/root.qcow2',
      ),
      branch('attempt-3', '/images/try-3.qcow2', '/images/root.monday.qcow2', '/images/root.qcow2'),
    ],
  },
] as unknown as readonly DiskSnapshotSet[]; // a picture asks for no more of them

const hostileName = `<script>alert('x')</script>"&\n\u202e\u0000\ud800${'ж'.repeat(60)}#;:\`]]> end`;
export const hostile: DiskTree = {
  guest: hostileName,
  uri: `qemu:///system?"><img src=x onerror=alert(1)>${'u'.repeat(255)}`,
  disks: [
    {
      disk: 'vda',
      policy: null,
      layers: [
        layer(`/images/${'漢'.repeat(80)}/${hostileName}`, { active: true }),
        layer(`/images/${'W'.repeat(255)}`, { format: '<b>qcow2', snapshots: [hostileName] }),
        layer(''),
      ],
      snapshots: [
        { name: hostileName, method: '</style><script>', state: 'present' },
        { name: `${'n'.repeat(254)}"`, method: 'vendor', state: 'missing' },
      ],
    },
    { disk: 'sdb', policy: null, layers: [], snapshots: [] },
  ],
};

/** Measured: two disks by two methods, frozen and paused. */
export const timeline: SnapshotTimeline = {
  ...{ guest: 'database', name: 'nightly', consistency: 'filesystem', frozenMs: 46.2, pausedMs: 14.8 },
  disks: [
    { disk: 'vda', method: 'qemu' },
    { disk: 'vdb', method: 'qemu' },
    { disk: 'vdc', method: 'lvm' },
  ],
  steps: [
    { phase: 'plan', startMs: 0, endMs: 61 },
    { phase: 'record', startMs: 61, endMs: 74 },
    { phase: 'prepare', disk: 'vda', startMs: 74, endMs: 96 },
    { phase: 'prepare', disk: 'vdb', startMs: 96, endMs: 117 },
    { phase: 'prepare', disk: 'vdc', startMs: 117, endMs: 119 },
    { phase: 'quiesce', startMs: 119, endMs: 143 },
    { phase: 'pause', startMs: 143, endMs: 146 },
    { phase: 'cut', startMs: 146, endMs: 157 },
    { phase: 'resume', startMs: 157, endMs: 159 },
    { phase: 'thaw', startMs: 159, endMs: 171 },
    { phase: 'verify', startMs: 171, endMs: 214 },
  ],
};

/** The same before it was taken. */
export const plan: SnapshotPlan = {
  ...{ ok: true, problems: [], consistency: 'filesystem', willFreeze: true, willPause: false },
  disks: ['vda', 'vdb'].map((disk) => ({ disk, method: 'qemu', because: 'a file', creates: [], bytes: 0 })),
  steps: [
    { phase: 'record', what: 'claim database and record the intent in its metadata' },
    { phase: 'prepare', disk: 'vda', what: 'make the overlay /images/root.nightly.qcow2 through qemu-img' },
    { phase: 'prepare', disk: 'vdb', what: 'make the overlay /images/data.nightly.qcow2 through qemu-img' },
    { phase: 'quiesce', what: 'freeze /, /srv' },
    { phase: 'cut', what: 'switch vda, vdb in one transaction' },
    { phase: 'thaw', what: 'thaw /, /srv' },
    { phase: 'verify', what: 'read the disks back from the domain, and record the snapshot' },
  ],
};
