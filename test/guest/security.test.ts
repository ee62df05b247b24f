// The promises of SECURITY.md that need a domain: nothing that a caller or a record says becomes a command, XML or a path
// that was not meant.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  type Connection,
  diagnose,
  diskTree,
  listDiskSnapshots,
  planSnapshot,
  recoverDiskSnapshots,
  snapshotDisks,
  unquiesceStorage,
} from '../../lib';
import { readJournal, writeRecord } from '../../lib/disk-snapshot/records/journal';
import { qemuStateOf } from '../../lib/disk-snapshot/records/record';
import { PrivateLibvirtd, TestGuest } from '../../lib/testing';
import { readDomain } from '../../lib/xml/domain';

jest.setTimeout(120_000);

describe('a guest that is off', () => {
  let guest: TestGuest;
  beforeAll(async () => {
    guest = await TestGuest.boot({ disks: 2, start: false, agent: false });
  });
  afterAll(() => guest?.close());
  const inside = (name: string) => join(guest.directory, name);
  const targets = async () => readDomain(await guest.domain.getXMLDesc()).disks.map(({ target }) => target);

  test.each([
    '$(touch pwned)',
    '`touch pwned`',
    '; touch pwned #',
    '| touch pwned',
    'a,backing_file=pwned',
    'json:{"driver":"null-co"}',
    "'/><source file='pwned'/>",
    ']]></set><disk/>&lt;',
  ])('the name %j is text: no shell, no option, no XML', async (name) => {
    const before = readdirSync(guest.directory).sort();
    const hostile = `</set><devices><disk/></devices>${name}`;
    const set = await snapshotDisks(guest.domain, {
      disks: ['vda'],
      ...(name.includes('/') ? {} : { name }),
      description: hostile,
      labels: { [hostile]: hostile },
    });
    const [listed] = await listDiskSnapshots(guest.domain);
    expect(listed).toMatchObject({ name: set.name, description: hostile, labels: { [hostile]: hostile } });
    expect(await targets()).toEqual(['vda', 'vdb']);
    await set.disks[0]?.export(inside('exported.raw'), { format: 'raw' });
    expect(statSync(inside('exported.raw')).size).toBe(64 * 1024 * 1024);
    expect([inside('pwned'), 'pwned'].filter((path) => existsSync(path))).toEqual([]);
    await set.delete();
    rmSync(inside('exported.raw'));
    expect(readdirSync(guest.directory).sort()).toEqual(before);
  });

  test('a link in the place of a new file is not followed, wherever it leads', async () => {
    writeFileSync(inside('precious'), 'data');
    symlinkSync(inside('precious'), inside('link'));
    symlinkSync(inside('nowhere'), inside('dangling'));
    for (const name of ['link', 'dangling']) {
      const disks = { vda: { method: 'qemu', source: inside(name) } };
      await expect(snapshotDisks(guest.domain, { disks })).rejects.toMatchObject({ outcome: 'unchanged' });
      const set = await snapshotDisks(guest.domain, { disks: ['vdb'] });
      await expect(set.disks[0]?.export(inside(name))).rejects.toMatchObject({ code: 'FILE_EXISTS' });
      await set.delete();
    }
    expect(readFileSync(inside('precious'), 'utf8')).toBe('data');
    expect(existsSync(inside('nowhere'))).toBe(false);
  });

  test('a record that names a file of somebody else makes a delete remove nothing', async () => {
    writeFileSync(inside('precious'), 'data');
    const set = await snapshotDisks(guest.domain, { disks: ['vda'], name: 'forged' });
    const [record] = (await readJournal(guest.domain)).sets;
    const state = record?.disks[0] && qemuStateOf(record.disks[0]);
    if (!record?.disks[0] || !state) throw new Error('no record of the layer');
    // As if the layer were merged already, and this its file.
    const overlay = { ...state.overlay, path: inside('precious') };
    const forged = { ...state, base: state.overlay, overlay };
    for (const format of ['qcow2', 'raw']) {
      const disks = [{ ...record.disks[0], state: { ...forged, overlay: { ...overlay, format } } }];
      await writeRecord(guest.domain, 'set', { ...record, disks });
      await expect(set.delete()).rejects.toMatchObject({
        code: 'OPERATION_FAILED',
        outcome: 'unchanged',
        message: expect.stringContaining('Nothing was removed'),
      });
      expect(readFileSync(inside('precious'), 'utf8')).toBe('data');
    }
    await writeRecord(guest.domain, 'set', record);
    await set.delete();
  });
});

describe('a connection that may only read', () => {
  let daemon: PrivateLibvirtd;
  let guest: TestGuest;
  let connection: Connection;
  let reader: Connection;
  beforeAll(async () => {
    daemon = await PrivateLibvirtd.start();
    connection = await daemon.connect();
    guest = await TestGuest.boot({ connection, start: false, agent: false });
    await snapshotDisks(guest.domain, { name: 'seen' });
    reader = await daemon.connect({ readonly: true });
  });
  afterAll(async () => {
    await reader?.close();
    await guest?.close();
    await connection?.close();
    await daemon?.close();
  });
  const domain = () => reader.domainLookupByName(guest.name);

  test('lists, plans, looks and diagnoses', async () => {
    const dom = await domain();
    expect((await listDiskSnapshots(dom)).map(({ name }) => name)).toEqual(['seen']);
    expect((await diskTree(dom)).disks[0]?.layers).toHaveLength(2);
    expect((await planSnapshot(dom, { name: 'next' })).disks).toHaveLength(1);
    expect(await diagnose(dom)).toEqual([]);
  });

  test('says of everything else that it may not, before anything is touched', async () => {
    const dom = await domain();
    const before = await guest.domain.getXMLDesc();
    const files = readdirSync(guest.directory).sort();
    const [set] = await listDiskSnapshots(dom);
    const calls: Record<string, () => Promise<unknown> | undefined> = {
      snapshotDisks: () => snapshotDisks(dom),
      delete: () => set?.delete(),
      recoverDiskSnapshots: () => recoverDiskSnapshots(dom),
    };
    for (const [name, call] of Object.entries(calls)) {
      const error: unknown = await Promise.resolve(call()).catch((e: unknown) => e);
      expect({ name, error }).toMatchObject({ name, error: { code: 'PERMISSION_DENIED', outcome: 'unchanged' } });
      expect((error as Error).message).toContain('without readonly');
    }
    await expect(unquiesceStorage(dom)).rejects.toMatchObject({ name: 'DiskSnapshotError' });
    expect(await guest.domain.getXMLDesc()).toBe(before);
    expect(readdirSync(guest.directory).sort()).toEqual(files);
  });
});
