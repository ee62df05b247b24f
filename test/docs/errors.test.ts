// Every code that a program can meet has its place in the guides.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ADVICE } from '../../lib/disk-snapshot/look/diagnosis';
import { root } from './markdown';

const read = (file: string) => readFileSync(join(root, file), 'utf8');

const [, union = ''] = /export type DiskSnapshotErrorCode =([^;]*);/.exec(read('lib/disk-snapshot/errors.ts')) ?? [];
const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code);

/** The codes that head a row of a table. */
const rows = (file: string) => [...read(file).matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code]) => code);

describe('docs/errors.md', () => {
  test('has a row for each DiskSnapshotErrorCode, and for no other', () => {
    expect(codes.length).toBeGreaterThan(20);
    expect(rows('docs/errors.md').sort()).toEqual(codes.sort());
  });
});

describe('docs/recovery.md', () => {
  test('has a row for each finding of diagnose(), and for no other', () => {
    expect(rows('docs/recovery.md').sort()).toEqual(Object.keys(ADVICE).sort());
  });
});
