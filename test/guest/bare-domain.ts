// A domain without an operating system, for tests of disks alone: there in half a second, on or off. What its layers hold
// is written and judged by qemu-io and qemu-img.
import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { snapshotDisks } from '../../lib/disk-snapshot/create';
import type { DiskSnapshotSet } from '../../lib/disk-snapshot/types';
import { type Connection, type Domain, DomainUndefineFlagsValues, DomainXMLFlags } from '../../lib/libvirt';
import { element, formatXml } from '../../lib/xml/document';
import { pathSource, readDomain } from '../../lib/xml/domain';

const exec = promisify(execFile);

export async function qemuImg(...args: string[]): Promise<string> {
  return (await exec('qemu-img', args)).stdout;
}
/** Writes `mib` MiB of one byte value into an image that nobody has open. */
export async function fill(path: string, pattern: number, atMiB: number, mib: number): Promise<void> {
  await exec('qemu-io', ['-f', 'qcow2', '-c', `write -P ${pattern} ${atMiB}M ${mib}M`, path]);
}
/** Rejects where the guest would read something else there. */
export async function expectPattern(path: string, pattern: number, atMiB: number, mib: number, format = 'qcow2') {
  const read = `read -P ${pattern} ${atMiB}M ${mib}M`;
  const { stdout } = await exec('qemu-io', ['-r', '-U', '-f', format, '-c', read, path]);
  if (/Pattern verification failed/.test(stdout)) throw new Error(`${path} does not hold ${pattern} at ${atMiB} MiB`);
}

export class BareDomain {
  private constructor(
    readonly domain: Domain,
    readonly directory: string,
  ) {}

  /** Defined and off, with disks of 64 MiB: vda, vdb, …; empty qcow2 files in `folder`, or the raw image given. */
  static async define(
    conn: Connection,
    directory: string,
    {
      disks = 1,
      folder = directory,
      raw,
      emulator,
    }: { disks?: number; folder?: string; raw?: { type: 'file' | 'block'; path: string }; emulator?: string } = {},
  ): Promise<BareDomain> {
    await mkdir(directory, { recursive: true });
    const targets = Array.from({ length: disks }, (_, i) => `vd${String.fromCharCode(97 + i)}`);
    const file = (target: string) => join(folder, `${target}.qcow2`);
    if (!raw) for (const target of targets) await qemuImg('create', '-q', '-f', 'qcow2', file(target), '64M');
    const xml = element(
      'domain',
      { type: 'qemu' },
      element('name', {}, basename(directory)),
      element('memory', { unit: 'MiB' }, '32'),
      element('os', {}, element('type', { arch: 'x86_64', machine: 'q35' }, 'hvm')),
      element(
        'devices',
        {},
        ...(emulator === undefined ? [] : [element('emulator', {}, emulator)]),
        element('controller', { type: 'usb', model: 'none' }),
        ...targets.map((target) =>
          element(
            'disk',
            { type: raw?.type ?? 'file', device: 'disk' },
            element('driver', { name: 'qemu', type: raw ? 'raw' : 'qcow2' }),
            raw ? pathSource(raw.type, raw.path) : pathSource('file', file(target)),
            element('target', { dev: target, bus: 'virtio' }),
          ),
        ),
      ),
    );
    return new BareDomain(await conn.domainDefineXML(formatXml(xml)), directory);
  }

  /** A snapshot of each layer in turn; before it, layer n (from 1) is filled at n MiB with the value n. */
  async layers(count: number, mib = 1): Promise<DiskSnapshotSet[]> {
    const sets: DiskSnapshotSet[] = [];
    for (let n = 1; n <= count; n++) {
      sets.push(await snapshotDisks(this.domain, { disks: ['vda'], name: `s${n}`, quiesce: 'never' }));
      await fill(await this.source('vda'), n, n, mib);
    }
    return sets;
  }

  async source(target: string, flags: Parameters<Domain['getXMLDesc']>[0] = {}): Promise<string> {
    const [first] = await this.chain(target, flags);
    if (first === undefined) throw new Error(`no disk ${target}`);
    return first;
  }
  /** What the live XML of a guest that runs, else its definition, names; the active image first. */
  async chain(target: string, flags: Parameters<Domain['getXMLDesc']>[0] = {}): Promise<string[]> {
    const disk = readDomain(await this.domain.getXMLDesc(flags)).disks.find((d) => d.target === target);
    return disk ? [disk, ...disk.backingChain].map(({ sourcePath }) => sourcePath ?? '') : [];
  }
  definedSource(target: string): Promise<string> {
    return this.source(target, DomainXMLFlags.INACTIVE);
  }
  async files(): Promise<string[]> {
    return (await readdir(this.directory)).sort();
  }

  async remove(): Promise<void> {
    if (await this.domain.isActive()) await this.domain.destroy();
    await this.domain.undefineFlags([DomainUndefineFlagsValues.MANAGED_SAVE]);
  }
}
