// Bad input: a typed error that names the culprit and the way out, before anything is touched.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  DiskSnapshotError,
  DomainDeviceModifyFlags,
  DomainMetadataType,
  DomainModificationImpact,
  diskSnapshotCreate,
  listDiskSnapshots,
  planSnapshot,
  quiesceStorage,
  type SnapshotDisksOptions,
  snapshotDisks,
} from '../../lib';
import { TestGuest } from '../../lib/testing';

jest.setTimeout(120_000);

describe('of a guest that is off', () => {
  let guest: TestGuest;
  let before: { xml: string; files: string[] };
  const state = async () => ({
    xml: await guest.domain.getXMLDesc(),
    files: (await readdir(guest.directory, { recursive: true })).sort(),
  });
  const inside = (name: string) => join(guest.directory, name);

  beforeAll(async () => {
    guest = await TestGuest.boot({ disks: [{}, {}, { type: 'cdrom' }], start: false, persistent: true });
    await mkdir(inside('folder'));
    await writeFile(inside('other'), 'data');
    await writeFile(inside('precious'), 'data');
    const readonly = `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${inside('precious')}'/><target dev='vdr' bus='virtio'/><readonly/></disk>`;
    await guest.domain.attachDeviceFlags(readonly, DomainDeviceModifyFlags.CONFIG);
  });
  afterAll(() => guest.close());
  beforeEach(async () => {
    before = await state();
  });
  afterEach(async () => {
    expect(await state()).toEqual(before);
    expect(await readFile(inside('precious'), 'utf8')).toBe('data');
  });

  const to = (source: string) => ({ disks: { vda: { method: 'qemu', source } } });
  const cases: [string, () => SnapshotDisksOptions, object, string][] = [
    ['an unknown disk', () => ({ disks: ['vdz'] }), { code: 'DISK_NOT_FOUND', disk: 'vdz' }, 'vda'],
    ['one disk twice', () => ({ disks: ['vda', 'vda'] }), { code: 'INVALID_ARGUMENT', disk: 'vda' }, 'twice'],
    ['nothing selected', () => ({ disks: [] }), { code: 'INVALID_ARGUMENT' }, "'all'"],
    ['an empty drive', () => ({ disks: ['sda'] }), { code: 'METHOD_UNSUPPORTED', disk: 'sda' }, 'Leave it out'],
    ['a read-only disk', () => ({ disks: ['vdr'] }), { code: 'METHOD_UNSUPPORTED', disk: 'vdr' }, 'read-only'],
    ['an unknown method', () => ({ disks: { vda: 'zfs' } }), { code: 'METHOD_UNKNOWN', disk: 'vda' }, 'zfs'],
    ['a method of later', () => ({ disks: { vda: 'rbd' } }), { code: 'METHOD_UNSUPPORTED', disk: 'vda' }, 'rbd'],
    ['a relative path', () => to('a.qcow2'), { code: 'INVALID_ARGUMENT', disk: 'vda' }, 'absolute'],
    ['a path with ..', () => to('/tmp/../etc/passwd'), { code: 'INVALID_ARGUMENT', disk: 'vda' }, '..'],
    ['a missing folder', () => to('/nowhere/at/all/x'), { code: 'NOT_FOUND', disk: 'vda' }, '/nowhere/at/all'],
    ['an existing file', () => to(inside('other')), { code: 'FILE_EXISTS', disk: 'vda' }, 'other'],
    ['an existing folder', () => to(inside('folder')), { code: 'FILE_EXISTS', disk: 'vda' }, 'folder'],
    ["another disk's image", () => to(guest.image('vdb')), { code: 'IN_USE', disk: 'vda' }, 'vdb'],
    ["the disk's own image", () => to(guest.image('vda')), { code: 'IN_USE', disk: 'vda' }, 'vda'],
    [
      'one place for two disks',
      () => ({ disks: { vda: { method: 'qemu', source: inside('x') }, vdb: { method: 'qemu', source: inside('x') } } }),
      { code: 'INVALID_ARGUMENT', disk: 'vdb' },
      'vda and vdb',
    ],
    [
      'XML that is broken',
      () => ({ disks: { vda: '<diskSnapshot method="qemu">' } }),
      { code: 'INVALID_XML' },
      'line 1',
    ],
    [
      'XML with an external entity',
      () => ({ disks: { vda: '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><diskSnapshot method="&e;"/>' } }),
      { code: 'INVALID_XML' },
      'document type',
    ],
    ['strict without a method', () => ({ strict: true }), { code: 'INVALID_ARGUMENT' }, 'strict'],
    ['a quiesce that nobody can give', () => ({ quiesce: 'required' }), { code: 'QUIESCE_UNAVAILABLE' }, 'is off'],
    ['labels without end', () => ({ labels: { x: 'y'.repeat(1e6) } }), { code: 'LIMIT_EXCEEDED' }, 'metadata'],
    ...['', '.', '..', 'a/b', '-rf', 'a\0b', ' a', 'a\nb', '\ud800'].map(
      (name): [string, () => SnapshotDisksOptions, object, string] => [
        `the name ${JSON.stringify(name)}`,
        () => ({ name }),
        { code: 'INVALID_ARGUMENT' },
        'Choose another',
      ],
    ),
    ['a name of 300 bytes', () => ({ name: 'n'.repeat(300) }), { code: 'LIMIT_EXCEEDED' }, '300'],
  ];

  test.each(cases)('%s is refused', async (_what, options, expected, says) => {
    const error: unknown = await snapshotDisks(guest.domain, options()).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DiskSnapshotError);
    expect(error).toMatchObject({ ...expected, outcome: 'unchanged' });
    expect((error as Error).message).toContain(says);
  });

  test('metadata of others that leave no room: refused, by the plan too, and nothing is written', async () => {
    const uri = 'http://example.org/notes';
    const notes = `<notes>${'n'.repeat(3.5 * 1024 * 1024)}</notes>`;
    await guest.domain.setMetadata(DomainMetadataType.ELEMENT, notes, 'n', uri, DomainModificationImpact.CONFIG);
    const xml = await guest.domain.getXMLDesc();
    try {
      await expect(snapshotDisks(guest.domain)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', outcome: 'unchanged' });
      expect((await planSnapshot(guest.domain)).problems).toMatchObject([{ code: 'LIMIT_EXCEEDED' }]);
      expect(await guest.domain.getXMLDesc()).toBe(xml);
    } finally {
      await guest.domain.setMetadata(DomainMetadataType.ELEMENT, null, 'n', uri, DomainModificationImpact.CONFIG);
      before.xml = await guest.domain.getXMLDesc(); // libvirt leaves an empty <metadata/>
    }
  });

  test('the plan names every reason at once', async () => {
    const plan = await planSnapshot(guest.domain, {
      disks: { vda: { method: 'qemu', source: inside('other') }, vdb: 'rbd', sda: 'qemu' },
      quiesce: 'required',
    });
    expect(plan.ok).toBe(false);
    expect(plan.problems.map(({ code, disk }) => [code, disk])).toEqual([
      ['FILE_EXISTS', 'vda'],
      ['METHOD_UNSUPPORTED', 'vdb'],
      ['METHOD_UNSUPPORTED', 'sda'],
      ['QUIESCE_UNAVAILABLE', undefined],
    ]);
  });

  const wrong: [string, (dom: TestGuest['domain']) => unknown, string][] = [
    ['a domain that is none', () => Reflect.apply(snapshotDisks, null, [{}]), 'ERR_INVALID_ARG_TYPE'],
    ['no domain', () => Reflect.apply(listDiskSnapshots, null, []), 'ERR_INVALID_ARG_TYPE'],
    ['options that are none', (d) => Reflect.apply(snapshotDisks, null, [d, 7]), 'ERR_INVALID_ARG_TYPE'],
    ['null for options', (d) => Reflect.apply(snapshotDisks, null, [d, null]), 'ERR_INVALID_ARG_TYPE'],
    ['a disk that is no string', (d) => Reflect.apply(diskSnapshotCreate, null, [d, 7]), 'ERR_INVALID_ARG_TYPE'],
    ['disks that are a number', (d) => Reflect.apply(snapshotDisks, null, [d, { disks: 7 }]), 'ERR_INVALID_ARG_TYPE'],
    ['a name that is none', (d) => Reflect.apply(snapshotDisks, null, [d, { name: 7 }]), 'ERR_INVALID_ARG_TYPE'],
    ['an unknown quiesce', (d) => Reflect.apply(snapshotDisks, null, [d, { quiesce: 'yes' }]), 'ERR_INVALID_ARG_VALUE'],
    ['an unknown flag', (d) => snapshotDisks(d, { flags: 6 }), 'ERR_OUT_OF_RANGE'],
    ['a freeze of no time', (d) => snapshotDisks(d, { maxFreezeMs: 0 }), 'ERR_OUT_OF_RANGE'],
    ['a freeze of NaN', (d) => snapshotDisks(d, { maxFreezeMs: Number.NaN }), 'ERR_OUT_OF_RANGE'],
    ['a deadline of no time', (d) => snapshotDisks(d, { timeoutMs: -1 }), 'ERR_OUT_OF_RANGE'],
    ['a signal that is none', (d) => Reflect.apply(snapshotDisks, null, [d, { signal: {} }]), 'ERR_INVALID_ARG_TYPE'],
    ['a listener that is none', (d) => Reflect.apply(quiesceStorage, null, [d, { disks: 7 }]), 'ERR_INVALID_ARG_TYPE'],
  ];
  test.each(wrong)('%s rejects, and does not throw', async (_what, call, code) => {
    const promise = call(guest.domain);
    expect(promise).toBeInstanceOf(Promise);
    await expect(promise).rejects.toMatchObject({ code });
  });
});

describe('of a guest that has snapshots', () => {
  test('a second snapshot of the same name is refused, and the first stays', async () => {
    await using guest = await TestGuest.boot({ start: false, persistent: true });
    const first = await snapshotDisks(guest.domain, { name: 'twice' });
    await expect(snapshotDisks(guest.domain, { name: 'twice' })).rejects.toMatchObject({
      code: 'NAME_EXISTS',
      outcome: 'unchanged',
      snapshot: 'twice',
    });
    expect(await listDiskSnapshots(guest.domain)).toHaveLength(1);
    await first.delete();
  });
});

describe('of a guest that is saved', () => {
  test('its snapshot is refused: it would start on its old disks', async () => {
    await using guest = await TestGuest.boot({ persistent: true, restorable: false });
    await guest.domain.managedSave();
    const before = await guest.domain.getXMLDesc();
    await expect(snapshotDisks(guest.domain)).rejects.toMatchObject({ code: 'GUEST_ACTIVE', outcome: 'unchanged' });
    expect(await guest.domain.getXMLDesc()).toBe(before);
    await guest.domain.managedSaveRemove();
    await (await snapshotDisks(guest.domain)).delete();
  });
});

describe('of a folder that nobody may write to', () => {
  test('is told before anything is made', async () => {
    await using guest = await TestGuest.boot({ start: false, persistent: true });
    const source = '/proc/self/overlay.qcow2';
    const error = await snapshotDisks(guest.domain, { disks: { vda: { method: 'qemu', source } } }).catch((e) => e);
    expect(error).toBeInstanceOf(DiskSnapshotError);
    expect(['unchanged', 'undone']).toContain(error.outcome);
    expect(await listDiskSnapshots(guest.domain)).toEqual([]);
  });
});
