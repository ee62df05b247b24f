// What the words of a command line mean, before any hypervisor is asked.
import { describe, expect, test } from '@jest/globals';
import { chooseDisks } from '../../lib/cli/disks';
import { CliError } from '../../lib/cli/failure';
import { seconds, wholeNumber } from '../../lib/cli/options';

describe('which disks', () => {
  test.each([
    ['nothing', {}, 'all'],
    ['a method alone', { method: 'lvm' }, { '*': 'lvm' }],
    ['--disk', { disk: ['vda', 'vdb'] }, { vda: null, vdb: null }],
    ['--disk and --method', { disk: ['vda', 'vdb=qemu'], method: 'lvm' }, { vda: 'lvm', vdb: 'qemu' }],
    ['a source path with =', { disk: ['/images/a=b.qcow2'] }, { '/images/a=b.qcow2': null }],
    ['--diskspec of one: others as usual', { diskspec: ['vda'] }, { vda: null, '*': null }],
    ['--diskspec that leaves one out', { diskspec: ['vda,snapshot=no'] }, { vda: false, '*': null }],
    [
      '--diskspec with a file',
      { diskspec: ['vda,snapshot=external,driver=qcow2,stype=file,file=/i/a.s1'] },
      { vda: { method: 'qemu', mode: 'external', source: '/i/a.s1' }, '*': null },
    ],
    [
      '--diskspec with a comma in the file, doubled as in virsh',
      { diskspec: ['vda,file=/i/a,,b,snapshot=external'] },
      { vda: { method: 'qemu', mode: 'external', source: '/i/a,b' }, '*': null },
    ],
    [
      '--diskspec inside the image',
      { diskspec: ['vda,snapshot=internal'] },
      { vda: { method: 'qemu', mode: 'internal' }, '*': null },
    ],
  ])('%s', (_what, options, disks) => {
    expect(chooseDisks(options)).toEqual(disks);
  });

  test.each([
    ['both ways at once', { disk: ['vda'], diskspec: ['vdb'] }, 'use one of them'],
    ['one twice', { disk: ['vda', 'vda=lvm'] }, 'twice'],
    ['an unknown key', { diskspec: ['vda,size=3'] }, 'snapshot='],
    ['another format', { diskspec: ['vda,driver=raw'] }, 'qcow2'],
    ['a device as overlay', { diskspec: ['vda,stype=block'] }, 'files'],
    ['a file where none is made', { diskspec: ['vda,snapshot=no,file=/x'] }, 'makes no file'],
    ['a snapshot by hand', { diskspec: ['vda,snapshot=manual'] }, 'disksnap quiesce'],
    ['another word', { diskspec: ['vda,snapshot=maybe'] }, 'no, external or internal'],
    ['nothing', { diskspec: [''] }, 'begins with the disk'],
  ])('%s is refused in words', (_what, options, says) => {
    expect(() => chooseDisks(options)).toThrow(CliError);
    expect(() => chooseDisks(options)).toThrow(says);
  });
});

test('times are seconds, kept in milliseconds', () => {
  expect(seconds('0.5')).toBe(500);
  expect(seconds('30')).toBe(30_000);
  for (const wrong of ['', '0', '-1', 'soon', '1e99', '0.0001'])
    expect(() => seconds(wrong)).toThrow('number of seconds');
});

test('a bandwidth is a whole number', () => {
  expect(wholeNumber('200')).toBe(200);
  for (const wrong of ['', '1.5', '-1', 'x']) expect(() => wholeNumber(wrong)).toThrow('whole number');
});
