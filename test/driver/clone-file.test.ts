// A record names the clone that a delete removes; records can be damaged by whoever manages the domain.
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { reflink } from '../../lib/disk-snapshot/methods/reflink';
import { type Connection, connect } from '../../lib/libvirt';
import { rejection } from './test-driver';

let conn: Connection;
let folder: string;
const at = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'clone-file-'));
  writeFileSync(at('disk.img'), 'the guest');
  conn = await connect('test:///default');
});
afterEach(async () => {
  await conn.close();
  rmSync(folder, { recursive: true });
});

async function deleteClone(state: unknown, source?: string): Promise<void> {
  await reflink('reflink').delete({
    domain: await conn.domainLookupByName('test'),
    disk: { target: 'vda', device: 'disk', type: 'file', format: 'raw', sourcePath: at('disk.img'), xml: '' },
    data: source === undefined ? {} : { source },
    name: 'monday',
    active: false,
    signal: new AbortController().signal,
    progress: () => undefined,
    state: state as never,
  });
}
const recorded = (clone: unknown, image: unknown = at('disk.img')) => ({ image, clone, format: 'raw' });

test.each([undefined, 'elsewhere.img'])('the clone at its place (%s) goes; twice is success', async (source) => {
  const clone = at(source ?? 'disk.monday');
  writeFileSync(clone, 'the past');

  await deleteClone(recorded(clone), source && clone);
  await deleteClone(recorded(clone), source && clone);

  expect(existsSync(clone)).toBe(false);
  expect(existsSync(at('disk.img'))).toBe(true);
});

test('another file than the one that this snapshot was given stays', async () => {
  writeFileSync(at('precious'), 'of somebody else');
  expect(await rejection(deleteClone(recorded(at('precious'))))).toMatchObject({ code: 'OPERATION_FAILED' });
  expect(existsSync(at('precious'))).toBe(true);
});

test('the image itself stays', async () => {
  const state = recorded(at('disk.img'));
  expect(await rejection(deleteClone(state, at('disk.img')))).toMatchObject({ code: 'OPERATION_FAILED' });
  expect(existsSync(at('disk.img'))).toBe(true);
});

test.each([
  null,
  7,
  {},
  { image: 7, clone: '/i.monday' },
  { image: 'i', clone: 'i.monday' },
  { image: '/i', clone: 7 },
  { image: '/i', clone: 'i.monday' },
  { image: '/i', clone: '/i\0' },
])('a state of another shape is refused: %j', async (state) => {
  expect(await rejection(deleteClone(state))).toMatchObject({ code: 'OPERATION_FAILED', outcome: 'unchanged' });
});

test('what is no regular file stays', async () => {
  writeFileSync(at('precious'), 'of somebody else');
  symlinkSync(at('precious'), at('disk.monday'));
  mkdirSync(at('folder'));

  expect(await rejection(deleteClone(recorded(at('disk.monday'))))).toMatchObject({ code: 'OPERATION_FAILED' });
  expect(await rejection(deleteClone(recorded(at('folder')), at('folder')))).toMatchObject({
    code: 'OPERATION_FAILED',
  });

  expect([at('precious'), at('disk.monday'), at('folder')].every(existsSync)).toBe(true);
});

test('a file that is the disk of a domain stays, and the error says whose', async () => {
  writeFileSync(at('disk.monday'), 'another guest');
  symlinkSync(at('disk.monday'), at('link'));
  await conn.domainDefineXML(`<domain type='test'><name>other</name><memory>1024</memory><os><type>hvm</type></os>
    <devices><disk type='file' device='disk'><source file='${at('link')}'/><target dev='vdb'/></disk></devices></domain>`);

  const error = await rejection(deleteClone(recorded(at('disk.monday'))));

  expect(error).toMatchObject({ code: 'IN_USE', message: expect.stringContaining('disk vdb of other') });
  expect(existsSync(at('disk.monday'))).toBe(true);
});
