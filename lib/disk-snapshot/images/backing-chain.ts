// A disk's chain of images, the active one first: as QEMU has it open, as the XML tells it, or as the headers say.
import { type Domain, ErrorNumber, LibvirtError } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { type DomainDisk, readDomain } from '../../xml/domain';
import { DiskSnapshotError } from '../errors';
import type { ImageInfo } from './image';
import { qmp } from './qmp';

export interface ChainLayer {
  /** The file or device; null: not of this host (network storage). */
  path: string | null;
  format: string;
  /** Bytes; null: only the XML was read. */
  virtualSize: number | null;
  /** Names of the image's own snapshots; null: not known. */
  internalSnapshots: readonly string[] | null;
  /** The image above names it, but it is not there. */
  missing: boolean;
}
export type Chain = readonly ChainLayer[];

/** Where in the chain an image lies, 0 for the active one; -1: it is not in it. */
export function positionOf(chain: Chain, path: string): number {
  return chain.findIndex((layer) => layer.path === path);
}

// ---- of a guest that runs -----------------------------------------------------------------------------------------

/** What `query-block` answers, as far as we read it. */
export interface BlockDevice {
  device: string;
  qdev?: string;
  /** What the device writes to: the topmost node, and the driver that it is of. */
  inserted?: { 'node-name'?: string; drv?: string; image: QemuImage };
}
export interface QemuImage {
  filename: string;
  format: string;
  'virtual-size': number;
  snapshots?: readonly { name: string }[];
  'backing-image'?: QemuImage;
}

/**
 * Where the XML is all there is: a hypervisor without QEMU's monitor, such as libvirt's test driver; and a connection that may
 * only read. That one cannot claim a domain either, so that nothing is ever changed by what the XML alone says.
 */
const WITHOUT_MONITOR: ReadonlySet<number> = new Set([ErrorNumber.NO_SUPPORT, ErrorNumber.OPERATION_DENIED]);

/**
 * The chain that QEMU has open. The XML is not asked: a daemon that died in the wrong moment leaves it behind the truth.
 *
 * @throws DiskSnapshotError OPERATION_FAILED where QEMU does not know the disk
 */
export async function liveChain(domain: Domain, disk: DomainDisk, call: CallOptions = {}): Promise<Chain> {
  const devices = await qmp<BlockDevice[]>(domain, 'query-block', {}, call).catch((e: unknown) => {
    if (e instanceof LibvirtError && WITHOUT_MONITOR.has(e.code)) return null;
    throw e;
  });
  const chain = devices === null ? chainOfXml(disk) : chainOfQemu(devices, disk.alias);
  if (chain !== null) return chain;
  const guest = domain.getName();
  throw new DiskSnapshotError('OPERATION_FAILED', `${guest}: QEMU does not show disk ${disk.target} in query-block`, {
    guest,
    disk: disk.target,
  });
}

/** Nodes that jobs and throttling put between images: no images themselves. */
const FILTERS: ReadonlySet<string> = new Set([
  'mirror_top',
  'commit_top',
  'copy-before-write',
  'copy-on-read',
  'throttle',
  'preallocate',
  'compress',
]);

/** libvirt gives a device its alias as the id; QEMU shows some by the path of the object that holds it. */
export function deviceOf(devices: readonly BlockDevice[], alias: string | null): BlockDevice | undefined {
  return devices.find(({ qdev }) => alias !== null && qdev?.split('/').includes(alias));
}

/** The chain of the device with this alias; null: no such device. */
export function chainOfQemu(devices: readonly BlockDevice[], alias: string | null): Chain | null {
  const device = deviceOf(devices, alias);
  if (!device) return null;
  const chain: ChainLayer[] = [];
  for (let image = device.inserted?.image; image; image = image['backing-image']) {
    if (FILTERS.has(image.format)) continue;
    chain.push({
      path: pathOf(image.filename),
      format: image.format,
      virtualSize: image['virtual-size'],
      internalSnapshots: (image.snapshots ?? []).map(({ name }) => name),
      missing: false,
    });
  }
  return chain;
}

interface QemuNode {
  filename?: unknown;
  file?: QemuNode;
}

/** QEMU names an image by its path, or by its options as `json:{…}` where a path does not say it all. */
export function pathOf(filename: string): string | null {
  if (!filename.startsWith('json:')) return filename.startsWith('/') ? filename : null;
  let node: QemuNode | undefined = JSON.parse(filename.slice('json:'.length)) as QemuNode;
  while (node?.file) node = node.file;
  return typeof node?.filename === 'string' && node.filename.startsWith('/') ? node.filename : null;
}

/** The chain as domain XML tells it. */
export function chainOfXml(disk: DomainDisk): Chain {
  return [disk, ...disk.backingChain].map(({ sourcePath, format }) => ({
    path: sourcePath,
    format: format ?? 'raw',
    virtualSize: null,
    internalSnapshots: null,
    missing: false,
  }));
}

// ---- of a guest that is off ---------------------------------------------------------------------------------------

/** Reads one header; null: there is no such file. */
export type Inspect = (path: string, format: string | undefined) => Promise<ImageInfo | null>;

/** Far above what anybody has, and below what a loop of headers would make of us. */
const LONGEST = 256;

/** The chain as the headers tell it, from an image downwards. A file that is missing is the last of it. */
export async function chainOfHeaders(top: { path: string; format: string }, inspect: Inspect): Promise<Chain> {
  const chain: ChainLayer[] = [];
  let next: { path: string; format: string | null } | null = top;
  while (next !== null) {
    if (chain.length === LONGEST) {
      throw new DiskSnapshotError('LIMIT_EXCEEDED', `${top.path} has more than ${LONGEST} images below it, or a loop`);
    }
    const { path, format }: { path: string; format: string | null } = next;
    const found: ImageInfo | null = await inspect(path, format ?? undefined);
    chain.push({
      path,
      format: found?.format ?? format ?? 'raw',
      virtualSize: found?.virtualSize ?? null,
      internalSnapshots: found?.internalSnapshots ?? null,
      missing: found === null,
    });
    next = found?.backing ?? null;
  }
  return chain;
}

/** The disk of a domain's XML, live or inactive. */
export async function diskOf(
  domain: Domain,
  target: string,
  flags: Parameters<Domain['getXMLDesc']>[0] = {},
): Promise<DomainDisk | null> {
  const { disks } = readDomain(await domain.getXMLDesc(flags));
  return disks.find((disk) => disk.target === target) ?? null;
}
