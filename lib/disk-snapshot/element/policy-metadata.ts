// The `<diskSnapshot>` elements of a domain's disks. libvirt drops elements that it does not know, so they lie in the
// domain's metadata: one element with one entry per target,
//
//     <ds:policy xmlns:ds='urn:libvirt-disksnapshot:1:policy'>
//       <disk target='vda'><diskSnapshot method='qemu'/></disk>
//     </ds:policy>
//
// each kept as it was written: what a plug-in's attributes, elements, text and their order mean, only the plug-in knows.
import { child, childrenOf, element, localName, namespaceOf, type XmlElement } from '../../xml/document';
import type { DomainDocument } from '../../xml/domain';
import { DiskSnapshotError, messageOf } from '../errors';
import { methodNamed } from '../methods/registry';
import type { Method } from '../types';
import { NAMESPACE, pluginElement, readMethod } from './element';
import { complaint, formOf, type MethodSubject } from './method-form';

export const POLICY_URI = `${NAMESPACE}:policy`;
/** Of the prefix in the metadata, by which libvirt asks to be told apart from others. */
export const POLICY_PREFIX = 'ds';

/** `<diskSnapshot>` elements by target. Entries of disks that are gone may be among them. */
export type Policies = ReadonlyMap<string, XmlElement>;

/** What is kept in the domain's metadata, unchecked: anybody may have written there. */
export function policiesOf(document: DomainDocument): Policies {
  const found = document.metadata.find(({ uri }) => uri === POLICY_URI);
  const policies = new Map<string, XmlElement>();
  for (const entry of found ? childrenOf(asWritten(found.element), 'disk') : []) {
    const [policy] = childrenOf(entry);
    const { target } = entry.attributes;
    if (target !== undefined && policy && !policies.has(target)) policies.set(target, policy);
  }
  return policies;
}

/** virDomainSetMetadata puts every element that has no namespace into that of the whole: out of it again. */
function asWritten(node: XmlElement, ancestors: readonly XmlElement[] = []): XmlElement {
  const name = namespaceOf(node, ...ancestors) === POLICY_URI ? localName(node) : node.name;
  const children = node.children.map((part) =>
    typeof part === 'string' ? part : asWritten(part, [node, ...ancestors]),
  );
  return element(name, node.attributes, ...children);
}

/** The element for the metadata; null where there is nothing to keep. */
export function policyElement(policies: Policies): XmlElement | null {
  if (policies.size === 0) return null;
  const entries = [...policies].map(([target, policy]) => element('disk', { target }, policy));
  return element(`${POLICY_PREFIX}:policy`, { [`xmlns:${POLICY_PREFIX}`]: POLICY_URI }, ...entries);
}

/**
 * The method that the domain itself names for a disk, or null where it names none.
 *
 * @throws DiskSnapshotError INVALID_XML where its entry cannot be read: to go on by another method is not ours to decide
 */
export function policyOf(document: DomainDocument, target: string): Method | null {
  const policy = policiesOf(document).get(target);
  return policy ? readMethod(policy, { guest: document.name, disk: target }) : null;
}

/**
 * A `<disk>` without its `<diskSnapshot>`, and that element, checked and with the namespaces that it needs, so that it can
 * stand elsewhere. An element of that name in somebody else's namespace is not touched.
 *
 * @param ancestors of the `<disk>`, the nearest first
 * @throws DiskSnapshotError INVALID_XML; METHOD_UNKNOWN where nobody registered its method
 */
export function splitDisk(
  disk: XmlElement,
  guest: string | undefined,
  ancestors: readonly XmlElement[] = [],
): { rest: XmlElement; policy: XmlElement | null } {
  const above = [disk, ...ancestors];
  const found = childrenOf(disk).filter((one) => isPolicy(one, above));
  const [inline] = found;
  if (!inline) return { rest: disk, policy: null };
  const subject = { guest, disk: child(disk, 'target')?.attributes.dev };
  const complain = complaint('INVALID_XML', subject);
  if (subject.disk === undefined) throw complain("a <disk> with a <diskSnapshot> has no <target dev='…'/>");
  if (found.length > 1) throw complain('<diskSnapshot> is repeated: a disk has one');
  const policy = selfContained(inline, above);
  checkPolicy(policy, subject);
  const children = disk.children.filter((node) => node !== inline);
  return { rest: element(disk.name, disk.attributes, ...children), policy };
}

/** In a domain the element may stand without a namespace. */
function isPolicy(node: XmlElement, ancestors: readonly XmlElement[]): boolean {
  if (localName(node) !== 'diskSnapshot') return false;
  const uri = namespaceOf(node, ...ancestors);
  return uri === NAMESPACE || (uri === null && !node.name.includes(':'));
}

/** The `<disk>` with its `<diskSnapshot>` shown inside. */
export function joinDisk(disk: XmlElement, policies: Policies): XmlElement {
  const target = child(disk, 'target')?.attributes.dev;
  const policy = target === undefined ? undefined : policies.get(target);
  return policy ? element(disk.name, disk.attributes, ...disk.children, policy) : disk;
}

function checkPolicy(policy: XmlElement, subject: MethodSubject): void {
  const method = readMethod(policy, subject);
  if (formOf(method.method)) return;
  const plugin = methodNamed(method.method);
  if (!plugin) {
    const complain = complaint('METHOD_UNKNOWN', subject);
    throw complain(
      `nobody registered a method ${JSON.stringify(method.method)}. Register it with registerSnapshotMethod() first`,
    );
  }
  const written = pluginElement(method);
  if (written === null) return;
  try {
    plugin.parse(written);
  } catch (error) {
    if (error instanceof DiskSnapshotError) throw error;
    const why = messageOf(error);
    const complain = complaint('INVALID_XML', subject);
    throw complain(`method ${method.method} does not accept its <diskSnapshot>: ${why}`, asError(error));
  }
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** Declares what the element's names need and only its ancestors declare. */
function selfContained(node: XmlElement, ancestors: readonly XmlElement[]): XmlElement {
  const attributes = { ...node.attributes };
  for (const prefix of prefixesOf(node)) {
    const declaration = prefix === '' ? 'xmlns' : `xmlns:${prefix}`;
    const holder = [node, ...ancestors].find((one) => one.attributes[declaration] !== undefined);
    const uri = holder?.attributes[declaration];
    if (uri) attributes[declaration] = uri;
  }
  return element(node.name, attributes, ...node.children);
}

function prefixesOf(node: XmlElement): Set<string> {
  const prefixOf = (name: string) => name.slice(0, Math.max(0, name.indexOf(':')));
  const inAttributes = Object.keys(node.attributes)
    .map(prefixOf)
    .filter((prefix) => prefix !== '' && prefix !== 'xmlns' && prefix !== 'xml');
  return new Set([
    prefixOf(node.name),
    ...inAttributes,
    ...childrenOf(node).flatMap((inner) => [...prefixesOf(inner)]),
  ]);
}
