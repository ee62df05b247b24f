// Members for a guest of QEMU: what is written into its definition while it is off, what is done to it while it runs, how it moves.
// Each is called with success, and what it did is seen in its document, in its process, or by another member.
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createServer, Socket, connect as toSocket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  type Connection,
  type Domain,
  DomainCoreDumpFlags,
  DomainCoreDumpFormat,
  DomainCreateFlags,
  DomainDestroyFlagsValues,
  DomainJobType,
  DomainLifecycle,
  DomainLifecycleAction,
  DomainMigrateFlags,
  DomainModificationImpact,
  DomainState,
  DomainUndefineFlagsValues,
  ErrorNumber,
} from '../../lib/libvirt';
import { PrivateLibvirtd } from '../../lib/testing';
import { rejection } from '../driver/test-driver';
import { qemuOf } from '../faults/running';
import { guestXml, host, next } from './bare-host';

jest.setTimeout(120_000);
const made = host();
const { CONFIG, LIVE } = DomainModificationImpact;
const MIB = 1024 * 1024;

const image = (name: string, format = 'qcow2', ...backing: string[]) => {
  execFileSync('qemu-img', [
    'create',
    '-q',
    '-f',
    format,
    ...backing,
    made.at(name),
    ...(backing.length ? [] : ['8M']),
  ]);
  return made.at(name);
};
const disk = (path: string, target: string, format = 'qcow2') =>
  `<disk type='file' device='disk'><driver name='qemu' type='${format}'/><source file='${path}'/><target dev='${target}' bus='virtio'/></disk>`;
const NETWORK =
  "<interface type='user'><mac address='52:54:00:11:22:33'/><model type='virtio'/><alias name='ua-net'/></interface>";

/** Two CPUs of which one is on, an IO thread, a display at a socket of its own. */
const richXml = (name: string, more: string) =>
  guestXml(
    name,
    `${more}${NETWORK}<memballoon model='virtio'/><graphics type='vnc' socket='${made.at(`${name}.vnc`)}'/>`,
  )
    .replace(
      '<os>',
      "<currentMemory unit='MiB'>32</currentMemory><vcpu current='1'>2</vcpu><iothreads>1</iothreads><os>",
    )
    .replace("unit='MiB'>16<", "unit='MiB'>64<");

describe('its definition', () => {
  let domain: Domain;
  beforeEach(async () => {
    domain = await made.conn.domainDefineXML(richXml('off', disk(image('off.raw', 'raw'), 'vda', 'raw')));
  });
  afterEach(() => domain.undefine());
  const xml = () => domain.getXMLDesc();

  test('memory, processors, what they may use', async () => {
    await domain.setMaxMemory(131_072);
    expect(await domain.getMaxMemory()).toBe(131_072);
    await domain.setMemoryFlags(49_152, CONFIG);
    expect(await xml()).toContain("<currentMemory unit='KiB'>49152<");
    await domain.setMemoryStatsPeriod(3, CONFIG);
    expect(await xml()).toContain("<stats period='3'/>");
    await domain.setMemoryParameters({ hard_limit: 2_000_000n }, CONFIG);
    expect((await domain.getMemoryParameters(CONFIG)).hard_limit).toBe(2_000_000n);
    await domain.setSchedulerParametersFlags({ cpu_shares: 2048, vcpu_quota: -1 }, CONFIG);
    expect((await domain.getSchedulerParametersFlags(CONFIG)).cpu_shares).toBe(2048n);
    await domain.setSchedulerParameters({ cpu_shares: 1024n });
    expect((await domain.getSchedulerParametersFlags(CONFIG)).cpu_shares).toBe(1024n);
    await domain.setBlkioParameters({ weight: 500 }, CONFIG);
    expect(await xml()).toContain('<weight>500</weight>');
    await domain.setNumaParameters({ numa_nodeset: '0', numa_mode: 0 }, CONFIG);
    expect(await xml()).toMatch(/<memory mode='strict' nodeset='0'\/>/);
    await domain.setVcpu('1', 1, CONFIG);
    expect(await xml()).toMatch(/<vcpu [^>]*id='1' enabled='yes'/);
    await domain.pinVcpuFlags(0, [1], CONFIG);
    expect(await xml()).toContain("<vcpupin vcpu='0' cpuset='1'/>");
  });

  test('IO threads, counters, what follows a crash, its start with the host', async () => {
    await domain.addIOThread(9, CONFIG);
    await domain.pinIOThread(9, [0], CONFIG);
    expect(await xml()).toContain("<iothreadpin iothread='9' cpuset='0'/>");
    await domain.delIOThread(9, CONFIG);
    expect(await xml()).not.toContain("iothread='9'");
    await domain.setPerfEvents({ cpu_clock: true }, CONFIG);
    expect((await domain.getPerfEvents(CONFIG)).cpu_clock).toBe(true);
    await domain.setLifecycleAction(DomainLifecycle.POWEROFF, DomainLifecycleAction.RESTART, CONFIG);
    expect(await xml()).toContain('<on_poweroff>restart</on_poweroff>');
    await domain.setAutostart(1);
    expect(await domain.getAutostart()).toBe(1);
    expect(await domain.getLaunchSecurityInfo()).toEqual({}); // it has none
    expect(await domain.blockPeek('vda', 0, 16)).toEqual(new Uint8Array(16));
    await domain.setVcpusFlags(2, CONFIG);
    expect(await domain.getVcpusFlags(CONFIG)).toBe(2);
  });
});

describe('while it runs', () => {
  let domain: Domain;
  let name: string;
  let count = 0;
  beforeEach(async () => {
    name = `running-${++count}`;
    const defined = await made.conn.domainDefineXML(richXml(name, disk(image(`${name}.qcow2`), 'vda')));
    await defined.createWithFlags(DomainCreateFlags.START_PAUSED);
    domain = await made.conn.domainLookupByName(name);
  });
  afterEach(async () => {
    if (await domain.isActive()) await domain.destroyFlags(DomainDestroyFlagsValues.GRACEFUL);
    await domain.undefineFlags([DomainUndefineFlagsValues.MANAGED_SAVE, DomainUndefineFlagsValues.SNAPSHOTS_METADATA]);
  });

  test('its display: by a descriptor that libvirt gives, and by one that it is given', async () => {
    const fd = await domain.openGraphicsFD(0);
    expect(await greeting(fd)).toBe('RFB 003.008\n');
    const [ours, theirs] = await socketPair(made.at(`${name}.pair`));
    await domain.openGraphics(0, descriptorOf(theirs));
    theirs.destroy(); // QEMU has one of its own
    const said = await new Promise((resolve) => ours.once('data', (data) => resolve(data.toString())));
    expect(said).toBe('RFB 003.008\n');
    ours.destroy();
  });

  test('processors, memory, IO threads', async () => {
    await domain.setVcpus(2);
    expect((await domain.getVcpus()).length).toBe(2);
    expect(await domain.getMaxVcpus()).toBe(2);
    await domain.setMemoryStatsPeriod(2, LIVE);
    expect(await domain.getXMLDesc()).toContain("<stats period='2'/>");
    await domain.setIOThreadParams(1, { poll_max_ns: 4096n }, LIVE);
    const stats = await made.conn.domainListGetStats([domain]);
    expect(stats[0]?.params['iothread.1.poll-max-ns']).toBe(4096n);
    await domain.pinIOThread(1, [0], LIVE);
    expect(await domain.getIOThreadInfo(LIVE)).toEqual([{ iothread_id: 1, cpumap: [0] }]);
    await domain.addIOThread(2, LIVE);
    await domain.delIOThread(2, LIVE);
    expect(await domain.getIOThreadInfo(LIVE)).toHaveLength(1);
    await domain.startDirtyRateCalc(1);
  });

  test('what it is: labels, messages, jobs, counters of its network', async () => {
    expect(await domain.getSecurityLabel()).toEqual({ label: '', enforcing: 0 });
    expect((await domain.getSecurityLabelList()).length).toBeGreaterThan(0);
    expect(await domain.getMessages()).toEqual(expect.arrayContaining([expect.stringContaining('tainted')]));
    expect(await domain.getJobInfo()).toMatchObject({ type: DomainJobType.NONE, dataTotal: 0n });
    await domain.injectNMI();
    await domain.agentSetResponseTimeout(5);
  });

  test('a monitor command with a descriptor: QEMU keeps one of its own', async () => {
    await using file = await open('/dev/null');
    const command = { execute: 'add-fd', arguments: { 'fdset-id': 7, opaque: 'ours' } };
    const { result, outfiles } = await domain.qemuMonitorCommandWithFiles(JSON.stringify(command), [file.fd]);
    expect(JSON.parse(result ?? '')).toMatchObject({ return: { 'fdset-id': 7 } });
    expect(outfiles).toEqual([]);
    expect(await domain.qemuMonitorCommand('{"execute":"query-fdsets"}')).toContain('"opaque":"ours"');
  });

  test('its disk grows; a device is taken out by its alias, and by its document', async () => {
    await domain.blockResize('vda', 16 * 1024);
    expect((await domain.getBlockInfo('vda')).capacity).toBe(BigInt(16 * MIB));
    await domain.detachDeviceAlias('ua-net'); // the firmware does not let go of it: it was asked
    const second = disk(image(`${name}-b.qcow2`), 'vdb');
    await domain.attachDevice(second);
    await domain.detachDevice(second);
    expect(await rejection(domain.detachDevice(disk('/nowhere', 'vdz')))).toMatchObject({ name: 'LibvirtError' });
  });

  test('its layers: pulled, rebased, at a speed that is changed', async () => {
    await domain.destroy();
    const base = image(`${name}-base.qcow2`);
    execFileSync('qemu-io', ['-c', 'write -P 9 0 4M', base], { stdio: 'ignore' });
    const backing = ['-b', base, '-F', 'qcow2'];
    const layers = ['vdb', 'vdc'].map((target) => disk(image(`${name}-${target}.qcow2`, 'qcow2', ...backing), target));
    const layered = await made.conn.domainCreateXML(
      guestXml('layered', layers.join('')),
      DomainCreateFlags.START_PAUSED,
    );
    const jobs = await layered.subscribe('block-job-2');
    await layered.blockPull('vdb', 1);
    await layered.blockJobSetSpeed('vdb', 100n);
    expect((await next(jobs)).disk).toBe('vdb');
    const again = await layered.subscribe('block-job-2');
    await layered.blockRebase('vdc', null, 0);
    expect((await next(again)).disk).toBe('vdc');
    await layered.destroy();
    for (const target of ['vdb', 'vdc']) {
      const info = execFileSync('qemu-img', ['info', '-U', made.at(`${name}-${target}.qcow2`)], { encoding: 'utf8' });
      expect(info).not.toContain('backing file');
    }
  });

  test('saved, changed while it is saved, and back, by every function', async () => {
    const { conn, at } = made;
    await domain.saveFlags(at('saved'), null);
    const saved = await conn.domainSaveImageGetXMLDesc(at('saved'), 1);
    await conn.domainSaveImageDefineXML(at('saved'), saved.replace('<on_crash>destroy<', '<on_crash>restart<'));
    expect(await conn.domainSaveImageGetXMLDesc(at('saved'))).toContain('<on_crash>restart<');
    await conn.domainRestore(at('saved'));
    domain = await conn.domainLookupByName(name);
    await domain.saveParams({ file: at('saved-2') });
    expect((await stat(at('saved-2'))).size).toBeGreaterThan(100_000);
    await conn.domainRestoreParams({ file: at('saved-2') });
    domain = await conn.domainLookupByName(name);
    await domain.managedSave();
    await domain.managedSaveDefineXML(
      (await domain.managedSaveGetXMLDesc(1)).replace('<on_crash>destroy<', '<on_crash>restart<'),
    );
    expect(await domain.managedSaveGetXMLDesc()).toContain('<on_crash>restart<');
    await domain.create();
    expect(await domain.getXMLDesc()).toContain('<on_crash>restart<');
    await domain.coreDumpWithFormat(at('core'), DomainCoreDumpFormat.RAW, DomainCoreDumpFlags.MEMORY_ONLY);
    expect((await stat(at('core'))).size).toBeGreaterThan(MIB);
  });

  test('a backup that waits to be fetched: described, and ended', async () => {
    const target = made.at(`${name}.nbd`);
    await domain.backupBegin(
      `<domainbackup mode='pull'><server transport='unix' socket='${target}'/><disks><disk name='vda' type='file'><scratch file='${made.at(`${name}.scratch`)}'/></disk></disks></domainbackup>`,
      '<domaincheckpoint><name>monday</name></domaincheckpoint>',
    );
    expect(await domain.backupGetXMLDesc()).toContain(target);
    const checkpoint = await domain.checkpointLookupByName('monday');
    expect(await checkpoint.getXMLDesc()).toContain("<disk name='vda' checkpoint='bitmap'");
    const ended = await domain.subscribe('job-completed');
    await domain.abortJob();
    await next(ended);
    expect((await rejection(domain.backupGetXMLDesc())) as Error).toMatchObject({ code: ErrorNumber.NO_DOMAIN_BACKUP });
    await checkpoint.delete();
  });

  test('its snapshots by their other names', async () => {
    const first = await domain.snapshotCreateXML('<domainsnapshot><name>first</name></domainsnapshot>');
    expect((await domain.snapshotCurrent()).getName()).toBe('first');
    expect(await domain.snapshotListNames()).toEqual(['first']);
    await first.delete();
  });
});

test('an image that only this process can open, handed to a guest by its descriptor', async () => {
  const { conn } = made;
  const path = image('own.raw', 'raw');
  const named =
    "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/nowhere' fdgroup='images'/><target dev='vda' bus='virtio'/></disk>";
  const domain = await conn.domainDefineXML(guestXml('by-descriptor', named));
  await using file = await open(path, 'r+');
  await domain.fdAssociate('images', [file.fd]);
  await domain.createWithFlags(DomainCreateFlags.START_PAUSED);
  const pid = await qemuOf('by-descriptor');
  const opened = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  expect(opened).toContain(path);
  await domain.destroy();
  await domain.undefine();
});

describe('to another host', () => {
  let elsewhere: PrivateLibvirtd;
  let there: Connection;
  let domain: Domain;
  let trips = 0;
  beforeAll(async () => {
    // The same machine, but it must not say so: libvirt refuses to migrate a guest to where it is.
    elsewhere = await PrivateLibvirtd.start({
      configuration: ['host_uuid = "2f6a4f6c-8d0b-4bb5-9d3c-2a8d5c2a7a12"'],
    });
    there = await elsewhere.connect();
  });
  afterAll(async () => {
    await there?.close();
    await elsewhere?.close();
  });
  beforeEach(async () => {
    domain = await made.conn.domainCreateXML(guestXml(`traveller-${++trips}`));
  });
  afterEach(async () => {
    for (const connection of [there, made.conn])
      for (const each of await connection.listAllDomains()) if (await each.isActive()) await each.destroy();
  });
  const uri = () => `unix://${made.at(`migration-${trips}`)}`;
  const arrived = async () => {
    expect(await rejection(made.conn.domainLookupByName(`traveller-${trips}`))).toMatchObject({
      code: ErrorNumber.NO_DOMAIN,
    });
    return (await there.domainLookupByName(`traveller-${trips}`)).getState();
  };
  const { LIVE: ALIVE, PEER2PEER, POSTCOPY } = DomainMigrateFlags;

  test('migrate', async () => {
    const moved = await domain.migrate(there, ALIVE, null, uri(), 0);
    expect(moved.connection).toBe(there);
    expect((await arrived()).state).toBe(DomainState.RUNNING);
  });
  test('migrate2, with a list of flags, and another name', async () => {
    const moved = await domain.migrate2(there, null, [ALIVE], 'renamed', uri(), 100);
    expect(moved.getName()).toBe('renamed');
    expect((await moved.getState()).state).toBe(DomainState.RUNNING);
  });
  test('migrateToURI, through the connection of the two daemons', async () => {
    await domain.migrateToURI(elsewhere.uri, [ALIVE, PEER2PEER, DomainMigrateFlags.TUNNELLED], null, 0);
    expect((await arrived()).state).toBe(DomainState.RUNNING);
  });
  test('migrateToURI2, from daemon to daemon', async () => {
    await domain.migrateToURI2(elsewhere.uri, uri(), null, [ALIVE, PEER2PEER], null, 0);
    expect((await arrived()).state).toBe(DomainState.RUNNING);
  });
  test('migrateToURI3', async () => {
    await domain.migrateToURI3(elsewhere.uri, { migrate_uri: uri() }, [ALIVE, PEER2PEER]);
    expect((await arrived()).state).toBe(DomainState.RUNNING);
  });
  test('how it may go: downtime, speed, cache; and its end by abortJobFlags', async () => {
    await domain.migrateSetMaxDowntime(1);
    expect(await domain.migrateGetMaxDowntime()).toBe(1n);
    await domain.migrateSetCompressionCache(32n * 1024n * 1024n);
    expect(await domain.migrateGetCompressionCache()).toBe(32n * 1024n * 1024n);
    await domain.migrateSetMaxSpeed(1);
    expect(await domain.migrateGetMaxSpeed()).toBe(1);
    const begun = await domain.subscribe('migration-iteration');
    const moving = rejection(domain.migrate3(there, { migrate_uri: uri(), bandwidth: 1 }, ALIVE));
    await next(begun);
    expect((await domain.getJobInfo()).type).not.toBe(DomainJobType.NONE);
    await domain.abortJobFlags();
    expect(await moving).toMatchObject({ code: ErrorNumber.OPERATION_ABORTED });
    expect((await domain.getState()).state).toBe(DomainState.RUNNING);
  });
  test('switched over early, and what is missing fetched afterwards', async () => {
    const begun = await domain.subscribe('migration-iteration');
    const moving = domain.migrate3(there, { migrate_uri: uri(), bandwidth: 1 }, [ALIVE, POSTCOPY]);
    await next(begun);
    await domain.migrateStartPostCopy();
    await moving;
    expect((await arrived()).state).toBe(DomainState.RUNNING);
  });
});

const descriptorOf = (socket: Socket): number => (socket as unknown as { _handle: { fd: number } })._handle.fd;

async function socketPair(path: string): Promise<[Socket, Socket]> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const socket = toSocket(path);
  const other = await accepted;
  server.close();
  return [other, socket];
}

/** What a display says first to whoever connects. */
async function greeting(fd: number): Promise<string> {
  const socket = new Socket({ fd });
  const said = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
  socket.destroy();
  return said;
}
