// The promises of SECURITY.md that need a domain: nothing that a caller or a record says becomes a command, XML or a path
// that was not meant.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { listDiskSnapshots, snapshotDisks } from '../../lib';
import { readJournal, writeRecord } from '../../lib/disk-snapshot/records/journal';
import { qemuStateOf } from '../../lib/disk-snapshot/records/record';
import { TestGuest } from '../../lib/testing';
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
