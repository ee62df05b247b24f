/**
 * The strict half of reading XML. fast-xml-parser builds a tree from nearly anything: unmatched tags, two roots, repeated
 * attributes, unknown entities. So every text passes here first, and what this file lets through has one meaning only.
 *
 * Accepted is XML 1.0 with namespaces, less what a document of libvirt never needs and an attacker does: no DOCTYPE, hence no
 * entities but the five predefined ones, and no processing instructions but the declaration.
 */
import { type Position, XmlError } from './error';

/** Longer than libvirt's longest message (4 MiB), so only hostile input meets it. */
export const MAX_LENGTH = 8 * 1024 * 1024;
/** Elements inside each other; libxml2, and so libvirt, stops at the same depth. */
export const MAX_DEPTH = 256;

// The character ranges of `Namespaces in XML`, less U+1680 and U+FEFF, which JavaScript's \s counts as white space.
const NAME_START =
  'A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u02FF\\u0370-\\u037D\\u037F-\\u167F\\u1681-\\u1FFF\\u200C\\u200D\\u2070-\\u218F' +
  '\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFEFE\\uFF00-\\uFFFD\\u{10000}-\\u{EFFFF}';
const PART = `[${NAME_START}][${NAME_START}\\-.0-9\\xB7\\u0300-\\u036F\\u203F\\u2040]*`;
const QNAME = `${PART}(?::${PART})?`;

const WHOLE_NAME = new RegExp(`^${QNAME}$`, 'u');
const NAME = new RegExp(QNAME, 'uy');
const SPACE = /[ \t\r\n]*/y;
const EQUALS = /[ \t\r\n]*=[ \t\r\n]*/y;
const DECLARATION =
  /<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(['"])1\.0\1(?:[ \t\r\n]+(?:encoding|standalone)[ \t\r\n]*=[ \t\r\n]*(?:'[\w.-]*'|"[\w.-]*")){0,2}[ \t\r\n]*\?>/y;
const REFERENCE = /&(?:#x([0-9A-Fa-f]{1,6})|#([0-9]{1,7})|(amp|lt|gt|quot|apos));/y;
const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

const PREDEFINED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** `name` or `prefix:name`. */
export function isName(text: string): boolean {
  return WHOLE_NAME.test(text);
}

/** The first code point that XML 1.0 has no way to write, not even as a reference; null where there is none. */
export function forbiddenCharacter(text: string): { at: number; description: string } | null {
  const found = FORBIDDEN.exec(text);
  if (!found) return null;
  const code = found[0].codePointAt(0) ?? 0;
  const hex = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  return { at: found.index, description: code >= 0xd800 && code <= 0xdfff ? `the lone surrogate ${hex}` : hex };
}

/** Replaces references in text that `checkWellFormed` has passed. */
export function decodeReferences(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(new RegExp(REFERENCE.source, 'g'), (_all, hex?: string, decimal?: string, name?: string) =>
    name !== undefined ? (PREDEFINED[name] ?? '') : String.fromCodePoint(codeOf(hex, decimal)),
  );
}

function codeOf(hex: string | undefined, decimal: string | undefined): number {
  return hex !== undefined ? Number.parseInt(hex, 16) : Number.parseInt(decimal ?? '', 10);
}

/** From where to where, in characters. */
export type Range = readonly [start: number, end: number];

/**
 * @returns where the elements inside the children of the root stand, in order: what a document's tree may be written back with
 * @throws XmlError at the first place where `text` is not one well-formed element
 */
export function checkWellFormed(text: string): Range[] {
  return new Checker(text).document();
}

class Checker {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Range[] {
    const text = this.#text;
    const grandchildren: Range[] = [];
    if (text.length > MAX_LENGTH) throw new XmlError(`the XML is longer than ${MAX_LENGTH} characters`);
    const forbidden = forbiddenCharacter(text);
    if (forbidden) this.#fail(`${forbidden.description} cannot stand in XML`, forbidden.at);
    if (text.startsWith('<?xml') && !this.#take(DECLARATION)) {
      this.#fail("the XML declaration is malformed: write <?xml version='1.0'?> or leave it out");
    }

    const open: { name: string; at: number }[] = [];
    let roots = 0;
    while (this.#at < text.length) {
      const start = this.#at;
      if (text[start] !== '<') {
        this.#characters(open.length > 0);
      } else if (text.startsWith('<!--', start)) {
        this.#comment();
      } else if (text.startsWith('<![CDATA[', start)) {
        if (open.length === 0) this.#fail('a CDATA section stands outside the root element');
        this.#skipPast(']]>', 'this CDATA section is not closed by ]]>');
      } else if (text.startsWith('<!', start)) {
        this.#fail('a document type or other declaration is not accepted: remove <!…>');
      } else if (text.startsWith('<?', start)) {
        this.#fail('a processing instruction is not accepted: remove <?…?>');
      } else if (text.startsWith('</', start)) {
        const opened = open.pop();
        this.#endTag(opened);
        if (open.length === 2 && opened) grandchildren.push([opened.at, this.#at]);
      } else {
        const { name, empty } = this.#startTag();
        if (open.length === 0 && ++roots > 1) this.#fail(`<${name}> is a second root element: XML has one`, start);
        if (open.length >= MAX_DEPTH) this.#fail(`more than ${MAX_DEPTH} elements stand inside each other`, start);
        if (!empty) open.push({ name, at: start });
        else if (open.length === 2) grandchildren.push([start, this.#at]);
      }
    }
    const unclosed = open.pop();
    if (unclosed) this.#fail(`<${unclosed.name}> is not closed`, unclosed.at);
    if (roots === 0) this.#fail('there is no element');
    return grandchildren;
  }

  #startTag(): { name: string; empty: boolean } {
    this.#at++;
    const name = this.#take(NAME);
    if (name === null) this.#fail("this '<' does not begin a tag: write &lt; for the character itself", this.#at - 1);
    const seen = new Set<string>();
    for (;;) {
      const before = this.#at;
      this.#take(SPACE);
      if (this.#literal('/>')) return { name, empty: true };
      if (this.#literal('>')) return { name, empty: false };
      const at = this.#at;
      const attribute = this.#take(NAME);
      if (attribute === null) this.#fail(`the tag <${name}> is malformed or not closed by '>'`);
      if (at === before) this.#fail(`a space is missing before the attribute '${attribute}' of <${name}>`, at);
      if (seen.has(attribute)) this.#fail(`the attribute '${attribute}' of <${name}> is repeated`, at);
      seen.add(attribute);
      this.#attributeValue(name, attribute);
    }
  }

  #attributeValue(element: string, attribute: string): void {
    const at = this.#at;
    const equals = this.#take(EQUALS);
    const quote = this.#text[this.#at];
    if (equals === null || (quote !== "'" && quote !== '"')) {
      this.#fail(`the attribute '${attribute}' of <${element}> has no value in quotes`, at);
    }
    const end = this.#text.indexOf(quote, this.#at + 1);
    if (end < 0) this.#fail(`the value of '${attribute}' of <${element}> is not closed by ${quote}`);
    const less = this.#text.indexOf('<', this.#at);
    if (less >= 0 && less < end) this.#fail(`'<' stands in the value of '${attribute}': write &lt;`, less);
    this.#references(this.#at, end);
    this.#at = end + 1;
  }

  #endTag(opened: { name: string; at: number } | undefined): void {
    const start = this.#at;
    this.#at += 2;
    const name = this.#take(NAME);
    this.#take(SPACE);
    if (name === null || !this.#literal('>')) this.#fail('this end tag is malformed', start);
    if (!opened) this.#fail(`</${name}> closes nothing`, start);
    if (opened.name !== name) {
      this.#fail(
        `</${name}> stands where </${opened.name}> of line ${this.#position(opened.at).line} is expected`,
        start,
      );
    }
  }

  #comment(): void {
    const start = this.#at;
    this.#at += 4;
    this.#skipPast('--', 'this comment is not closed by -->', start);
    if (!this.#literal('>')) this.#fail("'--' stands inside a comment", this.#at - 2);
  }

  #characters(insideRoot: boolean): void {
    const start = this.#at;
    const next = this.#text.indexOf('<', start);
    const end = next < 0 ? this.#text.length : next;
    if (!insideRoot) {
      this.#take(SPACE);
      if (this.#at < end) this.#fail('text stands outside the root element');
      return;
    }
    const bracket = this.#text.indexOf(']]>', start);
    if (bracket >= 0 && bracket < end) this.#fail("']]>' stands in text: write ]]&gt;", bracket);
    this.#references(start, end);
    this.#at = end;
  }

  /** Each '&' between two places must begin a reference to a character that XML can hold. */
  #references(start: number, end: number): void {
    for (let at = this.#text.indexOf('&', start); at >= 0 && at < end; at = this.#text.indexOf('&', at + 1)) {
      REFERENCE.lastIndex = at;
      const found = REFERENCE.exec(this.#text);
      if (!found) {
        this.#fail(
          "this '&' begins no known reference: write &amp; for the character; no other entity is accepted",
          at,
        );
      }
      if (found[3] !== undefined) continue;
      const code = codeOf(found[1], found[2]);
      if (code > 0x10ffff || forbiddenCharacter(String.fromCodePoint(code))) {
        this.#fail(`${found[0]} is no character of XML`, at);
      }
    }
  }

  #skipPast(terminator: string, complaint: string, start = this.#at): void {
    const end = this.#text.indexOf(terminator, this.#at);
    if (end < 0) this.#fail(complaint, start);
    this.#at = end + terminator.length;
  }

  #literal(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false;
    this.#at += expected.length;
    return true;
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (!found) return null;
    this.#at += found[0].length;
    return found[0];
  }

  #position(at: number): Position {
    const lines = this.#text.slice(0, at).split(/\r\n|\r|\n/);
    return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
  }

  #fail(message: string, at = this.#at): never {
    throw new XmlError(message, this.#position(at));
  }
}
