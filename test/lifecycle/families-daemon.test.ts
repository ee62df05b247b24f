// The families that libvirt's test driver lacks, on a daemon of our own and on guests without a system, which start at once.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  type Connection,
  type Domain,
  DomainConsoleFlags,
  DomainCreateFlags,
  DomainJobType,
  DomainMemoryFlags,
  DomainMetadataType,
  DomainMigrateFlags,
  DomainModificationImpact,
  DomainState,
  ErrorNumber,
  KeycodeSet,
  LibvirtError,
  NetworkEventLifecycleType,
  SecretEventLifecycleType,
  SecretUsageType,
} from '../../lib/libvirt';
import { PrivateLibvirtd } from '../../lib/testing';
import { rejection } from '../driver/test-driver';
import { guestXml, host, next } from './bare-host';

jest.setTimeout(120_000);

const made = host();
const { at } = made;
let conn: Connection;
beforeAll(() => {
  conn = made.conn;
});

test('secrets: any bytes, found by each name; who listens is told', async () => {
  const changed = await conn.subscribe('secret-value-changed');
  const life = await conn.subscribe('secret-lifecycle');
  const secret = await conn.secretDefineXML(
    "<secret ephemeral='yes' private='no'><usage type='ceph'><name>client.admin</name></usage></secret>",
  );
  expect((await next(life)).event).toBe(SecretEventLifecycleType.DEFINED);
  const value = Uint8Array.from([0, 255, 10, 0]);
  await secret.setValue(value);
  expect(await secret.getValue()).toEqual(value);
  expect((await next(changed)).secret.getUUIDString()).toBe(secret.getUUIDString());
  expect([secret.getUsageType(), secret.getUsageID()]).toEqual([SecretUsageType.CEPH, 'client.admin']);
  expect((await conn.secretLookupByUUID(secret.getUUID())).getUsageID()).toBe('client.admin');
  expect(await conn.listSecrets()).toEqual([secret.getUUIDString()]);
  expect(await conn.numOfSecrets()).toBe(1);
  await secret.undefine();
  const usage = rejection(conn.secretLookupByUsage(SecretUsageType.CEPH, 'client.admin'));
  expect(await usage).toMatchObject({ code: ErrorNumber.NO_SECRET });
});

test('network filters: defined, found by each name, changed, removed', async () => {
  const filter = await conn.nwFilterDefineXML("<filter name='quiet' chain='root'/>");
  expect((await conn.nwFilterLookupByName('quiet')).getUUIDString()).toBe(filter.getUUIDString());
  expect((await conn.nwFilterLookupByUUID(filter.getUUID())).getName()).toBe('quiet');
  expect((await conn.nwFilterLookupByUUIDString(filter.getUUIDString())).getName()).toBe('quiet');
  expect(await conn.listNWFilters()).toContain('quiet');
  expect(await conn.numOfNWFilters()).toBe((await conn.listAllNWFilters()).length);
  expect(await filter.getXMLDesc()).toContain("<filter name='quiet'");
  await filter.undefine();
  expect(await conn.listNWFilters()).not.toContain('quiet');
});

test('bindings of network filters: made for a device, found by it, removed', async () => {
  const filter = await conn.nwFilterDefineXML("<filter name='open' chain='root'/>");
  const making = conn.nwFilterBindingCreateXML(
    "<filterbinding><owner><name>web1</name><uuid>d54df46f-1ab5-4a22-8618-4560ef5fac2c</uuid></owner><portdev name='lo'/><mac address='52:54:00:7b:35:93'/><filterref filter='open'/></filterbinding>",
  );
  // libvirt 11.3 wants ebtables also for a filter without rules.
  if ((await conn.getLibVersion()) >= 11_003_000 && !existsSync('/usr/sbin/ebtables')) {
    expect(await rejection(making)).toMatchObject({ message: expect.stringContaining('ebtables') });
    await filter.undefine();
    return;
  }
  const binding = await making;
  expect([binding.getPortDev(), binding.getFilterName()]).toEqual(['lo', 'open']);
  expect((await conn.nwFilterBindingLookupByPortDev('lo')).getFilterName()).toBe('open');
  expect(await binding.getXMLDesc()).toContain("<portdev name='lo'/>");
  expect(await conn.listAllNWFilterBindings()).toHaveLength(1);
  expect(await rejection(filter.undefine())).toMatchObject({ code: ErrorNumber.OPERATION_INVALID });
  await binding.delete();
  expect(await conn.listAllNWFilterBindings()).toEqual([]);
  expect(await rejection(conn.nwFilterBindingLookupByPortDev('lo'))).toMatchObject({
    code: ErrorNumber.NO_NWFILTER_BINDING,
  });
  await filter.undefine();
});

test('networks and their ports', async () => {
  const life = await conn.subscribe('network-lifecycle');
  const network = await conn.networkCreateXML(
    "<network><name>lab</name><forward mode='bridge'/><bridge name='br-lab'/></network>",
  );
  expect((await next(life)).event).toBe(NetworkEventLifecycleType.STARTED);
  const port = await network.portCreateXML(
    "<networkport><uuid>6e2f1d0a-5b3c-4e55-9d0f-3f1a5a1c0b77</uuid><owner><name>web1</name><uuid>d54df46f-1ab5-4a22-8618-4560ef5fac2c</uuid></owner><mac address='52:54:00:7b:35:93'/></networkport>",
  );
  expect(port.network).toBe(network);
  expect((await network.portLookupByUUID(port.getUUID())).getUUIDString()).toBe(port.getUUIDString());
  expect(await network.listAllPorts()).toHaveLength(1);
  expect(await port.getXMLDesc()).toContain("bridge='br-lab'");
  await port.setParameters({ 'inbound.average': 1000 });
  expect(await port.getParameters()).toMatchObject({ 'inbound.average': 1000 });
  await port.delete();
  expect(await network.listAllPorts()).toEqual([]);
  await network.destroy();
});

test('node devices, interfaces and the host: what this machine has', async () => {
  const devices = await conn.listAllNodeDevices();
  expect(devices.map((device) => device.getName())).toContain('computer');
  expect(await (await conn.nodeDeviceLookupByName('computer')).getXMLDesc()).toContain("<capability type='system'>");
  const interfaces = await conn.listAllInterfaces();
  expect(interfaces.map((one) => one.getName())).toEqual(expect.arrayContaining(await conn.listInterfaces()));
  expect(await conn.numOfInterfaces()).toBe((await conn.listInterfaces()).length);
  expect((await conn.nodeGetInfo()).cpus).toBe(Number(execFileSync('nproc', ['--all'])));
  expect(await conn.nodeGetCPUStats(-1)).toMatchObject({ idle: expect.any(BigInt) });
  expect(await conn.nodeGetMemoryStats(-1)).toMatchObject({ total: expect.any(BigInt) });
  expect(await conn.getDomainCapabilities(null, 'x86_64', 'q35', 'qemu')).toContain('<domainCapabilities>');
  expect(await conn.baselineCPU([(await conn.getCapabilities()).match(/<cpu>[\s\S]*?<\/cpu>/)?.[0] ?? ''])).toContain(
    '<cpu',
  );
  expect(await conn.getType()).toBe('QEMU');
});

test('who acts for another does so in every call: none goes over a connection of its own any more', async () => {
  const sockets = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
      } catch {
        return false; // the folder's own
      }
    }).length;
  await using own = await made.daemon.connect();
  const guest = await own.domainCreateXML(guestXml('acted-on'), DomainCreateFlags.START_PAUSED);
  try {
    const ask = () => rejection(guest.qemuAgentCommand('{"execute":"guest-ping"}', 1));
    await own.setIdentity({ 'user-name': 'somebody' });
    const before = sockets();
    expect(await ask()).toBeInstanceOf(LibvirtError);
    expect(sockets()).toBe(before);
  } finally {
    await guest.destroy();
  }
});

describe('a running guest', () => {
  let domain: Domain;
  beforeEach(async () => {
    const disk = (name: string, target: string) => {
      execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', at(name), '8M']);
      return `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${at(name)}'/><target dev='${target}' bus='virtio'/></disk>`;
    };
    const video = "<video><model type='vga'/></video>";
    domain = await conn.domainCreateXML(
      guestXml('plain', disk('disk.qcow2', 'vda') + video),
      DomainCreateFlags.START_PAUSED,
    );
  });
  afterEach(() => domain?.destroy());

  test('its console is a Duplex: the firmware speaks, and hears', async () => {
    const stream = await conn.streamNew();
    await domain.openConsole(null, stream);
    await domain.resume();
    const terminal = stream.duplex();
    terminal.write('\r');
    let said = '';
    for await (const chunk of terminal) {
      said += chunk;
      if (said.includes('No bootable device')) break;
    }
    expect(said).toContain('SeaBIOS');
    await expect(stream.recv(Buffer.alloc(1))).rejects.toThrow('finished or aborted');
  });

  test('its console, closed in good order while it says nothing', async () => {
    const stream = await conn.streamNew();
    await domain.openConsole(null, stream, DomainConsoleFlags.FORCE);
    const terminal = stream.duplex();
    const errors: Error[] = [];
    terminal.on('error', (error) => errors.push(error));
    terminal.resume();
    terminal.end();
    await new Promise((resolve) => terminal.once('close', resolve));
    expect(errors).toEqual([]);
    expect(terminal.writableFinished).toBe(true);
  });

  test('its scheduler, over the wire', async () => {
    const said = await rejection(domain.getSchedulerParameters());
    // Without control groups the daemon has none to tell; it must not refuse the question itself.
    if (said !== undefined) expect(String(said)).not.toContain('too large');
  });

  test('its screen, its keys, its memory, its disk', async () => {
    const stream = await conn.streamNew();
    expect(await domain.screenshot(stream, 0)).toMatch(/^image\/(x-portable-pixmap|png)$/);
    expect(Buffer.concat(await stream.readable().toArray()).length).toBeGreaterThan(100);
    await domain.sendKey(KeycodeSet.LINUX, 10, [28]);
    // A reset vector is a far jump, or it is no PC.
    const vector = await domain.memoryPeek(0xffff0, 16, DomainMemoryFlags.PHYSICAL);
    expect([vector.length, vector[0]]).toEqual([16, 0xea]);
    expect(await rejection(domain.blockPeek('vda', 0, 3))).toMatchObject({ code: ErrorNumber.OPERATION_UNSUPPORTED }); // a qcow2
  });

  test('what is set is told back, and to those who listen', async () => {
    const tuned = await conn.subscribe('tunable', { domain });
    await domain.setBlockIoTune('vda', { total_iops_sec: 100n }, DomainModificationImpact.LIVE);
    expect(await domain.getBlockIoTune('vda')).toMatchObject({ total_iops_sec: 100n });
    expect((await next(tuned)).params).toMatchObject({ 'blkdeviotune.total_iops_sec': 100n });
    const written = await conn.subscribe('metadata-change', { domain });
    await domain.setMetadata(DomainMetadataType.TITLE, 'Wiki', null, null);
    expect((await next(written)).type).toBe(DomainMetadataType.TITLE);
    await domain.addIOThread(7);
    expect((await domain.getIOThreadInfo()).map(({ iothread_id }) => iothread_id)).toEqual([7]);
    expect((await domain.getControlInfo()).state).toBe(0);
    expect(await domain.blockStats('vda')).toMatchObject({ rd_req: expect.any(BigInt) });
    expect(Object.keys(await domain.blockStatsFlags('vda'))).toContain('rd_bytes');
  });

  test('devices come and go', async () => {
    const added = await conn.subscribe('device-added', { domain });
    const rng = "<rng model='virtio'><backend model='random'>/dev/urandom</backend><alias name='ua-rng'/></rng>";
    await domain.attachDevice(rng);
    expect((await next(added)).devAlias).toBe('ua-rng');
    expect(await domain.getXMLDesc()).toContain('ua-rng');
  });

  test('checkpoints and backups: whole, then what has changed', async () => {
    const ended = await conn.subscribe('job-completed', { domain });
    const backup = (file: string, since = '') =>
      `<domainbackup>${since}<disks><disk name='vda' type='file'><driver type='qcow2'/><target file='${at(file)}'/></disk></disks></domainbackup>`;
    const checkpoint = (name: string) => `<domaincheckpoint><name>${name}</name></domaincheckpoint>`;
    await domain.backupBegin(backup('full.qcow2'), checkpoint('monday'));
    await next(ended);
    const again = await conn.subscribe('job-completed', { domain });
    await domain.backupBegin(backup('rest.qcow2', '<incremental>monday</incremental>'), checkpoint('tuesday'));
    await next(again);
    expect((await domain.getJobStats()).type).toBe(DomainJobType.NONE);
    const tuesday = await domain.checkpointLookupByName('tuesday');
    expect((await tuesday.getParent()).getName()).toBe('monday');
    expect(execFileSync('qemu-img', ['compare', at('full.qcow2'), at('disk.qcow2'), '-U'], { encoding: 'utf8' })).toBe(
      'Images are identical.\n',
    );
    execFileSync('qemu-img', ['check', '-q', '-U', at('rest.qcow2')]);
    for (const each of await domain.listAllCheckpoints()) if (each.getName() === 'monday') await each.delete();
    expect((await domain.listAllCheckpoints()).map((each) => each.getName())).toEqual(['tuesday']);
  });
});

test('migration: a guest moves to another daemon while it runs', async () => {
  // The same machine, but it must not say so: libvirt refuses to migrate a guest to where it is.
  await using elsewhere = await PrivateLibvirtd.start({
    configuration: ['host_uuid = "2f6a4f6c-8d0b-4bb5-9d3c-2a8d5c2a7a11"'],
  });
  await using there = await elsewhere.connect();
  const domain = await conn.domainCreateXML(guestXml('traveller'));
  await domain.migrateSetMaxDowntime(300);
  const speed = await domain.migrateGetMaxSpeed();
  expect(speed).toBeGreaterThan(0);
  const iterations = await domain.subscribe('migration-iteration');
  const moved = await domain.migrate3(there, { migrate_uri: `unix://${at('migration')}` }, DomainMigrateFlags.LIVE);
  expect((await next(iterations)).iteration).toBe(1);
  expect(moved.connection).toBe(there);
  expect(moved.getName()).toBe('traveller');
  expect((await moved.getState()).state).toBe(DomainState.RUNNING);
  expect(await rejection(conn.domainLookupByName('traveller'))).toMatchObject({ code: ErrorNumber.NO_DOMAIN });
  await moved.destroy();
});
