// `<diskSnapshot>` inside `<disk>`, as the proposal has it: defined with the domain, shown in its XML, changed with the disk.
import {
  Connection,
  type Domain,
  DomainMetadataType,
  DomainModificationImpact,
  DomainXMLFlags,
  ErrorNumber,
  LibvirtError,
} from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { child, childrenOf, element, formatXml, parseXml, type XmlElement, XmlError } from '../../xml/document';
import { type DomainDisk, type DomainDocument, readDisk, readDomain } from '../../xml/domain';
import { invalidType } from '../argument';
import { DiskSnapshotError } from '../errors';
import { checkCallOptions, facade, signalOf, translate } from '../facade';
import { layersOf } from '../images/users';
import { withClaim } from '../records/claim';
import { journalOf, lastingRecord } from '../records/journal';
import { NAMESPACE } from './element';
import {
  joinDisk,
  POLICY_PREFIX,
  POLICY_URI,
  type Policies,
  policiesOf,
  policyElement,
  splitDisk,
} from './policy-metadata';
import { isSameDisk, onlyNames } from './same-disk';

// ---- define -----------------------------------------------------------------------------------------------------------

/**
 * Defines a domain whose `<disk>` elements may hold `<diskSnapshot>`: the method that a snapshot of this disk takes where
 * the call names none. libvirt would drop the element; it is kept in the domain's metadata.
 *
 * As in libvirt, the XML is the whole definition: a disk without the element has no method of its own afterwards, and
 * metadata of others is what the XML says. Only the records of disk snapshots are kept as they are now, so that a
 * definition that was read before a snapshot does not forget it. A guest that runs goes on as it is until its next start;
 * {@link updateDisk} changes what it goes by now.
 *
 * virDomainDefineXML.
 *
 * @throws TypeError
 * @throws DiskSnapshotError before libvirt is called: INVALID_XML, METHOD_UNKNOWN (nobody registered a plug-in's method);
 * IN_USE (a disk on what a snapshot keeps, as in a definition older than the snapshot); OPERATION_IN_PROGRESS while a
 * snapshot is made or deleted on this domain
 * @example
 * const dom = await defineDomain(conn, xml.replace('</disk>', "<diskSnapshot method='qemu'/></disk>"));
 */
export async function defineDomain(conn: Connection, xml: string, options: CallOptions = {}): Promise<Domain> {
  if (!(conn instanceof Connection)) throw invalidType('conn', 'a Connection', conn);
  if (typeof xml !== 'string') throw invalidType('xml', 'a string', xml);
  checkCallOptions(options, 'defineDomain');
  const signal = signalOf(options);
  signal?.throwIfAborted();
  const call = signal ? { signal } : {};
  const { document, policies } = readDefinition(xml);
  const definition = withMetadata(document.root, (uri) => uri === POLICY_URI, [policyElement(policies)]);
  try {
    const existing = document.uuid === null ? null : await lookUp(conn, document.uuid, call);
    if (!existing) return await conn.domainDefineXML(formatXml(definition), call);
    return await withClaim(existing, 'define', call, async () => {
      const now = await definitionOf(existing, call);
      refuseImmutable(document.name, document.disks, now);
      signal?.throwIfAborted();
      // From here on it is finished, whatever the signal says.
      const records = now.metadata.map((record) => record.element);
      return conn.domainDefineXML(formatXml(withMetadata(definition, isRecord, records)));
    });
  } catch (error) {
    throw translate(error, { guest: document.name });
  }
}

/** What the XML says inline counts; metadata that came with it says the rest. */
function readDefinition(xml: string): { document: DomainDocument; policies: Policies } {
  try {
    const written = readDomain(xml);
    const policies = new Map(policiesOf(written));
    const root = withDisks(written.root, (disk, ancestors) => {
      const { rest, policy } = splitDisk(disk, written.name, ancestors);
      const target = child(disk, 'target')?.attributes.dev;
      if (policy && target !== undefined) policies.set(target, policy);
      return rest;
    });
    return { document: { ...written, root }, policies };
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new DiskSnapshotError('INVALID_XML', `The domain XML is not accepted: ${error.message}`, { cause: error });
  }
}

async function lookUp(conn: Connection, uuid: string, call: CallOptions): Promise<Domain | null> {
  try {
    return await conn.domainLookupByUUIDString(uuid, call);
  } catch (error) {
    if (error instanceof LibvirtError && error.code === ErrorNumber.NO_DOMAIN) return null;
    throw error;
  }
}

const isRecord = (uri: string): boolean => uri.startsWith(`${NAMESPACE}:`) && uri !== POLICY_URI;

/**
 * The present definition, with the records of both copies as its only metadata: where one has lost a record, the other
 * still has it, and what a running guest has is the newer.
 */
async function definitionOf(domain: Domain, call: CallOptions): Promise<DomainDocument> {
  const inactive = readDomain(await domain.getXMLDesc({ ...call, flags: DomainXMLFlags.INACTIVE }));
  const live = readDomain(await domain.getXMLDesc(call));
  const records = [...inactive.metadata, ...live.metadata].filter(({ uri }) => isRecord(uri)).map(lastingRecord);
  return { ...inactive, metadata: [...new Map(records.map((record) => [record.uri, record])).values()] };
}

/** An old definition names what is by now the immutable state of a snapshot: the guest would write into it. */
function refuseImmutable(guest: string, wanted: readonly DomainDisk[], now: DomainDocument): void {
  for (const { set, state } of layersOf(journalOf(now).sets)) {
    const onBase = (disk: DomainDisk) => !disk.readonly && !state.deleting && disk.sourcePath === state.base.path;
    const disk = wanted.find(onBase);
    if (!disk || now.disks.some((one) => one.target === disk.target && onBase(one))) continue;
    throw new DiskSnapshotError(
      'IN_USE',
      `${guest}: disk ${disk.target} cannot be defined on ${state.base.path}: that is the state which snapshot ` +
        `${set.name} keeps, and the guest would write into it. Define the disk on what it uses now, or delete the snapshot first`,
      { guest, disk: disk.target, snapshot: set.name },
    );
  }
}

// ---- describe ---------------------------------------------------------------------------------------------------------

/**
 * The domain's XML with each disk's `<diskSnapshot>` inside its `<disk>`. What {@link defineDomain} takes, this gives back.
 *
 * The metadata where they are kept is not shown, nor is who works on the domain at this moment. The records of disk
 * snapshots are shown, so that a definition that is carried to another host takes them along.
 *
 * virDomainGetXMLDesc.
 *
 * @param options.inactive what the guest will start from; else, of a guest that runs, what it runs on
 * @param options.secure with passwords; a read-only connection may not
 * @throws DiskSnapshotError NOT_FOUND, PERMISSION_DENIED
 */
export function describeDomain(
  dom: Domain,
  options: CallOptions & { inactive?: boolean; secure?: boolean } = {},
): Promise<string> {
  return facade(dom, options, 'describeDomain', async ({ inactive, secure, ...call }) => {
    checkBooleans({ inactive, secure });
    const flags = [...(inactive ? [DomainXMLFlags.INACTIVE] : []), ...(secure ? [DomainXMLFlags.SECURE] : [])];
    const document = readDomain(await dom.getXMLDesc({ ...call, flags }));
    const policies = policiesOf(document);
    const shown = withDisks(document.root, (disk) => joinDisk(disk, policies));
    const isHidden = (uri: string) => uri === POLICY_URI || uri.startsWith(`${NAMESPACE}:claim:`);
    return `${formatXml(withMetadata(shown, isHidden, []), { indent: '  ' })}\n`;
  });
}

// ---- update -----------------------------------------------------------------------------------------------------------

/** One of the two definitions of a domain: what it runs on, and what it will start from. */
interface Copy {
  impact: number;
  xml: number;
}
const LIVE: Copy = { impact: DomainModificationImpact.LIVE, xml: 0 };
const CONFIG: Copy = { impact: DomainModificationImpact.CONFIG, xml: DomainXMLFlags.INACTIVE };

/**
 * Changes a disk: its `<diskSnapshot>` becomes that of the XML, or goes where the XML has none; and the rest of the XML,
 * where it differs from what is there, goes to virDomainUpdateDeviceFlags. XML that holds nothing but
 * `<target dev='…'/>` beside the element changes the element alone.
 *
 * @param options.live change what the guest runs on
 * @param options.config change what it will start from. Neither: as libvirt's AFFECT_CURRENT, what the guest runs on if it
 * runs, else what it will start from; pass both for a change that holds now and after the next start.
 * @throws DiskSnapshotError before anything is touched: INVALID_XML, METHOD_UNKNOWN, DISK_NOT_FOUND, INVALID_ARGUMENT (a
 * copy that the domain does not have), OPERATION_IN_PROGRESS; OPERATION_FAILED with what libvirt said
 * @example
 * await updateDisk(dom, "<disk><target dev='vda'/><diskSnapshot method='btrfs'/></disk>", { live: true, config: true });
 */
export function updateDisk(
  dom: Domain,
  diskXml: string,
  options: CallOptions & { live?: boolean; config?: boolean } = {},
): Promise<void> {
  return facade(dom, options, 'updateDisk', async ({ live, config, signal }) => {
    if (typeof diskXml !== 'string') throw invalidType('diskXml', 'a string', diskXml);
    checkBooleans({ live, config });
    const call = signal ? { signal } : {};
    const { rest, policy, target } = readDiskXml(dom.getName(), diskXml);
    await withClaim(dom, 'update', call, async () => {
      const copies = await copiesOf(dom, { live, config }, call);
      const found: { copy: Copy; document: DomainDocument }[] = [];
      for (const copy of copies)
        found.push({ copy, document: readDomain(await dom.getXMLDesc({ ...call, flags: copy.xml })) });
      const isNews = found.map(({ document }) => differs(document, target, rest)).includes(true);
      if (isNews) for (const { document } of found) refuseImmutable(document.name, [readDisk(rest)], document);
      signal?.throwIfAborted();
      // From here on it is finished, whatever the signal says.
      if (isNews)
        await dom.updateDeviceFlags(
          formatXml(rest),
          copies.reduce((sum, { impact }) => sum | impact, 0),
        );
      try {
        for (const { copy, document } of found) await writePolicy(dom, copy, policiesOf(document), target, policy);
      } catch (error) {
        // The device may have changed, and one of the two copies: what is true now has to be looked at.
        throw translate(error, { guest: dom.getName(), disk: target, outcome: 'unknown' });
      }
    });
  });
}

function readDiskXml(guest: string, xml: string): { rest: XmlElement; policy: XmlElement | null; target: string } {
  const invalid = (why: string, cause?: unknown) =>
    new DiskSnapshotError('INVALID_XML', `${guest}: the <disk> XML is not accepted: ${why}`, { guest, cause });
  let disk: XmlElement;
  try {
    disk = parseXml(xml);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw invalid(error.message, error);
  }
  if (disk.name !== 'disk') throw invalid(`<${disk.name}> is no <disk>`);
  const target = child(disk, 'target')?.attributes.dev;
  if (!target) throw invalid("it has no <target dev='…'/>");
  return { ...splitDisk(disk, guest), target };
}

async function copiesOf(
  domain: Domain,
  { live, config }: { live: boolean | undefined; config: boolean | undefined },
  call: CallOptions,
): Promise<Copy[]> {
  const [active, persistent] = await Promise.all([domain.isActive(call), domain.isPersistent(call)]);
  if (!live && !config) return [active ? LIVE : CONFIG];
  const guest = domain.getName();
  const absent =
    live && !active ? 'is off: leave out live' : config && !persistent ? 'is transient: leave out config' : null;
  if (absent !== null) throw new DiskSnapshotError('INVALID_ARGUMENT', `${guest} ${absent}`, { guest });
  return [...(live ? [LIVE] : []), ...(config ? [CONFIG] : [])];
}

/** @throws DiskSnapshotError DISK_NOT_FOUND */
function differs(document: DomainDocument, target: string, rest: XmlElement): boolean {
  const current = document.disks.find((disk) => disk.target === target);
  if (current) return !onlyNames(rest) && !isSameDisk(rest, current.element);
  const known = document.disks.map((disk) => disk.target).join(', ') || 'none';
  throw new DiskSnapshotError('DISK_NOT_FOUND', `${document.name} has no disk ${target}. It has: ${known}`, {
    guest: document.name,
    disk: target,
  });
}

async function writePolicy(
  domain: Domain,
  { impact }: Copy,
  before: Policies,
  target: string,
  policy: XmlElement | null,
): Promise<void> {
  const now = new Map(before);
  if (policy) now.set(target, policy);
  else if (!now.delete(target)) return;
  const made = policyElement(now);
  const xml = made && formatXml(element('policy', {}, ...made.children)); // libvirt declares the namespace itself
  await domain.setMetadata(DomainMetadataType.ELEMENT, xml, POLICY_PREFIX, POLICY_URI, impact);
}

// ---- the domain's XML ---------------------------------------------------------------------------------------------------

function withDisks(
  root: XmlElement,
  change: (disk: XmlElement, ancestors: readonly XmlElement[]) => XmlElement,
): XmlElement {
  return replaced(root, 'devices', (devices) => replaced(devices, 'disk', (disk) => change(disk, [devices, root])));
}

function replaced(parent: XmlElement, name: string, change: (node: XmlElement) => XmlElement): XmlElement {
  const children = parent.children.map((node) =>
    typeof node !== 'string' && node.name === name ? change(node) : node,
  );
  return element(parent.name, parent.attributes, ...children);
}

/** The domain without the metadata that `drops` names, and with these elements; `<metadata>` goes where nothing is in it. */
function withMetadata(
  root: XmlElement,
  drops: (uri: string) => boolean,
  added: readonly (XmlElement | null)[],
): XmlElement {
  const kept = readDomain(root)
    .metadata.filter(({ uri }) => !drops(uri))
    .map((one) => one.element);
  const elements = [...kept, ...added.filter((one) => one !== null)];
  const [holder] = childrenOf(root, 'metadata');
  const others = root.children.filter((node) => node !== holder);
  if (elements.length === 0) return element(root.name, root.attributes, ...others);
  const metadata = element('metadata', holder?.attributes ?? {}, ...elements);
  const at = holder ? root.children.indexOf(holder) : others.length;
  return element(root.name, root.attributes, ...others.slice(0, at), metadata, ...others.slice(at));
}

function checkBooleans(options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && typeof value !== 'boolean') throw invalidType(`options.${name}`, 'a boolean', value);
  }
}
