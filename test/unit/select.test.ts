// Which disks a call means: by target, by source path, by XML; and what is refused before anything is touched.
import { describe, expect, test } from '@jest/globals';
import { DiskSnapshotError } from '../../lib/disk-snapshot/errors';
import { findDisk, selectDisks } from '../../lib/disk-snapshot/select';
import { readDomain } from '../../lib/xml/domain';

const document = readDomain(`
<domain type='qemu'>
  <name>web1</name>
  <devices>
    <disk type='file' device='disk'><driver type='qcow2'/><source file='/i/a.qcow2'/><target dev='vda'/></disk>
    <disk type='block' device='disk'><driver type='raw'/><source dev='/dev/vg/b'/><target dev='vdb'/></disk>
    <disk type='file' device='disk'><source file='/i/shared.img'/><target dev='vdc'/></disk>
    <disk type='file' device='disk'><source file='/i/shared.img'/><target dev='vdd'/><readonly/></disk>
    <disk type='file' device='cdrom'><source file='/i/cd.iso'/><target dev='sda'/><readonly/></disk>
    <disk type='file' device='cdrom'><target dev='sdb'/></disk>
  </devices>
</domain>`);

function refusal(work: () => unknown): DiskSnapshotError {
  try {
    work();
  } catch (error) {
    if (error instanceof DiskSnapshotError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('one disk', () => {
  test.each([
    ['its target', 'vda', 'vda'],
    ['the path of its file', '/i/a.qcow2', 'vda'],
    ['the path of its device', '/dev/vg/b', 'vdb'],
    ['<disk> XML with a target', "<disk><target dev='vdb'/></disk>", 'vdb'],
    ['<disk> XML with a source alone', "<disk type='file'><source file='/i/a.qcow2'/></disk>", 'vda'],
    [
      '<disk> XML where target and source disagree: the target names it',
      "<disk><source file='/i/a.qcow2'/><target dev='vdb'/></disk>",
      'vdb',
    ],
  ])('is found by %s', (_how, wanted, target) => {
    expect(findDisk(document, wanted).target).toBe(target);
  });

  test.each([
    ['an unknown target', 'vdz', 'DISK_NOT_FOUND', 'vda (/i/a.qcow2)'],
    ['an empty name', '', 'DISK_NOT_FOUND', 'vda'],
    ['a relative path', 'i/a.qcow2', 'DISK_NOT_FOUND', 'vda'],
    ['a path that two disks share', '/i/shared.img', 'INVALID_ARGUMENT', 'vdc and vdd'],
    ['XML of something else', '<domain/>', 'INVALID_XML', '<domain>'],
    ['XML that names no disk', "<disk type='file'/>", 'INVALID_XML', '<target dev=…>'],
    ['broken XML', '<disk><target></disk>', 'INVALID_XML', 'well-formed'],
    [
      'an external entity',
      "<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><disk>&e;</disk>",
      'INVALID_XML',
      'document type',
    ],
  ])('%s is refused', (_what, wanted, code, says) => {
    const error = refusal(() => findDisk(document, wanted));
    expect(error).toMatchObject({ code, outcome: 'unchanged', guest: 'web1' });
    expect(error.message).toContain(says);
  });
});

describe('several disks', () => {
  test("'all' are those that hold data and can be written", () => {
    expect(selectDisks(document, 'all').map(({ disk }) => disk.target)).toEqual(['vda', 'vdb', 'vdc']);
  });

  test('a list keeps its order', () => {
    expect(selectDisks(document, ['vdb', 'vda']).map(({ disk }) => disk.target)).toEqual(['vdb', 'vda']);
  });

  test('an object gives each its method', () => {
    const selected = selectDisks(document, { vda: 'qemu', vdb: { method: 'qemu', source: '/i/b.s1' } });
    expect(selected.map(({ method }) => method)).toEqual([{ method: 'qemu' }, { method: 'qemu', source: '/i/b.s1' }]);
  });

  test("in an object '*' stands for all others that hold data, null infers the method, and false leaves a disk out", () => {
    const selected = selectDisks(document, { vdc: false, vdb: { method: 'lvm' }, '*': null });
    expect(selected.map(({ disk, method }) => [disk.target, method])).toEqual([
      ['vdb', { method: 'lvm' }],
      ['vda', null],
    ]);
    expect(selectDisks(document, { '*': 'qemu' }).map(({ method }) => method?.method)).toEqual([
      'qemu',
      'qemu',
      'qemu',
    ]);
  });

  test.each([
    ['nothing', [], 'INVALID_ARGUMENT'],
    ['all of them left out', { vda: false as const }, 'INVALID_ARGUMENT'],
    ['an empty object', {}, 'INVALID_ARGUMENT'],
    ['one twice', ['vda', 'vda'], 'INVALID_ARGUMENT'],
    ['one twice, by two names', ['vda', '/i/a.qcow2'], 'INVALID_ARGUMENT'],
    ['an unknown one among known', ['vda', 'vdz'], 'DISK_NOT_FOUND'],
  ])('%s is refused', (_what, disks, code) => {
    expect(refusal(() => selectDisks(document, disks))).toMatchObject({ code, outcome: 'unchanged' });
  });

  test('a value that is no selection at all is a TypeError', () => {
    expect(() => Reflect.apply(selectDisks, undefined, [document, 7])).toThrow(TypeError);
    expect(() => Reflect.apply(selectDisks, undefined, [document, [7]])).toThrow(TypeError);
    expect(() => Reflect.apply(selectDisks, undefined, [document, { vda: undefined }])).toThrow(TypeError);
  });
});
