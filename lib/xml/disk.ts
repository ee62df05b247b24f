/**
 * One `<disk>` of a domain, as libvirt writes it or a caller does: what it is, where its data lies, and on which bus the guest
 * sees it.
 */
import { child, childrenOf, element, formatXml, parseXml, textOf, type XmlElement, XmlError } from './document';

/** libvirt's kinds of source; a newer libvirt may name others. */
export type SourceType =
  | 'file'
  | 'block'
  | 'dir'
  | 'network'
  | 'volume'
  | 'nvme'
  | 'vhostuser'
  | 'vhostvdpa'
  | (string & {});

export interface NetworkSource {
  /** 'rbd', 'nbd', 'iscsi', 'https' … */
  protocol: string;
  /** The image, export or path; for RBD `pool/image`. */
  name: string | null;
  hosts: readonly { name: string | null; port: string | null; transport: string | null; socket: string | null }[];
  /** `<snapshot name>`: the source is this state of the image, read-only. */
  snapshot: string | null;
}

/** Where one image lies, and in which format: a disk's own, or a layer of its backing chain. */
export interface Image {
  type: SourceType;
  /** 'qcow2', 'raw' …; null where the XML does not say: libvirt then takes it for raw. */
  format: string | null;
  /** `<source>`; null for an empty drive. */
  source: XmlElement | null;
  /** The file, block device or folder; null where the source is no local path. */
  sourcePath: string | null;
  network: NetworkSource | null;
  /** Of type 'volume': libvirt looks the path up in the pool when the guest starts. */
  volume: { pool: string; name: string } | null;
}

export type DiskAddress =
  | ({ type: 'pci' } & PciAddress)
  | { type: 'drive'; controller: number; bus: number; target: number; unit: number };

export interface PciAddress {
  domain: number;
  bus: number;
  slot: number;
  function: number;
}

export interface DomainDisk extends Image {
  /** `<target dev>`: unique in the domain. */
  target: string;
  device: 'disk' | 'cdrom' | 'lun' | 'floppy' | (string & {});
  /** 'virtio', 'scsi', 'sata' …; null where the caller left it to libvirt. */
  bus: string | null;
  readonly: boolean;
  shareable: boolean;
  transient: boolean;
  /** The snapshot attribute: 'no', 'internal', 'external', 'manual'; null for libvirt's default. */
  snapshot: string | null;
  alias: string | null;
  serial: string | null;
  wwn: string | null;
  /** Null where there is none yet, or of a kind that a disk snapshot has no use for (ccw, mmio). */
  address: DiskAddress | null;
  /** A copy or active commit has begun and its end is not decided: the disk takes no snapshot. */
  hasMirror: boolean;
  /** The guest's data is encrypted by QEMU: `<encryption>` on the disk or its source. */
  encrypted: boolean;
  /** The images below this one, the nearest first, as far as libvirt has followed the chain. */
  backingChain: readonly Image[];
  /** The chain above ends where libvirt found nothing below; false: libvirt has not looked (a guest that is off). */
  backingChainComplete: boolean;
  element: XmlElement;
  /** The `<disk>` itself. */
  xml: string;
}

const PATH_ATTRIBUTE: Readonly<Record<string, string>> = { file: 'file', block: 'dev', dir: 'dir' };

/** @throws XmlError if it is not a `<disk>` with a `<target dev>`. */
export function readDisk(disk: XmlElement | string): DomainDisk {
  const node = typeof disk === 'string' ? parseXml(disk) : disk;
  if (node.name !== 'disk') throw new XmlError(`<${node.name}> is no <disk>`);
  const target = child(node, 'target');
  if (!target?.attributes.dev) throw new XmlError("the <disk> has no <target dev='…'/>");
  const image = readImage(node, child(node, 'driver')?.attributes.type);
  const text = (name: string) => textOf(child(node, name)) || null;
  return {
    ...image,
    target: target.attributes.dev,
    device: node.attributes.device ?? 'disk',
    bus: target.attributes.bus ?? null,
    readonly: child(node, 'readonly') !== undefined,
    shareable: child(node, 'shareable') !== undefined,
    transient: child(node, 'transient') !== undefined,
    snapshot: node.attributes.snapshot ?? null,
    alias: child(node, 'alias')?.attributes.name ?? null,
    serial: text('serial'),
    wwn: text('wwn'),
    address: readAddress(child(node, 'address')),
    hasMirror: child(node, 'mirror') !== undefined,
    encrypted: [node, image.source].some((holder) => holder && child(holder, 'encryption')),
    ...readBackingChain(node),
    element: node,
    xml: formatXml(node, { indent: '  ' }),
  };
}

/**
 * `<source>` as another domain, or a person, can use it: without `index`, which names a node of one running QEMU.
 * Null for an empty drive.
 */
export function sourceXml(image: Pick<Image, 'source'>): string | null {
  return image.source && formatXml(withoutIndex(image.source));
}

export function withoutIndex(source: XmlElement): XmlElement {
  const { index: _runtime, ...attributes } = source.attributes;
  return element(source.name, attributes, ...source.children);
}

/** The source of a file or block device. */
export function pathSource(type: 'file' | 'block', path: string): XmlElement {
  return element('source', { [type === 'file' ? 'file' : 'dev']: path });
}

/** PCI addresses are written in hexadecimal; the agent reports them as numbers. */
export function readPciAddress(address: XmlElement | undefined): PciAddress | null {
  if (address?.attributes.type !== 'pci') return null;
  const number = (name: string) => Number(address.attributes[name] ?? 0);
  return { domain: number('domain'), bus: number('bus'), slot: number('slot'), function: number('function') };
}

function readImage(node: XmlElement, format: string | undefined): Image {
  const type = node.attributes.type ?? 'file';
  const source = child(node, 'source') ?? null;
  const { pool, volume } = source?.attributes ?? {};
  const path = PATH_ATTRIBUTE[type];
  return {
    type,
    format: format ?? null,
    source,
    sourcePath: (path && source?.attributes[path]) || null,
    network: type === 'network' && source ? readNetwork(source) : null,
    volume: type === 'volume' && pool !== undefined && volume !== undefined ? { pool, name: volume } : null,
  };
}

function readNetwork(source: XmlElement): NetworkSource {
  return {
    protocol: source.attributes.protocol ?? '',
    name: source.attributes.name ?? null,
    hosts: childrenOf(source, 'host').map(({ attributes }) => ({
      name: attributes.name ?? null,
      port: attributes.port ?? null,
      transport: attributes.transport ?? null,
      socket: attributes.socket ?? null,
    })),
    snapshot: child(source, 'snapshot')?.attributes.name ?? null,
  };
}

/** libvirt nests each layer in the one above, and closes a chain that it has followed to the end by an empty element. */
function readBackingChain(disk: XmlElement): Pick<DomainDisk, 'backingChain' | 'backingChainComplete'> {
  const backingChain: Image[] = [];
  let layer = child(disk, 'backingStore');
  while (layer && child(layer, 'source')) {
    backingChain.push(readImage(layer, child(layer, 'format')?.attributes.type));
    layer = child(layer, 'backingStore');
  }
  return { backingChain, backingChainComplete: layer !== undefined };
}

function readAddress(address: XmlElement | undefined): DiskAddress | null {
  const pci = readPciAddress(address);
  if (pci) return { type: 'pci', ...pci };
  if (address?.attributes.type !== 'drive') return null;
  const number = (name: string) => Number(address.attributes[name] ?? 0);
  return {
    type: 'drive',
    controller: number('controller'),
    bus: number('bus'),
    target: number('target'),
    unit: number('unit'),
  };
}
