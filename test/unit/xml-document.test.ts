// What is accepted as XML, what a document becomes, and what is written for it.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  child,
  childrenOf,
  element,
  formatXml,
  localName,
  namespaceOf,
  parseXml,
  textOf,
  type XmlElement,
  XmlError,
} from '../../lib/xml/document';

function failure(run: () => unknown): XmlError {
  try {
    run();
  } catch (error) {
    if (error instanceof XmlError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('reading', () => {
  test.each([
    ['an empty element', '<a/>', element('a')],
    ['a start and an end tag', '<a></a >', element('a')],
    ['both kinds of quotes', `<a b="it's" c='"'/>`, element('a', { b: "it's", c: '"' })],
    ["'>' in an attribute", "<a b='x>y/'/>", element('a', { b: 'x>y/' })],
    [
      'the five entities',
      '<a b="&lt;&gt;&amp;&quot;&apos;">&lt;&amp;amp;</a>',
      element('a', { b: '<>&"\'' }, '<&amp;'),
    ],
    ['character references', '<a>&#65;&#x1F600;</a>', element('a', {}, 'A😀')],
    ['CDATA as text', '<a>x<![CDATA[<&]]>y<![CDATA[]]></a>', element('a', {}, 'x<&y')],
    ['a comment between text', '<a>x<!-- & < -->y</a>', element('a', {}, 'xy')],
    ['a declaration', "<?xml version='1.0' encoding='UTF-8'?>\n<a/>\n<!-- end -->\n", element('a')],
    ['a byte order mark', '\uFEFF<a/>', element('a')],
    ['a prefix as written', "<d:a xmlns:d='urn:x' d:b='1'/>", element('d:a', { 'xmlns:d': 'urn:x', 'd:b': '1' })],
    ['spaces in a tag', "<a\n\tb\r\n=  '1'\n/>", element('a', { b: '1' })],
    ['line ends', '<a>1\r\n2\r3</a>', element('a', {}, '1\n2\n3')],
    ['white space in attributes as spaces', "<a b='1\t2\r\n3'/>", element('a', { b: '1 2 3' })],
    ['referenced white space as it is', "<a b='&#9;&#10;&#13;'/>", element('a', { b: '\t\n\r' })],
    ['white space that is all there is', '<a>  </a>', element('a', {}, '  ')],
    ['no indentation', '<a>\n  <b/>\n</a>', element('a', {}, element('b'))],
    ['all of mixed text', '<a> x <b/> </a>', element('a', {}, ' x ', element('b'), ' ')],
    ['names of members of Object', "<constructor __proto__='1'><valueOf/></constructor>", constructorElement()],
    ['names beyond ASCII', "<größe ñ='1'/>", element('größe', { ñ: '1' })],
  ])('%s', (_what, xml, expected) => {
    expect(parseXml(xml)).toEqual(expected);
  });

  function constructorElement(): XmlElement {
    const made = element('constructor', {}, element('valueOf'));
    Object.defineProperty(made.attributes, '__proto__', { value: '1', enumerable: true });
    return made;
  }

  test('an attribute that is not there is undefined, whatever its name', () => {
    expect(parseXml('<a/>').attributes.constructor).toBeUndefined();
  });

  test.each([
    ['nothing', '', 'there is no element'],
    ['only a comment', '<!-- a -->', 'there is no element'],
    ['an end tag of another name', '<a></b>', '</b> stands where </a> of line 1 is expected'],
    ['an element that is not closed', '<a>\n <b>\n</a>', '</a> stands where </b> of line 2'],
    ['the end of the text in an element', '<a><b/>', '<a> is not closed'],
    ['the end of the text in a tag', '<a', "<a> is malformed or not closed by '>'"],
    ['an end tag alone', '</a>', '</a> closes nothing'],
    ['a second root', '<a/><b/>', '<b> is a second root'],
    ['text before the root', 'x<a/>', 'text stands outside'],
    ['text after the root', '<a/>x', 'text stands outside'],
    ['CDATA outside the root', '<a/><![CDATA[x]]>', 'CDATA section stands outside'],
    ['an attribute twice', "<a b='1' b='2'/>", "the attribute 'b' of <a> is repeated"],
    ['an attribute without value', '<a b/>', "'b' of <a> has no value in quotes"],
    ['an attribute without quotes', '<a b=1/>', "'b' of <a> has no value in quotes"],
    ['attributes that touch', "<a b='1'c='2'/>", "a space is missing before the attribute 'c'"],
    ['an open attribute', "<a b='1/>", "the value of 'b' of <a> is not closed"],
    ["'<' in an attribute", "<a b='<'/>", 'write &lt;'],
    ["'<' in text", '<a>1 < 2</a>', 'write &lt;'],
    ["'&' in text", '<a>a & b</a>', 'write &amp;'],
    ["']]>' in text", '<a>]]></a>', 'write ]]&gt;'],
    ['an unknown entity', '<a>&nbsp;</a>', 'no other entity'],
    ['an unknown entity in an attribute', "<a b='&x;'/>", 'no other entity'],
    ['a reference to no character', '<a>&#0;</a>', '&#0; is no character'],
    ['a reference to half a pair', '<a>&#xD800;</a>', '&#xD800; is no character'],
    ['a reference beyond Unicode', '<a>&#x110000;</a>', 'is no character'],
    ['a control character', '<a>\u0001</a>', 'U+0001 cannot stand in XML'],
    ['a NUL', "<a b='\0'/>", 'U+0000 cannot stand in XML'],
    ['a lone surrogate', '<a>\uD800</a>', 'the lone surrogate U+D800'],
    ['a document type', '<!DOCTYPE a><a/>', 'document type'],
    ['an external entity', "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", 'document type'],
    ['a processing instruction', '<a><?php x?></a>', 'processing instruction'],
    ['a declaration that is not first', " <?xml version='1.0'?><a/>", 'processing instruction'],
    ['XML 1.1', "<?xml version='1.1'?><a/>", 'declaration is malformed'],
    ["'--' in a comment", '<a><!-- -- --></a>', "'--' stands inside a comment"],
    ['an open comment', '<a><!-- </a>', 'comment is not closed'],
    ['open CDATA', '<a><![CDATA[</a>', 'CDATA section is not closed'],
    ['a name with two colons', '<a:b:c/>', '<a:b> is malformed'],
    ['a name that begins with a digit', '<1/>', 'does not begin a tag'],
  ])('%s is refused', (_what, xml, message) => {
    expect(failure(() => parseXml(xml)).message).toContain(message);
  });

  test('an error says where', () => {
    const error = failure(() => parseXml("<a>\r\n  <b c='&d;'/>\n</a>"));
    expect(error).toMatchObject({ name: 'XmlError', line: 2, column: 9 });
    expect(error.message).toContain('(line 2, column 9)');
  });

  test('256 levels are read and written; one more is refused both ways', () => {
    const nested = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth);
    expect(formatXml(parseXml(nested(256)))).toHaveLength(nested(255).length + '<a/>'.length);
    expect(failure(() => parseXml(nested(257))).message).toContain('256');
    let tree = element('a');
    for (let depth = 1; depth < 257; depth++) tree = element('a', {}, tree);
    expect(failure(() => formatXml(tree)).message).toContain('256');
  });

  test('hostile input is refused soon, however deep and long', () => {
    const started = performance.now();
    failure(() => parseXml('<a>'.repeat(1_000_000)));
    failure(() => parseXml(`<a>${'&'.repeat(1_000_000)}</a>`));
    failure(() => parseXml(`<a ${'b '.repeat(1_000_000)}`));
    failure(() => parseXml(' '.repeat(8 * 1024 * 1024 + 1)));
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test('a long attribute list and a megabyte of references are read in linear time', () => {
    const many = Array.from({ length: 5000 }, (_, i) => `b${i}='&#${65 + (i % 20)};<'`.replace('<', '&lt;')).join(' ');
    const started = performance.now();
    expect(Object.keys(parseXml(`<a ${many}>${'&amp;'.repeat(200_000)}</a>`).attributes)).toHaveLength(5000);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test('any text is either read or refused with XmlError', () => {
    const alphabet = [
      '<',
      '>',
      '/',
      '=',
      "'",
      '"',
      '&',
      ';',
      '#',
      '!',
      '?',
      '-',
      '[',
      ']',
      ':',
      ' ',
      '\n',
      'a',
      'amp',
      'CDATA',
    ];
    const noise = fc.array(fc.constantFrom(...alphabet), { maxLength: 30 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        fc.oneof(
          noise,
          noise.map((inner) => `<a>${inner}</a>`),
          fc.string({ unit: 'binary' }),
        ),
        (text) => {
          try {
            const once = parseXml(text);
            expect(parseXml(formatXml(once))).toEqual(once);
          } catch (error) {
            if (!(error instanceof XmlError)) throw error;
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

const legal = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .map((text) => text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '?'));
const awkward = fc.constantFrom(']]>', '<!--', '&amp;', '"', "'", '\r\n', '\t', ' ', '{"a":1}', '&#10;');
const text = fc.oneof(legal, awkward);
const name = fc.constantFrom('a', 'source', 'ds:set', '_x', 'b-c.d', 'constructor', '__proto__', 'toString', 'é');

/** Trees as parseXml makes them: no empty or adjacent strings, and no white space alone beside elements. */
const { tree } = fc.letrec<{ tree: XmlElement }>((tie) => ({
  tree: fc
    .record({
      name,
      attributes: fc.dictionary(name, text, { maxKeys: 4 }),
      children: fc.array(fc.oneof({ depthSize: 'small' }, text, tie('tree')), { maxLength: 4 }),
    })
    .map((made) => {
      const result = element(made.name, made.attributes);
      for (const node of made.children) {
        const last = result.children.at(-1);
        if (typeof node === 'string' && typeof last === 'string')
          result.children[result.children.length - 1] = last + node;
        else if (node !== '') result.children.push(node);
      }
      const elements = childrenOf(result);
      if (elements.length > 0 && /^[ \t\r\n]*$/.test(textOf(result))) result.children = elements;
      return result;
    }),
}));

describe('writing', () => {
  test('what is written reads back the same, on one line or indented', () => {
    fc.assert(
      fc.property(tree, fc.constantFrom('', '  ', '\t'), (root, indent) => {
        expect(parseXml(formatXml(root, { indent }))).toEqual(root);
      }),
      { numRuns: 1000 },
    );
  });

  test('indentation leaves text alone', () => {
    const root = element(
      'a',
      { b: 1, c: undefined },
      element('b', {}, element('c')),
      element('d', {}, 'x', element('e')),
    );
    expect(formatXml(root, { indent: '  ' })).toBe(
      ["<a b='1'>", '  <b>', '    <c/>', '  </b>', '  <d>x<e/></d>', '</a>'].join('\n'),
    );
    expect(formatXml(root)).toBe("<a b='1'><b><c/></b><d>x<e/></d></a>");
  });

  test('no value breaks out of its place', () => {
    expect(formatXml(element('a', { b: `'/><x y="` }, ']]><x/>'))).toBe(
      `<a b='&apos;/&gt;&lt;x y="'>]]&gt;&lt;x/&gt;</a>`,
    );
  });

  test.each([
    ['an element name', element('a b'), '"a b" is no name'],
    ['an attribute name', element('a', { "b='1' c": '' }), 'is no name of an XML attribute'],
    ['a control character in text', element('a', {}, 'x\u0000'), 'the text of <a> holds U+0000'],
    [
      'a lone surrogate in an attribute',
      element('a', { b: '\uDC00' }),
      "the attribute 'b' of <a> holds the lone surrogate",
    ],
  ])('%s that XML cannot hold is refused', (_what, root, message) => {
    expect(failure(() => formatXml(root)).message).toContain(message);
  });
});

describe('looking', () => {
  const root = parseXml(
    "<a xmlns='urn:a' xmlns:p='urn:p'><b>1</b><p:c xmlns:q='urn:q'><q:d/><r:e/></p:c><b>2<i/>3</b></a>",
  );

  test('child follows a path, childrenOf lists, textOf joins', () => {
    const inner = child(root, 'p:c', 'q:d');
    expect(inner && localName(inner)).toBe('d');
    expect(child(root, 'p:c', 'nothing', 'more')).toBeUndefined();
    expect(childrenOf(root, 'b').map(textOf)).toEqual(['1', '23']);
    expect(textOf(undefined)).toBe('');
  });

  test('namespaceOf finds the nearest declaration', () => {
    const holder = child(root, 'p:c') ?? root;
    const [d, e] = childrenOf(holder);
    expect(namespaceOf(root)).toBe('urn:a');
    expect(namespaceOf(holder, root)).toBe('urn:p');
    expect(d && namespaceOf(d, holder, root)).toBe('urn:q');
    expect(e && namespaceOf(e, holder, root)).toBeNull();
  });
});
