// Members that no other test of the test driver needs: each is called with success, and what it did is looked at by another.
import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import {
  type Domain,
  DomainDestroyFlagsValues,
  DomainEventType,
  DomainLifecycle,
  DomainLifecycleAction,
  DomainModificationImpact,
  DomainProcessSignal,
  DomainState,
  ErrorNumber,
  NetworkCreateFlags,
  NetworkDefineFlags,
  NetworkUpdateCommand,
  NetworkUpdateFlags,
  NetworkUpdateSection,
  StoragePoolBuildFlags,
} from '../../lib/libvirt';
import { rejection, testDriver } from './test-driver';

const driver = testDriver();
const { CONFIG, LIVE } = DomainModificationImpact;
const guestXml = (
  name: string,
) => `<domain type='test'><name>${name}</name><memory>65536</memory><vcpu current='1'>2</vcpu>
  <os><type>hvm</type></os><devices>
  <interface type='network'><mac address='52:54:00:11:22:33'/><source network='default'/><target dev='testnet0'/></interface>
  </devices></domain>`;

/** A guest of its own, that runs; it goes with the test. */
async function withGuest(name: string, use: (domain: Domain) => Promise<void>): Promise<void> {
  const defined = await driver.connection.domainDefineXML(guestXml(name));
  await defined.create();
  const domain = await driver.connection.domainLookupByName(name);
  try {
    await use(domain);
  } finally {
    if (await domain.isActive()) await domain.destroy();
    await domain.undefineFlags(0);
  }
}

describe('the connection', () => {
  test('who is at the other end', async () => {
    const { connection } = driver;
    expect(await connection.getVersion()).toBe(2);
    expect(await connection.isEncrypted()).toBe(false);
    expect(await connection.getSysinfo()).toContain("<sysinfo type='smbios'>");
    expect(await connection.nodeGetFreePages([4], 0, 2)).toEqual(expect.any(Array));
  });

  test('guests: how many are off, and the old name of domainCreateXML', async () => {
    const { connection } = driver;
    const off = await connection.domainDefineXML(guestXml('off'));
    expect(await connection.numOfDefinedDomains()).toBe(1);
    await off.undefine();
    expect(await connection.numOfDefinedDomains()).toBe(0);
    const linux = await connection.domainCreateLinux(guestXml('linux'));
    expect((await linux.getState()).state).toBe(DomainState.RUNNING);
    await linux.destroyFlags(DomainDestroyFlagsValues.DEFAULT);
    expect(await rejection(connection.domainLookupByName('linux'))).toMatchObject({ code: ErrorNumber.NO_DOMAIN });
  });

  test('file descriptors go along with a guest that starts', async () => {
    const { connection } = driver;
    await using file = await open('/dev/null');
    const transient = await connection.domainCreateXMLWithFiles(guestXml('files'), [file.fd]);
    expect((await transient.getState()).state).toBe(DomainState.RUNNING);
    await transient.destroy();
    const defined = await connection.domainDefineXML(guestXml('files'));
    await defined.createWithFiles([file.fd]);
    expect(await defined.isActive()).toBe(true);
    await defined.destroy();
    await defined.undefine();
    // They are the caller's: libvirt has closed none.
    expect((await file.stat()).isCharacterDevice()).toBe(true);
  });

  test('networks: validated, and changed in one place', async () => {
    const { connection } = driver;
    const xml = (name: string, bridge: string) =>
      `<network><name>${name}</name><bridge name='${bridge}'/><ip address='10.7.0.1' netmask='255.255.255.0'><dhcp><range start='10.7.0.2' end='10.7.0.9'/></dhcp></ip></network>`;
    const defined = await connection.networkDefineXMLFlags(xml('flagged', 'virbr7'), NetworkDefineFlags.VALIDATE);
    expect(await connection.numOfDefinedNetworks()).toBe(1);
    await defined.undefine();
    const network = await connection.networkCreateXMLFlags(xml('running', 'virbr8'), NetworkCreateFlags.VALIDATE);
    await network.update(
      NetworkUpdateCommand.ADD_LAST,
      NetworkUpdateSection.IP_DHCP_HOST,
      -1,
      "<host mac='52:54:00:00:00:01' ip='10.7.0.5'/>",
      NetworkUpdateFlags.LIVE,
    );
    expect(await network.getXMLDesc()).toContain("mac='52:54:00:00:00:01'");
    await network.destroy();
  });

  test('interfaces: what was changed is kept; one goes', async () => {
    const { connection } = driver;
    await connection.interfaceChangeBegin();
    const eth = await connection.interfaceLookupByName('eth1');
    const xml = (await eth.getXMLDesc()).replaceAll('eth1', 'eth7').replace(eth.getMACString(), 'aa:bb:cc:dd:ee:07');
    const added = await connection.interfaceDefineXML(xml);
    await connection.interfaceChangeCommit();
    expect(await connection.listDefinedInterfaces()).toEqual(['eth7']);
    expect(await connection.numOfDefinedInterfaces()).toBe(1);
    await added.create();
    expect(await connection.numOfDefinedInterfaces()).toBe(0);
    await added.destroy();
    expect(await connection.listDefinedInterfaces()).toEqual(['eth7']);
    await added.undefine();
    expect(await connection.listDefinedInterfaces()).toEqual([]);
  });
});

describe('storage', () => {
  const xml = (name: string) =>
    `<pool type='dir'><name>${name}</name><target><path>/pools/${name}</path></target></pool>`;

  test('pools: defined, built, started, found by each name, removed', async () => {
    const { connection } = driver;
    const pool = await connection.storagePoolDefineXML(xml('mine'));
    expect(await connection.listDefinedStoragePools()).toEqual(['mine']);
    expect(await connection.numOfDefinedStoragePools()).toBe(1);
    await pool.build(StoragePoolBuildFlags.NEW);
    await pool.create();
    expect((await connection.listStoragePools()).sort()).toEqual(['default-pool', 'mine']);
    expect(await connection.numOfStoragePools()).toBe(2);
    expect(await pool.isPersistent()).toBe(true);
    await pool.setAutostart(1);
    expect(await pool.getAutostart()).toBe(1);
    for (const same of [
      await connection.storagePoolLookupByUUID(pool.getUUID()),
      await connection.storagePoolLookupByUUIDString(pool.getUUIDString()),
    ])
      expect(same.getName()).toBe('mine');
    expect(await pool.getXMLDesc()).toContain('<path>/pools/mine</path>');
    await pool.destroy();
    await pool.delete();
    await pool.undefine();
    expect(await connection.listDefinedStoragePools()).toEqual([]);
    expect(await connection.findStoragePoolSources('logical')).toContain('<name>testvg1</name>');
  });

  test('volumes: made, copied, found by each name, removed', async () => {
    const { connection } = driver;
    const pool = await connection.storagePoolCreateXML(xml('volumes'));
    const volumeXml = (name: string) =>
      `<volume><name>${name}</name><capacity unit='bytes'>1048576</capacity><allocation>0</allocation></volume>`;
    const volume = await pool.storageVolCreateXML(volumeXml('first'));
    const copy = await pool.storageVolCreateXMLFrom(volumeXml('second'), volume);
    expect((await pool.listVolumes()).sort()).toEqual(['first', 'second']);
    expect(await pool.numOfVolumes()).toBe(2);
    expect(await volume.getPath()).toBe('/pools/volumes/first');
    expect((await connection.storageVolLookupByPath('/pools/volumes/first')).getKey()).toBe(volume.getKey());
    expect((await connection.storageVolLookupByKey(copy.getKey())).getName()).toBe('second');
    expect((await volume.storagePoolLookupByVolume()).getName()).toBe('volumes');
    expect((await volume.getInfo()).capacity).toBe(1_048_576n);
    expect(await copy.getXMLDesc()).toContain('<name>second</name>');
    await copy.delete();
    expect(await pool.listVolumes()).toEqual(['first']);
    await volume.delete();
    await pool.destroy();
  });
});

test('snapshots: the tree, by names and by handles', async () => {
  const { domain } = driver;
  const xml = (name: string) => `<domainsnapshot><name>${name}</name></domainsnapshot>`;
  const first = await domain.snapshotCreateXML(xml('first'));
  const second = await domain.snapshotCreateXML(xml('second'));
  expect((await domain.snapshotCurrent()).getName()).toBe('second');
  expect(await domain.hasCurrentSnapshot()).toBe(true);
  expect((await domain.snapshotListNames()).sort()).toEqual(['first', 'second']);
  expect((await domain.snapshotLookupByName('first')).domain).toBe(domain);
  expect((await second.getParent()).getName()).toBe('first');
  expect(await first.numChildren()).toBe(1);
  expect(await first.listChildrenNames()).toEqual(['second']);
  expect((await first.listAllChildren()).map((child) => child.getName())).toEqual(['second']);
  expect(await first.hasMetadata()).toBe(true);
  await second.delete();
  await first.delete();
  expect(await domain.hasCurrentSnapshot()).toBe(false);
});

describe('a guest', () => {
  test('its counters: CPUs, network, messages, label', () =>
    withGuest('counted', async (domain) => {
      expect(await domain.getCPUStats(-1, 1)).toEqual([
        { cpu_time: expect.any(BigInt), user_time: expect.any(BigInt), system_time: expect.any(BigInt) },
      ]);
      // One of each CPU that this machine has.
      expect(await domain.getCPUStats(0, 0)).toHaveLength(Number(execFileSync('nproc', ['--all'])));
      expect((await domain.interfaceStats('testnet0')).rx_bytes).toBeGreaterThan(0n);
      expect(await domain.getMessages()).toEqual([]);
      expect(await domain.getSecurityLabel()).toEqual({ label: 'libvirt-test', enforcing: 1 });
      expect(await domain.getMaxVcpus()).toBe(2);
    }));

  test('what it may use: set, and told', () =>
    withGuest('tuned', async (domain) => {
      // The driver takes them, and tells its own all the same.
      await domain.setSchedulerParameters({ weight: 17 });
      await domain.setSchedulerParametersFlags({ weight: 18 });
      expect((await domain.getSchedulerParameters()).weight).toBe(50);
      await domain.setBlkioParameters({ weight: 500 }, CONFIG);
      expect((await domain.getBlkioParameters(CONFIG)).weight).toBe(500);
      await domain.setNumaParameters({ numa_nodeset: '0', numa_mode: 0 }, CONFIG);
      expect(await domain.getNumaParameters(CONFIG)).toMatchObject({ numa_nodeset: '0', numa_mode: 0 });
      await domain.setPerfEvents({ cpu_clock: true, cmt: false }, CONFIG);
      expect(await domain.getPerfEvents(CONFIG)).toMatchObject({ cpu_clock: true, cmt: false });
      await domain.setInterfaceParameters('testnet0', { 'inbound.average': 100 }, CONFIG);
      expect((await domain.getInterfaceParameters('testnet0', CONFIG))['inbound.average']).toBe(100);
      await domain.setMemoryFlags(32_768, LIVE);
      expect((await domain.getInfo()).memory).toBe(32_768);
      await domain.setVcpus(2);
      expect((await domain.getInfo()).nrVirtCpu).toBe(2);
      await domain.pinVcpu(1, [0]);
      expect((await domain.getVcpuPinInfo())[1]).toEqual([0]);
      await domain.addIOThread(3, LIVE);
      await domain.setIOThreadParams(3, { poll_max_ns: 1000n, poll_grow: 2 }, LIVE);
      await domain.pinIOThread(3, [1], LIVE);
      expect(await domain.getIOThreadInfo(LIVE)).toEqual([{ iothread_id: 3, cpumap: [1] }]);
      await domain.delIOThread(3, LIVE);
      expect(await domain.getIOThreadInfo(LIVE)).toEqual([]);
    }));

  test('what happens to it: NMI, signals, what follows a power-off, its start with the host', () =>
    withGuest('pushed', async (domain) => {
      await domain.injectNMI();
      await domain.sendProcessSignal(1, DomainProcessSignal.TERM);
      await domain.setLifecycleAction(DomainLifecycle.CRASH, DomainLifecycleAction.RESTART, CONFIG);
      expect(await domain.getXMLDesc()).toContain('<on_crash>');
      await domain.setAutostart(1);
      expect(await domain.getAutostart()).toBe(1);
      expect(await rejection(domain.getLaunchSecurityInfo())).toMatchObject({ name: 'LibvirtError' });
      await using events = await domain.subscribe('lifecycle');
      await domain.destroyFlags(DomainDestroyFlagsValues.DEFAULT);
      for await (const { event } of events) {
        expect(event).toBe(DomainEventType.STOPPED);
        break;
      }
    }));
});
