// Which names a snapshot may have, and where its overlay goes.
import { basename, dirname } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkSnapshotName, defaultName, defaultOverlayPath } from '../../lib/disk-snapshot/element/name';
import { DiskSnapshotError } from '../../lib/disk-snapshot/errors';
import { element, formatXml, parseXml, textOf } from '../../lib/xml/document';

function failure(run: () => unknown): DiskSnapshotError {
  try {
    run();
  } catch (error) {
    if (error instanceof DiskSnapshotError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const accepted = (name: string): boolean => {
  try {
    checkSnapshotName(name);
    return true;
  } catch (error) {
    if (error instanceof DiskSnapshotError) return false;
    throw error;
  }
};

describe('a name', () => {
  test.each([
    's1',
    'nightly-2026-11-22',
    'before the upgrade',
    'v1.2.3',
    '…',
    '.hidden',
    "it's <b> & $(x)",
    'größe',
    '日本',
    '👩‍💻',
    'a'.repeat(253),
  ])('%j is accepted', (name) => {
    expect(() => checkSnapshotName(name)).not.toThrow();
  });

  test.each([
    ['', 'empty'],
    ['.', 'a folder'],
    ['..', 'a folder'],
    ['a/b', "'/'"],
    ['../../etc/passwd', "'/'"],
    ['a\0b', 'control character'],
    ['a\nb', 'control character'],
    ['a\u001B[2Jb', 'control character'],
    ['a\u0085b', 'control character'],
    ['a\u2028b', 'line break'],
    ['a\u202Egpj.exe', 'direction'],
    ['a\uD800', 'XML cannot hold'],
    ['a\uFFFF', 'XML cannot hold'],
    ['-rf', "begins with '-'"],
    [' a', 'white space'],
    ['a ', 'white space'],
    ['a\u00A0', 'white space'],
  ])('%j is refused', (name, reason) => {
    const error = failure(() => checkSnapshotName(name));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', outcome: 'unchanged', snapshot: name });
    expect(error.message).toContain(reason);
    expect(error.message).not.toMatch(/[\p{Cc}\u202E]/u);
  });

  test('too long is refused by its bytes, not its characters', () => {
    expect(failure(() => checkSnapshotName('ä'.repeat(127)))).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(() => checkSnapshotName('ä'.repeat(126))).not.toThrow();
  });

  test('of another type is a TypeError', () => {
    const values: unknown[] = [undefined, null, 1, {}, ['a']];
    for (const value of values) {
      expect(() => Reflect.apply(checkSnapshotName, undefined, [value])).toThrow(
        expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }),
      );
    }
  });

  test('that is accepted survives XML and stays one component of a path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        if (!accepted(name)) return;
        expect(textOf(parseXml(formatXml(element('name', {}, name))))).toBe(name);
        expect(dirname(`/x/${name}`)).toBe('/x');
        expect(basename(`/x/${name}`)).toBe(name);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a default name', () => {
  const date = new Date(Date.UTC(2026, 10, 22, 20, 43, 7, 123));

  test('is the moment in UTC', () => {
    expect(defaultName(date, new Set())).toBe('20261122T204307.123Z');
  });

  test('gets a counter where it is taken', () => {
    const taken = new Set<string>();
    for (let i = 0; i < 12; i++) taken.add(defaultName(date, taken));
    expect(taken.size).toBe(12);
    expect([...taken].slice(0, 3)).toEqual([
      '20261122T204307.123Z',
      '20261122T204307.123Z-02',
      '20261122T204307.123Z-03',
    ]);
    expect([...taken].sort()).toEqual([...taken]);
  });

  test('sorts as time goes, and is accepted', () => {
    const moment = fc.date({ min: new Date(0), max: new Date(Date.UTC(9999, 11, 31)), noInvalidDate: true });
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        const [first, second] = [defaultName(a, new Set()), defaultName(b, new Set())];
        checkSnapshotName(first);
        expect(Math.sign(a.getTime() - b.getTime())).toBe(first < second ? -1 : first > second ? 1 : 0);
      }),
    );
  });
});

describe('a default place', () => {
  test.each([
    ['/images/web.qcow2', 's1', '/images/web.s1'],
    ['/images/web.s1', 's2', '/images/web.s2'],
    ['/images/disk', 's1', '/images/disk.s1'],
    ['/images/.hidden', 's1', '/images/.hidden.s1'],
    ['/images/web.prod.img', 's1', '/images/web.prod.s1'],
    ['/images/web.qcow2', 'v1.2.3', '/images/web.v1_2_3'],
    ['/images/web.qcow2', '20261122T204307.123Z', '/images/web.20261122T204307_123Z'],
    ['/a b/web 1.qcow2', 's 1', '/a b/web 1.s 1'],
  ])('of %s under %j is %s', (source, name, path) => {
    expect(defaultOverlayPath(source, name)).toBe(path);
  });

  test('does not grow with the chain, whatever the names', () => {
    const valid = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter(accepted);
    fc.assert(
      fc.property(fc.array(valid, { minLength: 1, maxLength: 20 }), (names) => {
        let path = '/images/web.qcow2';
        for (const name of names) path = defaultOverlayPath(path, name);
        expect(path).toBe(defaultOverlayPath('/images/web.qcow2', names.at(-1) ?? ''));
        expect(dirname(path)).toBe('/images');
      }),
    );
  });

  test('that no file system or qcow2 header could hold is refused', () => {
    const name = 'n'.repeat(250);
    expect(() => defaultOverlayPath('/images/web1.qcow2', name)).not.toThrow();
    const long = failure(() => defaultOverlayPath('/images/web-1.qcow2', name));
    expect(long).toMatchObject({ code: 'LIMIT_EXCEEDED', outcome: 'unchanged', snapshot: name });
    expect(long.message).toContain('256 bytes');
    const deep = failure(() => defaultOverlayPath(`${'/folder-20-characters'.repeat(50)}/web.qcow2`, 's1'));
    expect(deep).toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
});
