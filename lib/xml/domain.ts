/** What we read of a domain's XML, and the one change that we make to it: another image under a disk. */
import { type DomainDisk, type PciAddress, readDisk, readPciAddress, type SourceType, withoutIndex } from './disk';
import {
  child,
  childrenOf,
  element,
  formatXml,
  namespaceOf,
  parseXml,
  textOf,
  type XmlElement,
  XmlError,
  type XmlNode,
} from './document';

export * from './disk';

export interface Controller {
  /** 'scsi', 'sata', 'virtio-serial' … */
  type: string;
  /** What a drive address calls `controller`. */
  index: number;
  model: string | null;
  /** By which the guest agent names the controller; null while libvirt has assigned none. */
  address: PciAddress | null;
}

export interface MetadataElement {
  /** Of its namespace; '' for none. */
  uri: string;
  element: XmlElement;
}

export interface DomainDocument {
  /** 'kvm', 'qemu' … */
  type: string;
  name: string;
  /** Null in XML that libvirt has not seen yet, as are `arch` and `machine`. */
  uuid: string | null;
  /** Null when off. */
  id: number | null;
  emulator: string | null;
  arch: string | null;
  machine: string | null;
  /** In the order of the XML. */
  disks: readonly DomainDisk[];
  controllers: readonly Controller[];
  /** There is a channel for the QEMU guest agent: whether anybody answers on it is another question. */
  hasAgentChannel: boolean;
  /** What libvirt says of the channel of a running guest; null when off. */
  agentConnected: boolean | null;
  /** The elements in `<metadata>`, of everybody. */
  metadata: readonly MetadataElement[];
  root: XmlElement;
}

const AGENT_CHANNEL = 'org.qemu.guest_agent.0';

/**
 * Reads the text of virDomainGetXMLDesc, live or inactive, or a definition that a caller wrote.
 * @throws XmlError for XML that is broken, or no `<domain>` with a name, or that holds a disk without a target.
 */
export function readDomain(xml: string | XmlElement): DomainDocument {
  const root = typeof xml === 'string' ? parseXml(xml) : xml;
  if (root.name !== 'domain') throw new XmlError(`<${root.name}> is no <domain>`);
  const name = textOf(child(root, 'name'));
  if (name === '') throw new XmlError('the <domain> has no <name>');
  const osType = child(root, 'os', 'type')?.attributes;
  const agent = agentTarget(root);
  return {
    type: root.attributes.type ?? '',
    name,
    uuid: textOf(child(root, 'uuid')) || null,
    id: root.attributes.id === undefined ? null : Number(root.attributes.id),
    emulator: textOf(child(root, 'devices', 'emulator')) || null,
    arch: osType?.arch ?? null,
    machine: osType?.machine ?? null,
    disks: devices(root, 'disk').map(readDisk),
    controllers: devices(root, 'controller').map((controller) => ({
      type: controller.attributes.type ?? '',
      index: Number(controller.attributes.index ?? 0),
      model: controller.attributes.model ?? null,
      address: readPciAddress(child(controller, 'address')),
    })),
    hasAgentChannel: agent !== undefined,
    agentConnected: agent?.state === undefined ? null : agent.state === 'connected',
    metadata: metadataOf(root),
    root,
  };
}

// libvirt accepts these only beside qcow2, and refuses the whole definition otherwise.
const QCOW2_ONLY = { attributes: ['discard_no_unref'], children: ['metadata_cache'] };

/**
 * The domain with another image under one disk, for virDomainDefineXML: `<source>`, the type of source and the format change,
 * and all that described the old image goes. `<backingStore>` left behind would win over the new image's own header, and the
 * guest would silently read another layer. The old source's `<seclabel>` is kept where the new one has none.
 *
 * Pass XML of VIR_DOMAIN_XML_INACTIVE | SECURE: without SECURE, passwords in it would be lost.
 * @throws XmlError if the domain has no such disk.
 */
export function redefineDisk(
  domainXml: string,
  target: string,
  image: { source: XmlElement; type?: SourceType; format: string },
): string {
  const root = parseXml(domainXml);
  const disk = devices(root, 'disk').find((one) => child(one, 'target')?.attributes.dev === target);
  if (!disk) throw new XmlError(`the domain has no disk '${target}'`);

  const oldSource = child(disk, 'source');
  const driver = withFormat(child(disk, 'driver') ?? element('driver', { name: 'qemu' }), image.format);
  const labels = oldSource && !child(image.source, 'seclabel') ? childrenOf(oldSource, 'seclabel') : [];
  const source = withoutIndex(image.source);
  source.children.push(...labels);

  if (image.type !== undefined) disk.attributes.type = image.type;
  const replaced = new Set(['driver', 'source', 'backingStore', 'mirror']);
  disk.children = [driver, source, ...disk.children.filter((node) => !isOneOf(node, replaced))];
  return formatXml(root, { indent: '  ' });
}

function withFormat(driver: XmlElement, format: string): XmlElement {
  const kept = element('driver', { ...driver.attributes, type: format }, ...driver.children);
  if (format === 'qcow2') return kept;
  for (const name of QCOW2_ONLY.attributes) delete kept.attributes[name];
  const dropped = new Set(QCOW2_ONLY.children);
  return { ...kept, children: kept.children.filter((node) => !isOneOf(node, dropped)) };
}

function isOneOf(node: XmlNode, names: ReadonlySet<string>): boolean {
  return typeof node !== 'string' && names.has(node.name);
}

function devices(root: XmlElement, kind: string): XmlElement[] {
  const parent = child(root, 'devices');
  return parent ? childrenOf(parent, kind) : [];
}

function agentTarget(root: XmlElement): Readonly<Record<string, string>> | undefined {
  return devices(root, 'channel')
    .map((channel) => child(channel, 'target')?.attributes)
    .find((target) => target?.type === 'virtio' && target.name === AGENT_CHANNEL);
}

function metadataOf(root: XmlElement): DomainDocument['metadata'] {
  const holder = child(root, 'metadata');
  if (!holder) return [];
  return childrenOf(holder).map((found) => ({ uri: namespaceOf(found, holder, root) ?? '', element: found }));
}
