// A guest with a disk for each method, all on real storage: files, btrfs and XFS on loop devices, Ceph, and a vendor's array.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VendorArrayMethod } from '../../examples/vendor-array/index';
import { type Connection, type DiskSnapshot, DomainXMLFlags, type Method, registerSnapshotMethod } from '../../lib';
import { qmp } from '../../lib/disk-snapshot/images/qmp';
import { PrivateLibvirtd, TestGuest } from '../../lib/testing';
import { agentCommand } from '../../lib/testing/agent';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { parseXml } from '../../lib/xml/document';
import { qemuImg } from '../guest/bare-domain';
import { Ceph } from './ceph';
import { defineSecret, moveToCeph, start } from './ceph-guest';
import { FarDaemon } from './far';
import { snapshotsIn } from './inside';
import { Mounted } from './mounted';

/** One disk, by one method. */
export interface Subject {
  /** As the table of methods names it. */
  title: string;
  disk: string;
  /** Where the guest has it mounted. */
  folder: string;
  method: string | Method;
  /** The points in time, as the storage's own tools show them. */
  kept(lab: EveryMethod): Promise<string[]>;
  /** What the storage's own tools read of one, as a raw file. */
  copyOut(lab: EveryMethod, snapshot: DiskSnapshot, to: string): Promise<void>;
}

export const sourceOf = ({ backupSource }: DiskSnapshot) => parseXml(backupSource ?? '').attributes.file ?? '';
const convert = async (_: EveryMethod, snapshot: DiskSnapshot, to: string) => {
  await qemuImg('convert', '-U', '-f', snapshot.format, '-O', 'raw', sourceOf(snapshot), to);
};
/** Files in a folder, but for the disks that the guest was made with. */
const filesIn = (folder: (lab: EveryMethod) => string, disk: string) => async (lab: EveryMethod) =>
  (await readdir(folder(lab))).filter((file) => file.includes(disk) && !/\.(img|qcow2|part)$/.test(file)).sort();

export const SUBJECTS: readonly Subject[] = [
  {
    title: 'qemu',
    disk: 'vda',
    folder: '/mnt/a',
    method: 'qemu',
    kept: filesIn((lab) => lab.guest.directory, 'vda'),
    copyOut: convert,
  },
  {
    title: 'btrfs',
    disk: 'vdb',
    folder: '/mnt/b',
    method: 'btrfs',
    kept: filesIn((lab) => lab.btrfs.directory, 'vdb'),
    copyOut: convert,
  },
  {
    title: 'rbd',
    disk: 'vdc',
    folder: '/mnt/c',
    method: 'rbd',
    kept: (lab) => lab.ceph.snapshots(lab.rbdImage),
    copyOut: async ({ ceph, rbdImage }, { name }, to) => {
      await rm(to, { force: true });
      await ceph.rbd('export', '--no-progress', `${rbdImage}@${name}`, to);
    },
  },
  {
    title: 'plug-in',
    disk: 'vdd',
    folder: '/mnt/d',
    method: 'vendor-array',
    kept: async (lab) => (await readdir(lab.array)).filter((file) => file.includes('@')).sort(),
    copyOut: convert,
  },
  {
    title: 'reflink (XFS)',
    disk: 'vde',
    folder: '/mnt/e',
    method: 'reflink',
    kept: filesIn((lab) => lab.xfs.directory, 'vde'),
    copyOut: convert,
  },
  {
    title: 'qemu, internal',
    disk: 'vdf',
    folder: '/mnt/f',
    method: { method: 'qemu', mode: 'internal' },
    kept: (lab) => snapshotsIn(lab.guest.image('vdf')),
    copyOut: async ({ guest }, { disk, name }, to) => {
      await qemuImg('convert', '-U', '-O', 'raw', '-l', `snapshot.name=${name}`, guest.image(disk), to);
    },
  },
];

export const disksOf = (subjects: readonly Subject[]) =>
  Object.fromEntries(subjects.map(({ disk, method }) => [disk, method]));

/** libvirt leaves the element behind that held the first record. */
const withoutEmpty = (xml: string) => xml.replace(/\s*<metadata\/>/, '');

export class EveryMethod implements AsyncDisposable {
  readonly #closers: (() => unknown)[] = [];
  ceph!: Ceph;
  btrfs!: Mounted;
  xfs!: Mounted;
  /** Folder of the vendor's array. */
  array!: string;
  daemon!: PrivateLibvirtd;
  connection!: Connection;
  /** Persistent, and it runs. */
  guest!: TestGuest;
  rbdImage!: string;
  /** By which the daemon knows the key of the cluster. */
  secret!: string;

  private constructor() {}

  /** @param far the daemon is reached as if it were on another host */
  static async start(vendor = new VendorArrayMethod(), { far = false } = {}): Promise<EveryMethod> {
    const lab = new EveryMethod();
    try {
      await lab.#start(vendor, far);
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  /** All that a snapshot could leave behind, or change: it is the same, to the byte, where one was taken back. */
  async everything() {
    const { domain } = this.guest;
    const { SECURE, INACTIVE } = DomainXMLFlags;
    const nodes = await qmp<{ file: string; drv: string }[]>(domain, 'query-named-block-nodes', { flat: true });
    return {
      live: withoutEmpty(await domain.getXMLDesc(SECURE)),
      defined: withoutEmpty(await domain.getXMLDesc([SECURE, INACTIVE])),
      open: nodes.map(({ file, drv }) => `${drv} ${file}`).sort(),
      files: (await Promise.all(this.#folders.map((folder) => readdir(folder)))).flat().sort(),
      inside: await Promise.all(SUBJECTS.map(({ kept }) => kept(this))),
      domains: (await this.connection.listAllDomains()).map((one) => one.getName()).sort(),
      pools: (await this.connection.listAllStoragePools()).map((one) => one.getName()).sort(),
      state: await domain.getState(),
      agent: await agentCommand(domain, 'guest-fsfreeze-status'),
    };
  }

  async sh(script: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.guest.exec(['sh', '-c', script]);
    if (exitCode !== 0) throw new Error(`in the guest, ${script} said: ${stderr}`);
    return stdout;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #folders(): string[] {
    return [this.guest.directory, this.btrfs.directory, this.xfs.directory, this.array];
  }

  async #start(vendor: VendorArrayMethod, isFar: boolean): Promise<void> {
    const closing = <T extends { close(): Promise<void> }>(made: T): T => {
      this.#closers.push(() => made.close());
      return made;
    };
    const root = await temporaryDirectory('every-method');
    this.#closers.push(() => rm(root, { recursive: true }));
    const registration = registerSnapshotMethod(vendor);
    this.#closers.push(() => registration[Symbol.dispose]());
    // Before the daemon, which sees only what was mounted then.
    this.btrfs = closing(await Mounted.make('btrfs', root));
    this.xfs = closing(await Mounted.make('xfs', root));
    this.array = join(this.xfs.directory, 'array'); // which then makes its snapshots in an instant, as an array does
    await mkdir(this.array);
    await writeFile(join(this.array, 'array.json'), '{}');
    this.ceph = closing(await Ceph.start());
    const far = isFar ? await FarDaemon.start() : null;
    this.daemon = closing(far?.daemon ?? (await PrivateLibvirtd.start()));
    this.connection = closing(await (far ?? this.daemon).connect());
    const { daemon, connection, btrfs, xfs, array } = this;
    const raw = { format: 'raw' } as const;
    this.guest = closing(
      await TestGuest.boot({
        connection,
        start: false,
        disks: [
          {},
          { directory: btrfs.directory },
          raw,
          { directory: array, ...raw },
          { directory: xfs.directory, ...raw },
          {},
        ],
      }),
    );
    this.secret = await defineSecret(daemon, this.ceph);
    this.rbdImage = await moveToCeph(this.guest, 'vdc', this.ceph, this.secret);
    await start(this.guest);
  }
}
