// Whether `<disk>` XML asks for anything that is not so already: a call that changes nothing may be refused by a driver
// that cannot change it.
import { childrenOf, element, formatXml, type XmlElement } from '../../xml/document';

/** What libvirt adds by itself. XML without them leaves them as they are. */
const ADDED: ReadonlySet<string> = new Set(['address', 'backingStore']);
/** Of one running QEMU, and nobody's to choose. */
const RUNTIME: ReadonlySet<string> = new Set(['alias']);

/** Says no more than which disk it is: `<disk><target dev='vda'/></disk>`. */
export function onlyNames(disk: XmlElement): boolean {
  const [target, ...others] = childrenOf(disk);
  return Object.keys(disk.attributes).length === 0 && others.length === 0 && target?.name === 'target';
}

/** @param current as libvirt shows it */
export function isSameDisk(wanted: XmlElement, current: XmlElement): boolean {
  const named = (disk: XmlElement) => new Set(childrenOf(disk).map(({ name }) => name));
  const [here, there] = [named(wanted), named(current)];
  const counts = ({ name }: XmlElement) =>
    !RUNTIME.has(name) && (!ADDED.has(name) || (here.has(name) && there.has(name)));
  const defaults = { type: 'file', device: 'disk' };
  const facts = (disk: XmlElement) =>
    canonical(element('disk', { ...defaults, ...disk.attributes }, ...childrenOf(disk).filter(counts)));
  return facts(wanted) === facts(current);
}

/** The same text for the same facts, in whatever order they were written. */
function canonical(node: XmlElement): string {
  return formatXml(sorted(node));
}

function sorted(node: XmlElement): XmlElement {
  const attributes = Object.entries(node.attributes)
    .filter(([name]) => !(node.name === 'source' && name === 'index'))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const children = node.children.map((part) => (typeof part === 'string' ? part.trim() : sorted(part)));
  const order = (part: XmlElement | string) => (typeof part === 'string' ? part : formatXml(part));
  children.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return element(node.name, Object.fromEntries(attributes), ...children);
}
