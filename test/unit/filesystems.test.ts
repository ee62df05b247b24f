// Which mounts lie on which disks, and which of them a freeze must name.
import { describe, expect, test } from '@jest/globals';
import type { AgentDisk } from '../../lib/disk-snapshot/freeze/agent';
import { type GuestMount, locateMounts, selectFilesystems } from '../../lib/disk-snapshot/freeze/filesystems';
import { readDomain } from '../../lib/xml/domain';

const pciXml = (bus: number, slot: number) =>
  `<address type='pci' domain='0x0000' bus='0x0${bus}' slot='0x${slot.toString(16).padStart(2, '0')}' function='0x0'/>`;
const driveXml = (controller: number, unit: number) =>
  `<address type='drive' controller='${controller}' bus='0' target='0' unit='${unit}'/>`;
const diskXml = (target: string, bus: string, address: string) =>
  `<disk type='file' device='disk'><source file='/${target}'/><target dev='${target}' bus='${bus}'/>${address}</disk>`;
const machine = readDomain(`<domain type='qemu'><name>web1</name><devices>
  ${diskXml('vda', 'virtio', pciXml(4, 0))}
  ${diskXml('vdb', 'virtio', pciXml(5, 0))}
  ${diskXml('sda', 'scsi', driveXml(0, 1))}
  ${diskXml('sdb', 'scsi', driveXml(1, 1))}
  ${diskXml('sdc', 'sata', driveXml(0, 1))}
  <controller type='scsi' index='0'>${pciXml(1, 0)}</controller>
  <controller type='scsi' index='1'>${pciXml(2, 0)}</controller>
  <controller type='sata' index='0'>${pciXml(0, 31)}</controller>
</devices></domain>`);

const at = (bus: number, slot: number, unit = 0): AgentDisk => ({
  pci: { domain: 0, bus, slot, function: 0 },
  bus: 0,
  target: 0,
  unit,
});
const located = (...disks: AgentDisk[]) =>
  locateMounts([{ name: 'x1', mountpoint: '/mnt', type: 'ext4', disks }], machine).map((mount) => [
    mount.disks,
    mount.placed,
  ])[0];

describe('the disks of a file system', () => {
  test('a virtio disk is known by its own PCI address', () => {
    expect(located(at(4, 0))).toEqual([['vda'], true]);
    expect(located(at(5, 0))).toEqual([['vdb'], true]);
  });
  test('a disk on a controller is known by the controller and the place on it', () => {
    expect(located(at(1, 0, 1))).toEqual([['sda'], true]);
    expect(located(at(2, 0, 1))).toEqual([['sdb'], true]);
    expect(located(at(0, 31, 1))).toEqual([['sdc'], true]);
  });
  test('a place that no disk has is on none of ours, for all we know', () => {
    expect(located(at(1, 0, 7))).toEqual([[], false]);
    expect(located(at(9, 0))).toEqual([[], false]);
    expect(located({ ...at(-1, -1), bus: -1 })).toEqual([[], false]);
  });
  test('a file system over several disks has them all, each once', () => {
    expect(located(at(4, 0), at(1, 0, 1), at(4, 0))).toEqual([['vda', 'sda'], true]);
  });
  test('one unknown disk among several leaves the place open', () => {
    expect(located(at(4, 0), at(9, 0))).toEqual([['vda'], false]);
  });
  test('a loop device has none', () => {
    expect(located()).toEqual([[], false]);
  });
});

/** `device mountpoint [targets]`, oldest first, as a person would mount them. */
function mounts(...lines: string[]): GuestMount[] {
  return lines
    .map((line) => {
      const [device = '', mountpoint = '', targets = '', fsType = 'ext4'] = line.split(' ');
      const disks = targets === '-' ? [] : targets.split(',');
      return { device, mountpoint, fsType, disks, placed: disks.length > 0 };
    })
    .reverse();
}
const frozen = (list: GuestMount[], targets: readonly string[] | 'all') =>
  selectFilesystems(list, targets).filesystems.map(({ mountpoint }) => mountpoint);

describe('what is frozen', () => {
  const plain = mounts('vda1 / vda', 'vda2 /home vda', 'vdb /srv vdb', 'vdc /var/lib/db vdc');

  test('only what lies on the wanted disks, in the order of mounting', () => {
    expect(frozen(plain, ['vda'])).toEqual(['/', '/home']);
    expect(frozen(plain, ['vdc', 'vdb'])).toEqual(['/srv', '/var/lib/db']);
    expect(frozen(plain, 'all')).toEqual(['/', '/home', '/srv', '/var/lib/db']);
  });
  test('nothing for a disk without a file system', () => {
    expect(frozen(plain, ['vdx'])).toEqual([]);
    expect(frozen([], 'all')).toEqual([]);
  });
  test('a file system mounted several times once: the agent counts devices, not mounts', () => {
    expect(frozen(mounts('vda / vda', 'vdb /srv vdb', 'vdb /srv/bind vdb', 'vdb /export vdb'), ['vdb'])).toEqual([
      '/srv',
    ]);
  });
  test('a file system over several disks for each of them', () => {
    const volume = mounts('vda / vda', 'dm-0 /data vdb,vdc');
    expect(frozen(volume, ['vdb'])).toEqual(['/data']);
    expect(frozen(volume, ['vdc'])).toEqual(['/data']);
    expect(frozen(volume, ['vda'])).toEqual(['/']);
  });
  test('one whose disks the guest does not know may lie on any', () => {
    const list = mounts('vda / vda', 'loop0 /mnt/image -');
    expect(frozen(list, ['vda'])).toEqual(['/', '/mnt/image']);
    expect(selectFilesystems(list, ['vdz']).filesystems).toEqual([
      { mountpoint: '/mnt/image', fsType: 'ext4', disks: [] },
    ]);
  });
  test('names that mean something to JavaScript are names', () => {
    expect(frozen(mounts('__proto__ /constructor vda constructor'), ['vda'])).toEqual(['/constructor']);
  });
});

describe('covered mounts', () => {
  test('another mount on the same folder: the path leads to that one', () => {
    const list = mounts('vda / vda', 'vdb /srv vdb', 'vdc /srv vdc');
    expect(frozen(list, ['vdc'])).toEqual(['/srv']);
    expect(selectFilesystems(list, ['vdb'])).toEqual({
      filesystems: [],
      unfreezable: [],
      covered: [{ mountpoint: '/srv', fsType: 'ext4', disks: ['vdb'] }],
    });
  });
  test('a mount on a folder above hides those below it', () => {
    const list = mounts('vda / vda', 'vdb /srv/a vdb', 'vdc /srv vdc', 'vdd /srv/b vdd');
    expect(selectFilesystems(list, ['vdb']).covered).toHaveLength(1);
    expect(frozen(list, ['vdc', 'vdd'])).toEqual(['/srv', '/srv/b']);
  });
  test('a neighbour whose name begins alike hides nothing', () => {
    expect(frozen(mounts('vda / vda', 'vdb /srv2 vdb', 'vdc /srv vdc'), ['vdb'])).toEqual(['/srv2']);
  });
  test('a second mount elsewhere is used where the first is covered', () => {
    const list = mounts('vda / vda', 'vdb /srv vdb', 'vdb /export vdb', 'vdc /srv vdc');
    expect(frozen(list, ['vdb'])).toEqual(['/export']);
  });
  test('so does the same file system, mounted again above: the folder may not be in it', () => {
    expect(frozen(mounts('vda / vda', 'vdb /srv/a vdb', 'vdb /srv vdb'), ['vdb'])).toEqual(['/srv']);
  });
  test('on the same folder, the same file system is as good', () => {
    expect(frozen(mounts('vda / vda', 'vdb /srv vdb', 'vdb /srv vdb'), ['vdb'])).toEqual(['/srv']);
  });
  test('the root hides nobody, whenever it is listed', () => {
    expect(frozen(mounts('vdb /usr vdb', 'vda / vda'), 'all')).toEqual(['/usr', '/']);
  });
});

describe('what cannot be frozen', () => {
  const list = mounts('vda2 / vda', 'vda1 /boot/efi vda vfat', 'sr0 /media vda iso9660', 'vdb /win vdb NTFS');

  test('FAT stays as it is, and is told', () => {
    expect(selectFilesystems(list, ['vda'])).toEqual({
      filesystems: [{ mountpoint: '/', fsType: 'ext4', disks: ['vda'] }],
      unfreezable: [{ mountpoint: '/boot/efi', fsType: 'vfat', disks: ['vda'] }],
      covered: [],
    });
  });
  test('Windows freezes NTFS, Linux does not', () => {
    expect(frozen(list, ['vdb'])).toEqual(['/win']);
    expect(selectFilesystems(mounts('vdb /win vdb ntfs3'), ['vdb']).unfreezable).toHaveLength(1);
  });
});

test('a list as long as a hostile guest likes costs no more than its length', () => {
  const deep = `/${'a/'.repeat(2000)}`;
  const list = Array.from({ length: 5000 }, (_, i) => ({
    device: `d${i}`,
    mountpoint: i % 50 === 0 ? `${deep}${i}` : `/m/${i}`,
    fsType: 'ext4',
    disks: ['vda'],
    placed: true,
  }));
  const before = performance.now();
  expect(selectFilesystems(list, ['vda']).filesystems).toHaveLength(5000);
  expect(performance.now() - before).toBeLessThan(2000);
});
