// A guest on an LVM host: the test guest, whose disks are volumes there.
import { randomBytes, randomUUID } from 'node:crypto';
import { type Connection, type Domain, DomainCreateFlags, DomainUndefineFlagsValues } from '../../../lib/libvirt';
import { type ExecOptions, type ExecResult, guestExec } from '../../../lib/testing/agent';
import { startAndWait } from '../../../lib/testing/guest-ready';
import { guestXml } from '../../../lib/testing/guest-xml';
import type { LvmHost } from './host';
import { VOLUME_GROUP } from './scripts';

/** An empty ext4 on the host, made beforehand: a logical volume, or a file. In MiB: enough for a file system with a journal. */
const DISK_MIB = 32;

export interface HostDisk {
  type: 'block' | 'file';
  format: 'raw' | 'qcow2';
  source: string;
}

/** Makes a logical volume with an empty ext4. */
export async function logicalVolume(host: LvmHost, name: string): Promise<HostDisk> {
  const source = `/dev/${VOLUME_GROUP}/${name}`;
  await host.run('lvcreate', '--yes', '--name', name, '--size', `${DISK_MIB}M`, VOLUME_GROUP);
  await host.run('mkfs.ext4', '-q', '-F', source);
  return { type: 'block', format: 'raw', source };
}

/** Makes an image file with an empty ext4. */
export async function imageFile(host: LvmHost, path: string, format: 'raw' | 'qcow2'): Promise<HostDisk> {
  await host.run('truncate', '--size', `${DISK_MIB}M`, path);
  await host.run('mkfs.ext4', '-q', '-F', path);
  if (format === 'qcow2') {
    await host.run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', path, `${path}.new`);
    await host.run('mv', `${path}.new`, path);
  }
  return { type: 'file', format, source: path };
}

/** A persistent domain on the host. Started, it may take a minute: as an emulated machine in an emulated machine. */
export class HostGuest {
  readonly #name: string;
  #domain: Domain;

  private constructor(name: string, domain: Domain) {
    this.#name = name;
    this.#domain = domain;
  }

  get domain(): Domain {
    return this.#domain;
  }

  /** From now on it is reached over this connection: the other one has ended. */
  async reachOver(connection: Connection): Promise<void> {
    this.#domain = await connection.domainLookupByName(this.#name);
  }

  /** Defined, with these disks at vda, vdb, …, mounted at /mnt/a, /mnt/b, …; not started. */
  static async define(host: LvmHost, connection: Connection, disks: readonly HostDisk[]): Promise<HostGuest> {
    const name = `guest-${randomBytes(4).toString('hex')}`;
    const xml = guestXml({
      name,
      uuid: randomUUID(),
      ...host.hardware,
      memoryMiB: 128,
      vcpus: 1,
      disks: disks.map((disk, at) => ({
        ...disk,
        device: 'disk',
        file: disk.source,
        target: `vd${'abcdefgh'.charAt(at)}`,
      })),
      console: `${host.folder}/${name}.log`,
      agentSocket: `${host.folder}/${name}.agent`,
    });
    return new HostGuest(name, await connection.domainDefineXML(xml));
  }

  /** Resolves when its agent answers. */
  async start(): Promise<void> {
    await startAndWait({
      console: '', // on the host
      agent: true,
      timeoutMs: 580_000,
      signal: undefined,
      startPaused: async () => {
        await this.domain.createWithFlags(DomainCreateFlags.START_PAUSED);
        return this.domain;
      },
    });
  }

  exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return guestExec(this.domain, argv, { timeoutMs: 120_000, ...options });
  }

  /** Ends it as a power failure would; what it has synced is on its disks. */
  stop(): Promise<void> {
    return this.domain.destroy();
  }

  async close(): Promise<void> {
    if (await this.domain.isActive()) await this.domain.destroy();
    await this.domain.undefineFlags([DomainUndefineFlagsValues.SNAPSHOTS_METADATA]);
  }
}
