// The definition of a helper domain: nothing but one disk of the guest.
import { expect, test } from '@jest/globals';
import { helperXml } from '../../lib/disk-snapshot/merge/helper-domain';
import { child } from '../../lib/xml/document';
import { readDomain } from '../../lib/xml/domain';

const guest = readDomain(`<domain type='kvm'>
  <name>web &amp; db</name><uuid>11111111-2222-3333-4444-555555555555</uuid><memory unit='GiB'>64</memory>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><kernel>/boot/k</kernel></os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/><source file='/i/a&lt;b'/>
      <backingStore type='file'><format type='raw'/><source file='/wrong'/></backingStore>
      <target dev='sda' bus='scsi'/><serial>XYZ</serial><boot order='1'/><address type='drive' unit='3'/></disk>
    <disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/vg/lv' index='1'/>
      <encryption format='luks'><secret type='passphrase' uuid='66666666-2222-3333-4444-555555555555'/></encryption>
      <target dev='vdb' bus='virtio'/></disk>
    <interface type='network'><source network='default'/></interface>
  </devices>
  <seclabel type='static' model='dac' relabel='yes'><label>vm:vm</label></seclabel>
  <seclabel type='dynamic' model='apparmor' relabel='yes'/>
</domain>`);

test('holds one disk, with its format and without a guess at what lies below', () => {
  const helper = readDomain(helperXml(guest, guest.disks[0] as (typeof guest.disks)[0]));

  expect(helper).toMatchObject({
    type: 'kvm',
    name: 'libvirt-disksnapshot-11111111-2222-3333-4444-555555555555-sda',
    arch: 'x86_64',
    machine: 'pc-q35-7.2',
    emulator: '/usr/bin/qemu-system-x86_64',
  });
  expect(helper.disks).toHaveLength(1);
  expect(helper.disks[0]).toMatchObject({
    target: 'vda',
    bus: 'virtio',
    sourcePath: '/i/a<b',
    format: 'qcow2',
    serial: null,
  });
  expect(helper.disks[0]?.backingChain).toEqual([]);
  expect(child(helper.root, 'devices', 'interface')).toBeUndefined();
  expect(child(helper.root, 'os', 'kernel')).toBeUndefined();
});

test('opens what the guest may open: its secret, and the labels that were given to it', () => {
  const helper = readDomain(helperXml(guest, guest.disks[1] as (typeof guest.disks)[1]));

  expect(helper.disks[0]).toMatchObject({ type: 'block', sourcePath: '/dev/vg/lv', format: 'raw', encrypted: true });
  expect(helper.disks[0]?.source?.attributes.index).toBeUndefined();
  expect(child(helper.root, 'seclabel')?.attributes).toMatchObject({ type: 'static', model: 'dac' });
  expect(helper.root.children.filter((c) => typeof c !== 'string' && c.name === 'seclabel')).toHaveLength(1);
});
