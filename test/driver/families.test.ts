// Every family of libvirt's functions at work on the test driver, which has one object of each kind; what it lacks says so.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import {
  DomainCheckpoint,
  type DomainMemoryStat,
  ErrorNumber,
  Interface,
  LibvirtError,
  Network,
  NodeDevice,
  VcpuState,
} from '../../lib/libvirt';
import { rejection, testDriver } from './test-driver';

const driver = testDriver();
const folder = mkdtempSync(join(tmpdir(), 'families-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('networks: define, start, look up by each name, stop, undefine', async () => {
  const { connection } = driver;
  const xml =
    "<network><name>lab</name><bridge name='virbr9'/><ip address='10.9.0.1' netmask='255.255.255.0'/></network>";
  const network = await connection.networkDefineXML(xml);
  expect(network).toBeInstanceOf(Network);
  expect(await network.isActive()).toBe(false);
  await network.create();
  expect(await network.getBridgeName()).toBe('virbr9');
  expect(await network.isPersistent()).toBe(true);
  await network.setAutostart(1);
  expect(await network.getAutostart()).toBe(1);
  const same = await connection.networkLookupByUUID(network.getUUID());
  expect(same.getName()).toBe('lab');
  expect((await connection.networkLookupByUUIDString(network.getUUIDString())).connection).toBe(connection);
  expect((await connection.listAllNetworks()).map((one) => one.getName()).sort()).toEqual(['default', 'lab']);
  expect((await connection.listNetworks()).sort()).toEqual(['default', 'lab']);
  expect(await connection.numOfNetworks()).toBe(2);
  await network.destroy();
  expect(await connection.listDefinedNetworks()).toEqual(['lab']);
  await network.undefine();
  expect((await rejection(connection.networkLookupByName('lab'))) as LibvirtError).toMatchObject({
    code: ErrorNumber.NO_NETWORK,
  });
});

test('interfaces: define, bring up, take down; changes are rolled back', async () => {
  const { connection } = driver;
  const eth = await connection.interfaceLookupByName('eth1');
  expect(eth).toBeInstanceOf(Interface);
  expect((await connection.interfaceLookupByMACString(eth.getMACString())).getName()).toBe('eth1');
  await connection.interfaceChangeBegin();
  const xml = (await eth.getXMLDesc()).replaceAll('eth1', 'eth9').replace(eth.getMACString(), 'aa:bb:cc:dd:ee:09');
  const added = await connection.interfaceDefineXML(xml);
  await added.create();
  expect(await added.isActive()).toBe(true);
  expect((await connection.listInterfaces()).sort()).toEqual(['eth1', 'eth9']);
  await connection.interfaceChangeRollback();
  expect(await connection.listInterfaces()).not.toContain('eth9');
});

test('node devices: list, capabilities, parents', async () => {
  const { connection } = driver;
  const devices = await connection.listAllNodeDevices();
  expect(devices.every((device) => device instanceof NodeDevice)).toBe(true);
  const names = devices.map((device) => device.getName());
  expect((await connection.nodeListDevices()).sort()).toEqual([...names].sort());
  expect(await connection.nodeNumOfDevices()).toBe(names.length);
  const computer = await connection.nodeDeviceLookupByName('computer');
  expect(await rejection(computer.getParent())).toBeInstanceOf(LibvirtError);
  expect(await computer.listCaps()).toEqual(['system']);
  expect(await computer.numOfCaps()).toBe(1);
  const child = devices.find((device) => device.getName() !== 'computer');
  expect(await child?.getParent()).toEqual(expect.any(String));
});

test('more names than the first array holds', async () => {
  const { connection } = driver;
  const count = 150;
  for (let i = 0; i < count; i++) {
    await connection.domainDefineXML(
      `<domain type='test'><name>many-${i}</name><memory>1024</memory><os><type>hvm</type></os></domain>`,
    );
  }
  const names = await connection.listDefinedDomains();
  expect(new Set(names).size).toBe(count);
  expect(names).toContain('many-149');
  expect(await connection.listDomains()).toEqual([1]);
});

describe('guests', () => {
  test('processors are numbers of CPUs, not maps of bits', async () => {
    const { domain, connection } = driver;
    const { present, online, cpumap } = await connection.nodeGetCPUMap();
    expect(online).toBe(cpumap.length);
    expect(present).toBeGreaterThanOrEqual(online);
    await domain.pinVcpu(0, [0, 3]);
    const pins = await domain.getVcpuPinInfo();
    expect(pins[0]).toEqual([0, 3]);
    const [first, ...others] = await domain.getVcpus();
    expect(first).toMatchObject({ number: 0, state: VcpuState.RUNNING, cpumap: [0, 3] });
    expect(others).toHaveLength((await domain.getVcpusFlags()) - 1);
    await domain.pinEmulator([1]);
    expect(await domain.getEmulatorPinInfo()).toEqual([1]);
  });

  test('memory, schedulers, counters', async () => {
    const { domain } = driver;
    await domain.setMemory(1_048_576);
    expect((await domain.getInfo()).memory).toBe(1_048_576);
    expect(await domain.getMaxMemory()).toBeGreaterThanOrEqual(1_048_576);
    const stats: DomainMemoryStat[] = await domain.memoryStats();
    expect(stats.every(({ tag, val }) => typeof tag === 'number' && typeof val === 'bigint')).toBe(true);
    expect(stats.length).toBeGreaterThan(0);
    const { type, nparams } = await domain.getSchedulerType();
    expect(type).toBe('fair');
    expect(Object.keys(await domain.getSchedulerParameters())).toHaveLength(nparams);
    await domain.setMemoryParameters({ hard_limit: 2_000_000 });
    expect(await domain.getMemoryParameters()).toMatchObject({ hard_limit: 2_000_000n });
    expect(await domain.getOSType()).toBe('linux');
  });

  test('checkpoints belong to their guest', async () => {
    const { domain } = driver;
    const checkpoint = await domain.checkpointCreateXML('<domaincheckpoint><name>first</name></domaincheckpoint>');
    expect(checkpoint).toBeInstanceOf(DomainCheckpoint);
    expect(checkpoint.domain).toBe(domain);
    const second = await domain.checkpointCreateXML('<domaincheckpoint><name>second</name></domaincheckpoint>');
    expect((await second.getParent()).getName()).toBe('first');
    expect((await second.getParent()).domain).toBe(domain);
    expect((await checkpoint.listAllChildren()).map((one) => one.getName())).toEqual(['second']);
    await second.delete();
    expect(await domain.listAllCheckpoints()).toHaveLength(1);
  });

  test('a name, a core, a saved image', async () => {
    const { domain, connection } = driver;
    await domain.coreDump(join(folder, 'core'));
    await domain.save(join(folder, 'saved'));
    expect(await connection.domainSaveImageGetXMLDesc(join(folder, 'saved'))).toContain('<name>test</name>');
    await connection.domainRestoreFlags(join(folder, 'saved'), null);
    const again = await connection.domainLookupByName('test');
    await again.destroy();
    await again.rename('renamed');
    expect(again.getName()).toBe('test'); // as the handle was made
    const renamed = await connection.domainLookupByName('renamed');
    expect(renamed.getUUIDString()).toBe(again.getUUIDString());
  });
});

test('the host: CPUs, memory, models', async () => {
  const { connection } = driver;
  expect(await connection.nodeGetFreeMemory()).toBeGreaterThan(0n);
  expect(await connection.nodeGetCellsFreeMemory(0, 2)).toHaveLength(2);
  expect(await connection.getMaxVcpus()).toBeGreaterThan(0);
  expect(await connection.getCPUModelNames('x86_64')).toContain('qemu64');
  expect(await connection.nodeGetSecurityModel()).toEqual({ model: expect.any(String), doi: expect.any(String) });
});

test('what the driver lacks is an ordinary error: secrets, filters, migration', async () => {
  const { connection } = driver;
  const domain = await connection.domainLookupByName('renamed');
  await domain.create();
  await domain.sendKey(0, 0, [1, 2]);
  const calls = [
    connection.listAllSecrets(),
    connection.listAllNWFilters(),
    connection.listAllNWFilterBindings(),
    domain.migrate3(connection, { bandwidth: 1 }),
    domain.migrateToURI3('qemu+tcp://nowhere/system', { bandwidth: 1, migrate_disks: ['vda', 'vdb'] }),
  ];
  for (const error of await Promise.all(calls.map(rejection))) {
    expect([ErrorNumber.NO_SUPPORT, ErrorNumber.ARGUMENT_UNSUPPORTED]).toContain((error as LibvirtError).code);
  }
});
