// What the types of the mirror accept, refuse and give. Compiled, never run: a line that should not compile and does is an error too.
import { expectTypeOf } from 'expect-type';
import {
  type Connection,
  type Domain,
  DomainBlockCommitFlags,
  type DomainBlockInfo,
  DomainGuestInfoTypes,
  type DomainInfo,
  type DomainJobStats,
  DomainMigrateFlags,
  DomainModificationImpact,
  type DomainSchedulerType,
  DomainState,
  type DomainStateAndReason,
  type DomainStats,
  DomainStatsTypes,
  type DomainTime,
  DomainXMLFlags,
  type MonitorAnswer,
  type Network,
  NetworkMetadataType,
  type NodeCPUMap,
  type StoragePool,
  type StoragePoolInfo,
  type StorageVol,
  type TypedValue,
} from '../../lib/libvirt';
import type { Subscription } from '../../lib/libvirt/subscription';

export async function flags(domain: Domain): Promise<void> {
  await domain.getXMLDesc(DomainXMLFlags.SECURE);
  await domain.getXMLDesc([DomainXMLFlags.SECURE, DomainXMLFlags.INACTIVE]);
  await domain.getXMLDesc(DomainXMLFlags.SECURE | DomainXMLFlags.INACTIVE);
  await domain.getXMLDesc({ flags: [DomainXMLFlags.SECURE], timeoutMs: 1000 });
  // A bit that a newer libvirt adds.
  await domain.getXMLDesc(1 << 20);

  // @ts-expect-error a flag of another enum
  await domain.getXMLDesc(DomainBlockCommitFlags.SHALLOW);
  // @ts-expect-error among others in a list
  await domain.getXMLDesc([DomainXMLFlags.SECURE, DomainBlockCommitFlags.SHALLOW]);
  // @ts-expect-error in options
  await domain.getXMLDesc({ flags: DomainBlockCommitFlags.SHALLOW });
  // @ts-expect-error a function without flags
  await domain.hasManagedSaveImage(DomainXMLFlags.SECURE);
  // @ts-expect-error text
  await domain.getXMLDesc('SECURE');
  // @ts-expect-error an option that there is none of
  await domain.getXMLDesc({ timeout: 1000 });
}

/** Flags that are not the last argument, and bits that are no flags: one, a list, or what a newer libvirt adds. */
export async function bits(connection: Connection, domain: Domain, newer: number): Promise<void> {
  const { LIVE, PEER2PEER } = DomainMigrateFlags;
  await domain.migrate(connection, LIVE, null, null, 0);
  await domain.migrate(connection, [LIVE, PEER2PEER], null, null, 0);
  await domain.migrate(connection, LIVE | newer, null, null, 0);
  await domain.migrate2(connection, null, LIVE, null, null, 0);
  await domain.migrateToURI('qemu+ssh://there/system', [LIVE, PEER2PEER], null, 0);
  await domain.migrateToURI2(null, null, null, newer, null, 0);
  await connection.getAllDomainStats(DomainStatsTypes.STATE);
  await connection.getAllDomainStats([DomainStatsTypes.STATE, DomainStatsTypes.BLOCK]);
  await connection.getAllDomainStats(null, { timeoutMs: 1000 });
  await connection.domainListGetStats([domain], newer);
  await domain.getGuestInfo([DomainGuestInfoTypes.USERS, DomainGuestInfoTypes.OS]);
  // @ts-expect-error a flag of another enum
  await domain.migrate(connection, DomainXMLFlags.SECURE, null, null, 0);
  // @ts-expect-error among others in a list
  await domain.migrate2(connection, null, [LIVE, DomainXMLFlags.SECURE], null, null, 0);
  // @ts-expect-error a flag of another enum
  await domain.migrateToURI('qemu+ssh://there/system', DomainXMLFlags.SECURE, null, 0);
  // @ts-expect-error a flag of another enum
  await domain.migrateToURI2(null, null, null, DomainXMLFlags.SECURE, null, 0);
  // @ts-expect-error text
  await domain.migrate(connection, 'LIVE', null, null, 0);
  // @ts-expect-error a bit of another enum
  await connection.getAllDomainStats(DomainGuestInfoTypes.USERS);
  // @ts-expect-error among others in a list
  await connection.domainListGetStats([domain], [DomainStatsTypes.STATE, DomainGuestInfoTypes.USERS]);
  // @ts-expect-error a bit of another enum
  await domain.getGuestInfo(DomainStatsTypes.STATE);
}

export async function typedParameters(domain: Domain): Promise<void> {
  await domain.setBlockIoTune('vda', { total_iops_sec: 100n, group_name: 'slow' }, DomainModificationImpact.LIVE);
  await domain.setThrottleGroup('slow', { total_bytes_sec: 1_000_000 });
  // @ts-expect-error a name that libvirt does not know
  await domain.setBlockIoTune('vda', { total_iops: 100 });
  // @ts-expect-error a value of another type
  await domain.setBlockIoTune('vda', { total_iops_sec: '100' });
  // @ts-expect-error text where there is a number
  await domain.setMemoryParameters({ hard_limit: '1 GiB' });
}

/** What is told has names and types; what a newer libvirt adds is there, too. */
export async function toldParameters(connection: Connection, domain: Domain): Promise<void> {
  expectTypeOf((await domain.getSchedulerParameters()).cpu_shares).toEqualTypeOf<bigint | undefined>();
  expectTypeOf((await domain.getBlkioParameters()).weight).toEqualTypeOf<number | undefined>();
  expectTypeOf((await domain.getMemoryParameters()).hard_limit).toEqualTypeOf<bigint | undefined>();
  expectTypeOf((await domain.getNumaParameters()).numa_nodeset).toEqualTypeOf<string | undefined>();
  expectTypeOf((await domain.getInterfaceParameters('vnet0'))['inbound.peak']).toEqualTypeOf<number | undefined>();
  expectTypeOf((await domain.getBlockIoTune('vda')).group_name).toEqualTypeOf<string | undefined>();
  expectTypeOf((await domain.getPerfEvents()).cmt).toEqualTypeOf<boolean | undefined>();
  expectTypeOf((await domain.getJobStats()).params.success).toEqualTypeOf<boolean | undefined>();
  expectTypeOf((await connection.nodeGetMemoryParameters()).shm_pages_shared).toEqualTypeOf<bigint | undefined>();
  expectTypeOf((await connection.nodeGetCPUStats(-1)).idle).toEqualTypeOf<bigint | undefined>();
  const info = await domain.getGuestInfo();
  expectTypeOf(info['user.count']).toEqualTypeOf<number | undefined>();
  expectTypeOf(info['user.0.login-time']).toEqualTypeOf<bigint | undefined>();
  expectTypeOf(info['fs.1.disk.0.alias']).toEqualTypeOf<string | undefined>();
  expectTypeOf(info['load.1m']).toEqualTypeOf<TypedValue | undefined>();
  const tuned = await connection.subscribe('tunable');
  for await (const { params } of tuned) {
    expectTypeOf(params['blkdeviotune.total_iops_sec']).toEqualTypeOf<bigint | undefined>();
    expectTypeOf(params['cputune.vcpupin3']).toEqualTypeOf<string | undefined>();
  }
  // @ts-expect-error it has 64 bits
  (await domain.getSchedulerParameters()).cpu_shares?.toFixed();
  // @ts-expect-error it may be absent
  (await domain.getMemoryParameters()).hard_limit.toString();
}

export async function results(connection: Connection, domain: Domain, pool: StoragePool): Promise<void> {
  expectTypeOf(domain.getInfo()).resolves.toEqualTypeOf<DomainInfo>();
  expectTypeOf(domain.getBlockInfo('vda')).resolves.toEqualTypeOf<DomainBlockInfo>();
  expectTypeOf(pool.getInfo()).resolves.toEqualTypeOf<StoragePoolInfo>();
  expectTypeOf(pool.listAllVolumes()).resolves.toEqualTypeOf<StorageVol[]>();
  expectTypeOf(connection.listAllDomains()).resolves.toEqualTypeOf<Domain[]>();
  expectTypeOf(connection.getAllDomainStats()).resolves.toEqualTypeOf<DomainStats[]>();
  // 64 bits are bigint, what fits is a number.
  expectTypeOf<DomainInfo['cpuTime']>().toEqualTypeOf<bigint>();
  expectTypeOf<DomainInfo['memory']>().toEqualTypeOf<number>();
  expectTypeOf(domain.getID()).toEqualTypeOf<number | null>();
  // @ts-expect-error what is off has no number
  domain.getID().toFixed();
}

export async function valuesOfNewerLibvirts(domain: Domain, network: Network): Promise<void> {
  const { state } = await domain.getState();
  if (state === DomainState.RUNNING) expectTypeOf(state).toExtend<number>();
  // No list of known values is complete: any number compares, and passes.
  expectTypeOf<number>().toExtend<typeof state>();
  await network.getMetadata(NetworkMetadataType.TITLE, null);
  await network.getMetadata(17, null);
  // @ts-expect-error the name of a value is no value
  await network.getMetadata('TITLE', null);
}

export async function events(connection: Connection, domain: Domain): Promise<void> {
  const jobs = await connection.subscribe('block-job-2', { domain, queueSize: 10 });
  expectTypeOf(jobs).toExtend<Subscription<{ domain: Domain; disk: string; type: number; status: number }>>();
  for await (const event of jobs) {
    expectTypeOf(event.disk).toEqualTypeOf<string>();
    // @ts-expect-error a field of another event
    event.detail;
  }
  for await (const { network, nsuri } of await connection.subscribe('network-metadata-change')) {
    expectTypeOf(network).toEqualTypeOf<Network>();
    expectTypeOf(nsuri).toEqualTypeOf<string | null>();
  }
  jobs.on(({ disk }) => expectTypeOf(disk).toEqualTypeOf<string>());
  // @ts-expect-error an event that there is none of
  await connection.subscribe('block-job-3');
  (await domain.subscribe('tray-change')).on(({ devAlias }) => expectTypeOf(devAlias).toEqualTypeOf<string>());
  // @ts-expect-error an event of other objects
  await domain.subscribe('network-lifecycle');
  // @ts-expect-error whose events it is, is said already
  await domain.subscribe('reboot', { domain });
}

export async function structures(connection: Connection, domain: Domain): Promise<void> {
  expectTypeOf(await connection.nodeGetCPUMap()).toEqualTypeOf<NodeCPUMap>();
  expectTypeOf(await domain.getState()).toEqualTypeOf<DomainStateAndReason>();
  expectTypeOf(await domain.getJobStats()).toEqualTypeOf<DomainJobStats>();
  expectTypeOf(await domain.getSchedulerType()).toEqualTypeOf<DomainSchedulerType>();
  expectTypeOf(await domain.getTime()).toEqualTypeOf<DomainTime>();
  expectTypeOf(await domain.qemuMonitorCommandWithFiles('{}', [])).toEqualTypeOf<MonitorAnswer>();
}
