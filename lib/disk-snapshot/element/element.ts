// `<diskSnapshot method='…'>` and the object that stands for it: read, checked and built.
//
// What each built-in method takes, `method-form` knows. Other names are those of plug-ins, whose elements are kept as they are
// for the plug-in's own `parse`.
import {
  childrenOf,
  element,
  formatXml,
  localName,
  namespaceOf,
  parseXml,
  textOf,
  type XmlElement,
  XmlError,
} from '../../xml/document';
import { invalidType } from '../argument';
import type { Method, MethodElement } from '../types';
import {
  type Complain,
  checkMethod,
  checkMethodName,
  complaint,
  type Field,
  type Form,
  faultOf,
  formOf,
  isSize,
  type MethodSubject,
} from './method-form';

/** Of the element, where it has a namespace at all: inline in a domain it may stand without. */
export const NAMESPACE = 'urn:libvirt-disksnapshot:1';

/** A plug-in's method as XML: its data is still in the element. As a plain object, so that it survives JSON. */
export interface PluginMethod {
  method: string;
  element: MethodElement;
}

// ---- reading ----------------------------------------------------------------------------------------------------------

/**
 * The method that a caller means by a name (`'qemu'`), an element (`"<diskSnapshot method='qemu'/>"`) or an object, checked.
 *
 * A method that is not built in is passed on: whether a plug-in by that name exists, its registry knows. Its element, if it
 * was XML, is the member `element`; see {@link pluginElement}.
 *
 * @throws TypeError, RangeError for a member of the wrong JavaScript type, or a number that is no size
 * @throws DiskSnapshotError INVALID_XML, INVALID_ARGUMENT naming the culprit
 */
export function elementOf(method: string | Method, subject: MethodSubject = {}): Method {
  if (typeof method === 'string') {
    return method.trimStart().startsWith('<') ? readMethod(method, subject) : checkMethod({ method }, subject);
  }
  if (typeof method !== 'object' || method === null || Array.isArray(method)) {
    throw invalidType('method', 'a name, <diskSnapshot> XML or an object', method);
  }
  return checkMethod(method, subject);
}

/**
 * Reads `<diskSnapshot>`, as text or as part of a larger document. Every part of it is optional but `method`:
 *
 *     <diskSnapshot method='qemu' mode='external'>      a new overlay; mode='external' is the default
 *       <driver type='qcow2'/>
 *       <source file='/images/web.monday'/>
 *     </diskSnapshot>
 *     <diskSnapshot method='qemu' mode='internal'/>     inside the qcow2 image
 *     <diskSnapshot method='lvm'>                       a logical volume, if not the disk's own; the snapshot's own space
 *       <device path='/dev/vg0/web'/>
 *       <cow bytes='1073741824'/>
 *     </diskSnapshot>
 *     <diskSnapshot method='btrfs'>                     a clone of the file; 'reflink' for XFS, the same
 *       <source file='/images/web.monday'/>
 *     </diskSnapshot>
 *     <diskSnapshot method='rbd'/>
 *     <diskSnapshot method='acme'><volume id='17'/></diskSnapshot>     a plug-in's, with whatever it reads
 *
 * The element may stand in the namespace `urn:libvirt-disksnapshot:1` or in none; ancestors (the nearest first) are those
 * that may declare its prefix.
 *
 * @throws DiskSnapshotError INVALID_XML
 */
export function readMethod(
  xml: string | XmlElement,
  subject: MethodSubject = {},
  ancestors: readonly XmlElement[] = [],
): Method {
  const root = typeof xml === 'string' ? parse(xml, subject) : xml;
  const complain = complaint('INVALID_XML', subject);
  if (localName(root) !== 'diskSnapshot' || !isOurs(root, ancestors)) {
    throw complain(`expected a <diskSnapshot> element, found <${root.name}>`);
  }
  const { method } = root.attributes;
  if (method === undefined) throw complain(`<${root.name}> lacks its method: <diskSnapshot method='qemu'/>`);
  const form = formOf(method);
  if (form) return readFields(method, form, root, ancestors, complain);
  checkMethodName(method, complain);
  return { method, element: methodElement(root) } satisfies PluginMethod;
}

function parse(xml: string, subject: MethodSubject): XmlElement {
  try {
    return parseXml(xml);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw complaint('INVALID_XML', subject)(`the <diskSnapshot> XML is not well-formed: ${error.message}`, error);
  }
}

function readFields(
  method: string,
  form: Form,
  root: XmlElement,
  ancestors: readonly XmlElement[],
  complain: Complain,
): Method {
  const values: Record<string, unknown> = {};
  const take = (holder: XmlElement, child: string | null): void => {
    if (textOf(holder).trim() !== '') throw complain(`<${holder.name}> of method ${method} takes no text`);
    for (const [attribute, text] of Object.entries(holder.attributes)) {
      if (attribute === 'xmlns' || attribute.startsWith('xmlns:')) continue;
      if (holder === root && attribute === 'method') continue;
      const field = form.fields.find((one) => one.child === child && one.attribute === attribute);
      if (!field) throw complain(`<${holder.name}> of method ${method} takes no attribute '${attribute}'`);
      values[field.member] = readValue(field, text, `${attribute}='${text}' of <${holder.name}>`, complain);
    }
  };

  take(root, null);
  const seen = new Set<string>();
  for (const child of childrenOf(root)) {
    const name = localName(child);
    const fields = form.fields.filter((field) => field.child === name);
    if (fields.length === 0 || !isOurs(child, [root, ...ancestors])) {
      throw complain(`method ${method} takes no <${child.name}>${takes(form)}`);
    }
    if (seen.has(name)) throw complain(`<${child.name}> is repeated: method ${method} takes one`);
    seen.add(name);
    if (childrenOf(child).length > 0) throw complain(`<${child.name}> of method ${method} takes no elements`);
    take(child, name);
    const missing = fields.find(({ member }) => values[member] === undefined);
    if (missing) throw complain(`<${child.name}> of method ${method} lacks its attribute '${missing.attribute}'`);
  }
  const conflict = form.conflict?.(values);
  if (conflict) throw complain(conflict);
  return { method, ...values };
}

function takes(form: Form): string {
  const children = form.fields.filter(({ child }) => child !== null);
  return children.length > 0 ? `; it takes ${children.map(({ child }) => `<${child}>`).join(', ')}` : '';
}

function readValue({ kind }: Field, text: string, where: string, complain: Complain): unknown {
  if (kind === 'bytes') {
    const bytes = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!isSize(bytes)) throw complain(`${where} is no size: write a whole number of bytes, at least 1`);
    return bytes;
  }
  const fault = faultOf(kind, text);
  if (fault) throw complain(`${where} ${fault}`);
  return text;
}

function isOurs(node: XmlElement, ancestors: readonly XmlElement[]): boolean {
  const uri = namespaceOf(node, ...ancestors);
  return uri === NAMESPACE || (uri === null && !node.name.includes(':'));
}

// ---- plug-ins -------------------------------------------------------------------------------------------------------------

/** What a plug-in's `parse` is to read; null where the method was given as an object, whose members are its data. */
export function pluginElement(method: Method): MethodElement | null {
  if (formOf(method.method) || !('element' in method)) return null;
  const { element: found } = method;
  return isMethodElement(found) ? found : null;
}

function isMethodElement(value: unknown): value is MethodElement {
  return typeof value === 'object' && value !== null && 'xml' in value && 'attributes' in value && 'children' in value;
}

function methodElement(root: XmlElement): MethodElement {
  return {
    attributes: { ...root.attributes },
    children: childrenOf(root).map((child) => ({
      name: child.name,
      attributes: { ...child.attributes },
      text: textOf(child),
      xml: formatXml(child),
    })),
    xml: formatXml(root),
  };
}

// ---- building -------------------------------------------------------------------------------------------------------------

/**
 * The element for a method, which `readMethod` reads back as the same object.
 *
 * @throws DiskSnapshotError INVALID_ARGUMENT also for a plug-in's method that was given as an object: how its data would be
 * written, nobody knows
 */
export function buildMethod(method: Method, subject: MethodSubject = {}): XmlElement {
  const checked = checkMethod(method, subject);
  const form = formOf(checked.method);
  if (!form) {
    const found = pluginElement(checked);
    if (found) return parse(found.xml, subject);
    if (Object.keys(checked).length === 1) return element('diskSnapshot', { method: checked.method });
    throw complaint(
      'INVALID_ARGUMENT',
      subject,
    )(`method ${checked.method} is a plug-in's, whose data have no known form in XML: pass its <diskSnapshot> element`);
  }
  const values = new Map(Object.entries(checked));
  const root = element('diskSnapshot', { method: checked.method });
  for (const { member, child, attribute } of form.fields) {
    const value = values.get(member);
    if (value === undefined) continue;
    if (child === null) root.attributes[attribute] = String(value);
    else root.children.push(element(child, { [attribute]: String(value) }));
  }
  return root;
}
