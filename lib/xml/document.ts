/**
 * XML as a small tree of elements and strings, in order: the only way this package reads XML, and the only way it writes it.
 *
 * fast-xml-parser makes the tree, once `well-formed` has vouched for the text. Writing is our own: the package's builder
 * leaves tabs and line ends of attribute values as they are, and a reader turns those into spaces.
 */
import { XMLParser } from 'fast-xml-parser';
import { XmlError } from './error';
import { checkWellFormed, decodeReferences, forbiddenCharacter, isName, MAX_DEPTH, type Range } from './well-formed';

export { XmlError } from './error';

/** Names keep their prefix as written; `namespaceOf` resolves it. */
export interface XmlElement {
  name: string;
  /** Without prototype, so that no lookup finds a member of Object. */
  attributes: Record<string, string>;
  children: XmlNode[];
}
export type XmlNode = XmlElement | string;

/** A new element; attributes that are undefined are left out. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>> = {},
  ...children: readonly XmlNode[]
): XmlElement {
  const kept: Record<string, string> = Object.create(null);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) kept[key] = String(value);
  return { name, attributes: kept, children: [...children] };
}

// ---- reading -----------------------------------------------------------------------------------------------------------

// A mark before each name that no XML name can begin with: fast-xml-parser keeps names as keys of objects, and would refuse or
// rename <constructor>, <toString> and the like. It transforms the name of an empty tag twice.
const MARK = '-';
const TEXT = '#text';
const CDATA = '#cdata';
const ATTRIBUTES = ':@';

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: MARK,
  transformTagName: (name) => (name.startsWith(MARK) ? name : MARK + name),
  textNodeName: TEXT,
  cdataPropName: CDATA,
  ignoreDeclaration: true,
  trimValues: false,
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  maxNestedTags: MAX_DEPTH + 1,
  jPath: false,
});

/** What fast-xml-parser makes of a node under `preserveOrder`: one key for the name, one for the attributes. */
type ParsedNode = Record<string, unknown>;

/**
 * The root element of a document. Comments are dropped, CDATA becomes text, and white space between elements goes, unless the
 * element that holds it holds other text too. Line ends and attribute values are normalized as XML 1.0 says. What lies in a
 * domain's metadata is somebody else's: `formatXml` writes it with its comments and CDATA sections.
 * @throws XmlError with line and column: anything but one well-formed element; a DOCTYPE, a processing instruction or an
 * entity that is not predefined; more than 256 levels; more than 8 Mi characters.
 */
export function parseXml(text: string): XmlElement {
  const content = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const grandchildren = checkWellFormed(content);
  const nodes: ParsedNode[] = parser.parse(content);
  const root = nodes.map(toNode).find((node) => typeof node !== 'string');
  if (!root) throw new XmlError('there is no element');
  keepMetadata(root, content, grandchildren);
  return root;
}

/** Metadata with comments and CDATA sections, which the tree does not hold: it is written as it was read. */
const asRead = new WeakMap<XmlElement, string>();

function keepMetadata(root: XmlElement, text: string, grandchildren: readonly Range[]): void {
  const inside = childrenOf(root).flatMap((parent) => childrenOf(parent).map((node) => ({ parent, node })));
  for (const [at, { parent, node }] of inside.entries()) {
    const written = text.slice(...(grandchildren[at] ?? [0, 0]));
    if (parent.name === 'metadata' && written.includes('<!')) asRead.set(node, written);
  }
}

function toNode(node: ParsedNode): XmlNode {
  if (TEXT in node) return decodeReferences(String(node[TEXT]));
  if (CDATA in node)
    return childNodes(node[CDATA])
      .map((part) => String(part[TEXT]))
      .join('');
  const key = Object.keys(node).find((name) => name !== ATTRIBUTES) ?? '';
  const made = element(key.slice(MARK.length));
  for (const [name, value] of Object.entries(node[ATTRIBUTES] ?? {})) {
    made.attributes[name.slice(MARK.length)] = decodeReferences(String(value).replace(/[\t\n]/g, ' '));
  }
  made.children = withoutIndentation(joined(childNodes(node[key]).map(toNode)));
  return made;
}

function childNodes(value: unknown): ParsedNode[] {
  return Array.isArray(value) ? value : [];
}

/** Text, CDATA and text again are one string. */
function joined(nodes: readonly XmlNode[]): XmlNode[] {
  const result: XmlNode[] = [];
  for (const node of nodes) {
    const last = result.at(-1);
    if (node === '') continue;
    if (typeof node === 'string' && typeof last === 'string') result[result.length - 1] = last + node;
    else result.push(node);
  }
  return result;
}

function withoutIndentation(nodes: XmlNode[]): XmlNode[] {
  const elements = nodes.filter((node) => typeof node !== 'string');
  const blank = nodes.every((node) => typeof node !== 'string' || /^[ \t\r\n]*$/.test(node));
  return elements.length > 0 && blank ? elements : nodes;
}

// ---- writing -----------------------------------------------------------------------------------------------------------

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/**
 * XML text that `parseXml` reads back as the same tree. On one line by default; `indent` (such as two spaces) puts each element
 * on a line of its own, except within elements that hold text.
 * @throws XmlError for a name, or a control character or lone surrogate, that XML 1.0 cannot hold; more than 256 levels.
 */
export function formatXml(root: XmlElement, options: { indent?: string } = {}): string {
  return formatElement(root, options.indent ?? '', '', 1);
}

function formatElement(node: XmlElement, indent: string, margin: string, depth: number): string {
  if (depth > MAX_DEPTH) throw new XmlError(`more than ${MAX_DEPTH} elements stand inside each other`);
  if (!isName(node.name)) throw new XmlError(`${JSON.stringify(node.name)} is no name of an XML element`);
  const read = asRead.get(node);
  if (read !== undefined) return read;
  const attributes = Object.entries(node.attributes).map(([key, value]) => {
    if (!isName(key)) throw new XmlError(`${JSON.stringify(key)} is no name of an XML attribute`);
    return ` ${key}='${escapeText(value, /[&<>'\t\n\r]/g, `the attribute '${key}' of <${node.name}>`)}'`;
  });
  const tag = `<${node.name}${attributes.join('')}`;
  const children = node.children.filter((child) => child !== '');
  if (children.length === 0) return `${tag}/>`;

  const mixed = children.some((child) => typeof child === 'string');
  const inner = mixed ? '' : indent;
  const lineBreak = inner === '' ? '' : `\n${margin}`;
  const content = children.map((child) =>
    typeof child === 'string'
      ? escapeText(child, /[&<>\r]/g, `the text of <${node.name}>`)
      : lineBreak + inner + formatElement(child, inner, margin + inner, depth + 1),
  );
  return `${tag}>${content.join('')}${lineBreak}</${node.name}>`;
}

function escapeText(text: string, special: RegExp, where: string): string {
  const forbidden = forbiddenCharacter(text);
  if (forbidden) throw new XmlError(`${where} holds ${forbidden.description}, which XML cannot hold`);
  return text.replace(special, (character) => ESCAPES[character] ?? character);
}

// ---- looking -----------------------------------------------------------------------------------------------------------

/** The element children, all or those of one name (as written, with its prefix). */
export function childrenOf(parent: XmlElement, name?: string): XmlElement[] {
  return parent.children.filter(
    (child): child is XmlElement => typeof child !== 'string' && (name === undefined || child.name === name),
  );
}

/** The first element at a path of names below `parent`: `child(domain, 'os', 'type')`. */
export function child(parent: XmlElement, ...path: readonly string[]): XmlElement | undefined {
  let found: XmlElement | undefined = parent;
  for (const name of path) found = found && childrenOf(found, name)[0];
  return found;
}

/** The text directly inside an element, without that of the elements in it; '' where there is none. */
export function textOf(node: XmlElement | undefined): string {
  return node?.children.filter((part) => typeof part === 'string').join('') ?? '';
}

/** The name without its prefix. */
export function localName(node: XmlElement): string {
  return node.name.slice(node.name.indexOf(':') + 1);
}

/** The URI that the element's prefix, or lack of one, stands for; null for none. Ancestors: the nearest first. */
export function namespaceOf(node: XmlElement, ...ancestors: readonly XmlElement[]): string | null {
  const colon = node.name.indexOf(':');
  const declaration = colon < 0 ? 'xmlns' : `xmlns:${node.name.slice(0, colon)}`;
  const scope = [node, ...ancestors].find((one) => one.attributes[declaration] !== undefined);
  return scope?.attributes[declaration] || null;
}
