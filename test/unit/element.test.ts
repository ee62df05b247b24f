// <diskSnapshot>: as a name, as XML and as an object, and the same in both directions.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { buildMethod, elementOf, pluginElement, readMethod } from '../../lib/disk-snapshot/element/element';
import { DiskSnapshotError } from '../../lib/disk-snapshot/errors';
import type { Method } from '../../lib/disk-snapshot/types';
import { child, formatXml, parseXml } from '../../lib/xml/document';

const vda = { disk: 'vda', guest: 'web1' };

function failure(run: () => unknown): DiskSnapshotError {
  try {
    run();
  } catch (error) {
    if (error instanceof DiskSnapshotError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a method', () => {
  test.each<[string, string, Method]>([
    ['by name', 'qemu', { method: 'qemu' }],
    ['of a plug-in by name', 'acme', { method: 'acme' }],
    ['qemu', "<diskSnapshot method='qemu'/>", { method: 'qemu' }],
    [
      'qemu in full',
      "<diskSnapshot method='qemu' mode='external'><driver type='qcow2'/><source file='/x/a.s1'/></diskSnapshot>",
      { method: 'qemu', mode: 'external', format: 'qcow2', source: '/x/a.s1' },
    ],
    ['qemu, internal', "<diskSnapshot method='qemu' mode='internal'/>", { method: 'qemu', mode: 'internal' }],
    ['lvm', "<diskSnapshot method='lvm'/>", { method: 'lvm' }],
    [
      'lvm in full',
      "<diskSnapshot method='lvm'>\n  <device path='/dev/vg0/a'/>\n  <cow bytes='1073741824'/>\n</diskSnapshot>",
      { method: 'lvm', device: '/dev/vg0/a', bytes: 1073741824 },
    ],
    ['btrfs', "<diskSnapshot method='btrfs'><source file='/x/c'/></diskSnapshot>", { method: 'btrfs', source: '/x/c' }],
    ['reflink', "<diskSnapshot method='reflink'/>", { method: 'reflink' }],
    ['rbd', "<diskSnapshot method='rbd'/>", { method: 'rbd' }],
    [
      'in its namespace',
      "<d:diskSnapshot xmlns:d='urn:libvirt-disksnapshot:1' method='qemu'><d:source file='/x'/></d:diskSnapshot>",
      { method: 'qemu', source: '/x' },
    ],
    [
      'in its namespace by default',
      "<diskSnapshot xmlns='urn:libvirt-disksnapshot:1' method='qemu'><source file='/x'/></diskSnapshot>",
      { method: 'qemu', source: '/x' },
    ],
  ])('%s', (_what, given, expected) => {
    expect(elementOf(given, vda)).toEqual(expected);
  });

  test.each([
    ['broken XML', "<diskSnapshot method='qemu'>", 'not well-formed'],
    [
      'an external entity',
      "<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><diskSnapshot method='&e;'/>",
      'document type',
    ],
    ['another element', '<source/>', 'found <source>'],
    ['another namespace', "<diskSnapshot xmlns='urn:other' method='qemu'/>", 'expected a <diskSnapshot>'],
    [
      "an element of somebody else's",
      "<diskSnapshot method='qemu'><source xmlns='urn:other' file='/x'/></diskSnapshot>",
      'takes no <source>',
    ],
    ['no method', '<diskSnapshot/>', 'lacks its method'],
    ['an empty method', "<diskSnapshot method=''/>", 'cannot be the name of a method'],
    ['a path for a method', "<diskSnapshot method='../x'/>", 'cannot be the name of a method'],
    ['an unknown attribute', "<diskSnapshot method='qemu' name='x'/>", "takes no attribute 'name'"],
    ['a repeated attribute', "<diskSnapshot method='qemu' method='lvm'/>", "'method' of <diskSnapshot> is repeated"],
    [
      'an unknown element',
      "<diskSnapshot method='qemu'><device path='/x'/></diskSnapshot>",
      'takes no <device>; it takes',
    ],
    ['an element for a method that takes none', "<diskSnapshot method='rbd'><a/></diskSnapshot>", 'rbd takes no <a>'],
    [
      'a repeated element',
      "<diskSnapshot method='qemu'><source file='/a'/><source file='/b'/></diskSnapshot>",
      '<source> is repeated',
    ],
    [
      'an element without its attribute',
      "<diskSnapshot method='qemu'><source/></diskSnapshot>",
      "lacks its attribute 'file'",
    ],
    [
      "an element with another's",
      "<diskSnapshot method='qemu'><source dev='/x'/></diskSnapshot>",
      "no attribute 'dev'",
    ],
    [
      'an element in an element',
      "<diskSnapshot method='qemu'><source file='/x'><a/></source></diskSnapshot>",
      'no elements',
    ],
    ['text', "<diskSnapshot method='qemu'>/x</diskSnapshot>", 'takes no text'],
    ['an unknown mode', "<diskSnapshot method='qemu' mode='both'/>", 'use external or internal'],
    ['an unknown format', "<diskSnapshot method='qemu'><driver type='raw'/></diskSnapshot>", 'use qcow2'],
    ['a relative path', "<diskSnapshot method='qemu'><source file='a.s1'/></diskSnapshot>", 'begin it with /'],
    ['a path that climbs', "<diskSnapshot method='qemu'><source file='/x/../a'/></diskSnapshot>", 'no plain path'],
    ['a folder', "<diskSnapshot method='btrfs'><source file='/x/'/></diskSnapshot>", 'no plain path'],
    [
      'a path with a line break',
      "<diskSnapshot method='qemu'><source file='/a&#10;b'/></diskSnapshot>",
      'control character',
    ],
    ['a negative size', "<diskSnapshot method='lvm'><cow bytes='-1'/></diskSnapshot>", 'is no size'],
    ['a size of nothing', "<diskSnapshot method='lvm'><cow bytes='0'/></diskSnapshot>", 'is no size'],
    ['a size with a unit', "<diskSnapshot method='lvm'><cow bytes='1G'/></diskSnapshot>", 'is no size'],
    [
      'a size beyond numbers',
      "<diskSnapshot method='lvm'><cow bytes='9007199254740993'/></diskSnapshot>",
      'is no size',
    ],
    [
      'an internal snapshot with a file',
      "<diskSnapshot method='qemu' mode='internal'><source file='/x'/></diskSnapshot>",
      'leave out source',
    ],
  ])('%s in XML is refused', (_what, xml, message) => {
    const error = failure(() => elementOf(xml, vda));
    expect(error).toMatchObject({ code: 'INVALID_XML', outcome: 'unchanged', disk: 'vda', guest: 'web1' });
    expect(error.message).toContain(message);
    expect(error.message).toContain('web1: disk vda: ');
  });

  test.each<[string, string | Method, string]>([
    ['an empty name', '', 'cannot be the name'],
    ['an odd name', 'a b', 'cannot be the name'],
    ['an unknown member', { method: 'qemu', sauce: '/x' }, "takes no member 'sauce'; it takes: mode, format, source"],
    ["another method's member", { method: 'rbd', source: '/x' }, "takes no member 'source'; it takes: none"],
    ['a relative path', { method: 'qemu', source: 'x' }, 'begin it with /'],
    ['an endless file name', { method: 'qemu', source: `/${'x'.repeat(256)}` }, 'more than 255 bytes'],
    ['an internal snapshot with a file', { method: 'qemu', mode: 'internal', source: '/x' }, 'leave out source'],
    ['a mode of nobody', { method: 'qemu', mode: 'both' }, 'use external or internal'],
  ])('%s in an object is refused', (_what, method, message) => {
    const error = failure(() => elementOf(method));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', outcome: 'unchanged' });
    expect(error.message).toContain(message);
  });

  test.each([
    ['nothing', undefined, 'TypeError', 'ERR_INVALID_ARG_TYPE'],
    ['null', null, 'TypeError', 'ERR_INVALID_ARG_TYPE'],
    ['a list', ['qemu'], 'TypeError', 'ERR_INVALID_ARG_TYPE'],
    ['an object without method', {}, 'TypeError', 'ERR_INVALID_ARG_TYPE'],
    ['a number for a path', { method: 'qemu', source: 1 }, 'TypeError', 'ERR_INVALID_ARG_TYPE'],
    ['null for a path', { method: 'qemu', source: null }, 'TypeError', 'ERR_INVALID_ARG_TYPE'],
    ['text for a size', { method: 'lvm', bytes: '1' }, 'TypeError', 'ERR_INVALID_ARG_TYPE'],
    ['half a byte', { method: 'lvm', bytes: 0.5 }, 'RangeError', 'ERR_OUT_OF_RANGE'],
    ['no bytes', { method: 'lvm', bytes: 0 }, 'RangeError', 'ERR_OUT_OF_RANGE'],
  ])('%s is wrong JavaScript', (_what, value: unknown, name, code) => {
    expect(() => Reflect.apply(elementOf, undefined, [value])).toThrow(expect.objectContaining({ name, code }));
  });

  test('leaves out what is undefined, and is a copy', () => {
    const given = { method: 'qemu', source: undefined, mode: 'external' };
    const read = elementOf(given);
    expect(read).not.toBe(given);
    expect(Object.keys(read)).toEqual(['method', 'mode']);
  });

  test('is found by a prefix that an ancestor declares', () => {
    const disk = parseXml("<disk xmlns:d='urn:libvirt-disksnapshot:1'><d:diskSnapshot method='rbd'/></disk>");
    const inline = child(disk, 'd:diskSnapshot');
    expect(inline && readMethod(inline, vda, [disk])).toEqual({ method: 'rbd' });
    expect(inline && failure(() => readMethod(inline)).code).toBe('INVALID_XML');
  });
});

describe('a method of a plug-in', () => {
  const xml =
    "<diskSnapshot method='acme' tier='gold'><volume id='17'>a<b/>c</volume><tag/><volume id='18'/></diskSnapshot>";

  test('keeps its element: attributes, and children in order with text and XML', () => {
    const method = elementOf(xml, vda);
    expect(method.method).toBe('acme');
    expect(pluginElement(method)).toEqual({
      attributes: { method: 'acme', tier: 'gold' },
      children: [
        { name: 'volume', attributes: { id: '17' }, text: 'ac', xml: "<volume id='17'>a<b/>c</volume>" },
        { name: 'tag', attributes: {}, text: '', xml: '<tag/>' },
        { name: 'volume', attributes: { id: '18' }, text: '', xml: "<volume id='18'/>" },
      ],
      xml,
    });
  });

  test('survives JSON and goes back to the same XML', () => {
    const stored: Method = JSON.parse(JSON.stringify(elementOf(xml)));
    expect(formatXml(buildMethod(stored))).toBe(xml);
  });

  test('as an object keeps its members, which have no XML', () => {
    const method = elementOf({ method: 'acme', volume: '17', options: { deep: [1] } });
    expect(method).toEqual({ method: 'acme', volume: '17', options: { deep: [1] } });
    expect(pluginElement(method)).toBeNull();
    expect(failure(() => buildMethod(method)).message).toContain('pass its <diskSnapshot> element');
    expect(formatXml(buildMethod({ method: 'acme' }))).toBe("<diskSnapshot method='acme'/>");
  });

  test('has no element if it is built in', () => {
    expect(pluginElement(elementOf('qemu'))).toBeNull();
  });
});

describe('round trip', () => {
  const component = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((part) => !/[/\p{Cc}\p{Cs}\uFFFE\uFFFF]/u.test(part) && part !== '.' && part !== '..');
  const path = fc.array(component, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
  const bytes = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  const optional = { requiredKeys: ['method'] as ['method'] };
  const method: fc.Arbitrary<Method> = fc.oneof(
    fc.record(
      {
        method: fc.constant('qemu' as const),
        mode: fc.constant('external' as const),
        format: fc.constant('qcow2' as const),
        source: path,
      },
      optional,
    ),
    fc.constant<Method>({ method: 'qemu', mode: 'internal' }),
    fc.record({ method: fc.constant('lvm' as const), device: path, bytes }, optional),
    fc.record({ method: fc.constantFrom('btrfs' as const, 'reflink' as const), source: path }, optional),
    fc.constant<Method>({ method: 'rbd' }),
  );

  test('object to XML to object', () => {
    fc.assert(
      fc.property(method, fc.constantFrom('', '  '), (given, indent) => {
        expect(readMethod(formatXml(buildMethod(given), { indent }))).toEqual(given);
      }),
      { numRuns: 1000 },
    );
  });

  test('any object is taken or refused by a typed error, and what is taken can be written', () => {
    const name = fc.constantFrom('qemu', 'lvm', 'btrfs', 'rbd', '__proto__', 'constructor', 'x y', '');
    const member = fc.constantFrom('source', 'mode', 'format', 'device', 'bytes', 'toString');
    const value = fc.oneof(path, bytes, fc.string(), fc.constantFrom('external', 'internal', 'qcow2', null, undefined));
    fc.assert(
      fc.property(name, fc.dictionary(member, value, { maxKeys: 3 }), (given, members) => {
        try {
          const read = elementOf({ ...members, method: given });
          if (Object.keys(read).length > 1 && !['qemu', 'lvm', 'btrfs', 'rbd'].includes(given)) return;
          expect(readMethod(buildMethod(read)).method).toBe(given);
        } catch (error) {
          if (error instanceof DiskSnapshotError) expect(error.code).toBe('INVALID_ARGUMENT');
          else expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_/) });
        }
      }),
      { numRuns: 1000 },
    );
  });
});
