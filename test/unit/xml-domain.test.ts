// What is read of a domain's XML, what a disk is redefined to, and which disks a snapshot takes.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { child, childrenOf, element, formatXml, parseXml, textOf, XmlError } from '../../lib/xml/document';
import { type DomainDisk, pathSource, readDisk, readDomain, redefineDisk, sourceXml } from '../../lib/xml/domain';
import { diskOnlySnapshot } from '../../lib/xml/snapshot';

// As libvirt 9.0 reports a running guest after one external snapshot of vda.
const running = `<domain type='qemu' id='3' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>web1</name>
  <uuid>6f0a4a52-62f4-4a0e-9a35-7e1a4b1f6f01</uuid>
  <metadata>
    <ds:set xmlns:ds="urn:libvirt-disksnapshot:1:set:1">{"name":"a&lt;b"}</ds:set>
    <app:app xmlns:app="http://example.org/app"><app:owner>Jo</app:owner></app:app>
  </metadata>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk' snapshot='external'>
      <driver name='qemu' type='qcow2' cache='none' discard='unmap'>
        <metadata_cache><max_size unit='bytes'>1048576</max_size></metadata_cache>
      </driver>
      <source file='/images/web1.s1' index='3'>
        <seclabel model='dac' relabel='no'/>
      </source>
      <backingStore type='file' index='1'>
        <format type='qcow2'/>
        <source file='/images/web1.qcow2'/>
        <backingStore type='block' index='2'>
          <format type='raw'/>
          <source dev='/dev/vg0/golden'/>
          <backingStore/>
        </backingStore>
      </backingStore>
      <target dev='vda' bus='virtio'/>
      <serial>disk-a</serial>
      <alias name='virtio-disk0'/>
      <address type='pci' domain='0x0000' bus='0x04' slot='0x1f' function='0x7'/>
    </disk>
    <disk type='block' device='lun'>
      <driver name='qemu' type='raw'/>
      <source dev='/dev/vg0/data' index='4'/>
      <backingStore/>
      <mirror type='file' job='copy'><source file='/images/copy'/></mirror>
      <target dev='sda' bus='scsi'/>
      <shareable/>
      <wwn>5000c50015ea71ac</wwn>
      <address type='drive' controller='1' bus='0' target='2' unit='5'/>
    </disk>
    <disk type='network' device='disk'>
      <driver name='qemu' type='raw'/>
      <source protocol='rbd' name='rbd/img' index='5'>
        <host name='10.0.0.1' port='6789'/>
        <host transport='unix' socket='/run/x'/>
        <snapshot name='s1'/>
        <encryption format='luks'/>
      </source>
      <target dev='vdb' bus='virtio'/>
      <transient/>
    </disk>
    <disk type='volume' device='disk'>
      <source pool='default' volume='d.raw'/>
      <target dev='vdc' bus='virtio'/>
      <address type='ccw' cssid='0xfe' ssid='0x0' devno='0x0'/>
    </disk>
    <disk type='file' device='cdrom'>
      <target dev='sdb' bus='sata'/>
      <readonly/>
    </disk>
    <controller type='scsi' index='1' model='virtio-scsi'>
      <address type='pci' domain='0x0000' bus='0x02' slot='0x0a' function='0x0'/>
    </controller>
    <controller type='sata' index='0'/>
    <channel type='unix'>
      <target type='virtio' name='org.qemu.guest_agent.0' state='disconnected'/>
    </channel>
  </devices>
</domain>`;

function diskOf(xml: string, target: string): DomainDisk {
  const disk = readDomain(xml).disks.find((one) => one.target === target);
  if (!disk) throw new Error(`no disk ${target}`);
  return disk;
}

describe('a domain', () => {
  test('is read with its devices and the metadata of everybody', () => {
    const domain = readDomain(running);
    expect(domain).toMatchObject({
      type: 'qemu',
      name: 'web1',
      uuid: '6f0a4a52-62f4-4a0e-9a35-7e1a4b1f6f01',
      id: 3,
      emulator: '/usr/bin/qemu-system-x86_64',
      arch: 'x86_64',
      machine: 'pc-q35-7.2',
      hasAgentChannel: true,
      agentConnected: false,
      controllers: [
        { type: 'scsi', index: 1, model: 'virtio-scsi', address: { domain: 0, bus: 2, slot: 10, function: 0 } },
        { type: 'sata', index: 0, model: null, address: null },
      ],
    });
    expect(domain.disks.map(({ target }) => target)).toEqual(['vda', 'sda', 'vdb', 'vdc', 'sdb']);
    expect(domain.metadata.map(({ uri, element }) => [uri, textOf(element)])).toEqual([
      ['urn:libvirt-disksnapshot:1:set:1', '{"name":"a<b"}'],
      ['http://example.org/app', ''],
    ]);
  });

  test('that a caller wrote may say little', () => {
    expect(readDomain("<domain type='kvm'><name>n</name></domain>")).toMatchObject({
      uuid: null,
      id: null,
      emulator: null,
      arch: null,
      disks: [],
      controllers: [],
      hasAgentChannel: false,
      agentConnected: null,
      metadata: [],
    });
  });

  test.each([
    ['another document', '<network><name>n</name></network>', '<network> is no <domain>'],
    ['no name', "<domain type='kvm'/>", 'has no <name>'],
    ['a disk without target', '<domain><name>n</name><devices><disk/></devices></domain>', 'no <target dev'],
  ])('%s is refused', (_what, xml, message) => {
    expect(() => readDomain(xml)).toThrow(XmlError);
    expect(() => readDomain(xml)).toThrow(message);
  });
});

describe('a disk', () => {
  test('of a file, with its chain', () => {
    expect(diskOf(running, 'vda')).toMatchObject({
      device: 'disk',
      type: 'file',
      format: 'qcow2',
      sourcePath: '/images/web1.s1',
      bus: 'virtio',
      snapshot: 'external',
      serial: 'disk-a',
      alias: 'virtio-disk0',
      readonly: false,
      shareable: false,
      transient: false,
      hasMirror: false,
      encrypted: false,
      address: { type: 'pci', domain: 0, bus: 4, slot: 31, function: 7 },
      backingChain: [
        { type: 'file', format: 'qcow2', sourcePath: '/images/web1.qcow2' },
        { type: 'block', format: 'raw', sourcePath: '/dev/vg0/golden' },
      ],
      backingChainComplete: true,
    });
  });

  test('of a block device, with a job running', () => {
    expect(diskOf(running, 'sda')).toMatchObject({
      device: 'lun',
      type: 'block',
      sourcePath: '/dev/vg0/data',
      shareable: true,
      hasMirror: true,
      wwn: '5000c50015ea71ac',
      address: { type: 'drive', controller: 1, bus: 0, target: 2, unit: 5 },
      backingChain: [],
      backingChainComplete: true,
    });
  });

  test('on the network', () => {
    expect(diskOf(running, 'vdb')).toMatchObject({
      sourcePath: null,
      network: {
        protocol: 'rbd',
        name: 'rbd/img',
        hosts: [
          { name: '10.0.0.1', port: '6789', transport: null, socket: null },
          { name: null, port: null, transport: 'unix', socket: '/run/x' },
        ],
        snapshot: 's1',
      },
      transient: true,
      encrypted: true,
      backingChainComplete: false,
    });
  });

  test('of a volume, and an empty drive', () => {
    expect(diskOf(running, 'vdc')).toMatchObject({
      type: 'volume',
      format: null,
      sourcePath: null,
      volume: { pool: 'default', name: 'd.raw' },
      address: null,
    });
    expect(diskOf(running, 'sdb')).toMatchObject({ device: 'cdrom', source: null, sourcePath: null, readonly: true });
  });

  test('is written as libvirt would read it', () => {
    const { xml } = diskOf(running, 'vda');
    expect(readDisk(xml)).toMatchObject({ target: 'vda', sourcePath: '/images/web1.s1' });
  });

  test("<source> is given without libvirt's running number", () => {
    expect(sourceXml(diskOf(running, 'sda'))).toBe("<source dev='/dev/vg0/data'/>");
    expect(sourceXml(diskOf(running, 'vda'))).toBe(
      "<source file='/images/web1.s1'><seclabel model='dac' relabel='no'/></source>",
    );
    expect(sourceXml(diskOf(running, 'sdb'))).toBeNull();
    expect(diskOf(running, 'sda').source?.attributes.index).toBe('4');
  });
});

describe('redefinition', () => {
  const redefined = redefineDisk(running, 'vda', {
    source: pathSource('block', '/dev/x'),
    type: 'block',
    format: 'raw',
  });
  const disk = diskOf(redefined, 'vda');

  test('puts the new image under the disk, and forgets the old chain', () => {
    expect(disk).toMatchObject({
      type: 'block',
      format: 'raw',
      sourcePath: '/dev/x',
      backingChain: [],
      backingChainComplete: false,
    });
    expect(child(disk.element, 'backingStore')).toBeUndefined();
    expect(disk.source?.attributes).toEqual({ dev: '/dev/x' });
  });

  test('keeps how the disk is driven, less what only qcow2 takes', () => {
    const driver = child(disk.element, 'driver');
    expect(driver?.attributes).toEqual({ name: 'qemu', type: 'raw', cache: 'none', discard: 'unmap' });
    expect(driver && childrenOf(driver)).toEqual([]);
    expect(disk).toMatchObject({ serial: 'disk-a', bus: 'virtio', address: { bus: 4 } });
    const qcow2 = diskOf(redefineDisk(running, 'vda', { source: pathSource('file', '/n'), format: 'qcow2' }), 'vda');
    expect(child(qcow2.element, 'driver', 'metadata_cache', 'max_size')).toBeDefined();
    expect(qcow2.type).toBe('file');
  });

  test("keeps the source's security label, unless the new one brings its own", () => {
    const labels = (xml: string) => childrenOf(diskOf(xml, 'vda').source ?? element('none'), 'seclabel');
    expect(labels(redefined)).toHaveLength(1);
    const own = element('source', { file: '/n' }, element('seclabel', { model: 'selinux', relabel: 'no' }));
    expect(
      labels(redefineDisk(running, 'vda', { source: own, format: 'qcow2' })).map((l) => l.attributes.model),
    ).toEqual(['selinux']);
  });

  test('drops the mirror of an unfinished job', () => {
    const changed = redefineDisk(running, 'sda', { source: pathSource('block', '/dev/y'), format: 'raw' });
    expect(diskOf(changed, 'sda')).toMatchObject({ hasMirror: false, sourcePath: '/dev/y' });
  });

  test('gives an element <driver> to a disk that has none', () => {
    const changed = redefineDisk(running, 'vdc', { source: pathSource('file', '/n'), type: 'file', format: 'qcow2' });
    expect(diskOf(changed, 'vdc')).toMatchObject({ type: 'file', format: 'qcow2', volume: null });
  });

  test('leaves everything else as it was', () => {
    const without = (xml: string) => {
      const root = parseXml(xml);
      const devices = child(root, 'devices');
      if (!devices) throw new Error('no devices');
      devices.children = devices.children.filter(
        (node) => typeof node === 'string' || child(node, 'target')?.attributes.dev !== 'vda',
      );
      return root;
    };
    expect(without(redefined)).toEqual(without(running));
  });

  test('keeps what others wrote into the metadata, comments and CDATA too', () => {
    const theirs = '<app:owner xmlns:app="urn:app"><!-- a note --><![CDATA[x < y]]></app:owner>';
    const disk = "<disk><source file='/o'/><target dev='vda'/></disk>";
    const domain = `<domain><metadata>${theirs}<b/></metadata><devices>${disk}</devices></domain>`;
    expect(redefineDisk(domain, 'vda', { source: element('source', { file: '/n' }), format: 'raw' })).toContain(theirs);
  });

  test('does not touch the source that was passed', () => {
    const source = element('source', { file: '/n', index: 7 });
    redefineDisk(running, 'vda', { source, format: 'qcow2' });
    expect(source).toEqual(element('source', { file: '/n', index: 7 }));
  });

  test('of a disk that is not there is refused', () => {
    expect(() => redefineDisk(running, 'vdz', { source: element('source'), format: 'raw' })).toThrow("no disk 'vdz'");
  });

  test('holds any path as it is', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (name) => {
        const path = `/images/${name}`;
        expect(
          diskOf(redefineDisk(running, 'vda', { source: pathSource('file', path), format: 'qcow2' }), 'vda').sourcePath,
        ).toBe(path);
      }),
      { examples: [['it\'s <b> & "c"\t\n']] },
    );
  });
});

describe('a snapshot of some disks', () => {
  test('names the others, so that libvirt leaves them alone', () => {
    const xml = diskOnlySnapshot("s'1", {
      external: [
        { target: 'vda', path: '/images/web1.<s>', format: 'qcow2' },
        { target: 'vdb', path: '/dev/vg0/o', type: 'block', format: 'qcow2' },
      ],
      excluded: ['vdc'],
    });
    expect(formatXml(xml, { indent: '  ' })).toBe(`<domainsnapshot>
  <name>s'1</name>
  <disks>
    <disk name='vda' snapshot='external' type='file'>
      <driver type='qcow2'/>
      <source file='/images/web1.&lt;s&gt;'/>
    </disk>
    <disk name='vdb' snapshot='external' type='block'>
      <driver type='qcow2'/>
      <source dev='/dev/vg0/o'/>
    </disk>
    <disk name='vdc' snapshot='no'/>
  </disks>
</domainsnapshot>`);
  });
});
