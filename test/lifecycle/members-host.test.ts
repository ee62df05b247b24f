// Members that only a real host has: its processors and memory, its pools and volumes, its secrets and filters. Each is called with
// success, and what it did is seen from outside, or by another member.
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import {
  CPUCompareResult,
  ErrorNumber,
  IPAddrType,
  NWFilterDefineFlags,
  SecretUsageType,
  StoragePoolState,
  StorageVolDownloadFlags,
  StorageVolInfoFlags,
  StorageVolResizeFlags,
  StorageVolUploadFlags,
  StorageVolWipeAlgorithm,
  StreamRecvFlagsValues,
} from '../../lib/libvirt';
import { rejection } from '../driver/test-driver';
import { guestXml, host } from './bare-host';

jest.setTimeout(60_000);
const made = host();
const MIB = 1024 * 1024;

test('processors are compared, and the best that all have is found', async () => {
  const { conn } = made;
  expect(await conn.getVersion()).toBeGreaterThan(1_000_000);
  expect(await conn.isEncrypted()).toBe(false);
  const own = /<cpu>[\s\S]*?<\/cpu>/.exec(await conn.getCapabilities())?.[0] ?? '';
  expect(await conn.compareCPU(own)).toBe(CPUCompareResult.IDENTICAL);
  const qemu64 = "<cpu mode='custom' match='exact'><model>qemu64</model></cpu>";
  expect(await conn.compareHypervisorCPU(null, null, null, 'qemu', qemu64)).toBe(CPUCompareResult.SUPERSET);
  expect(await conn.baselineHypervisorCPU(null, null, null, 'qemu', [own])).toContain("<cpu mode='custom'");
});

test("the host's memory: free pages, huge pages, sharing", async () => {
  const { conn } = made;
  const [free] = await conn.nodeGetFreePages([4], 0, 1);
  expect(free).toBeGreaterThan(1000n);
  // As many as there are: nothing is added.
  expect(await conn.nodeAllocPages([2048], [0], 0, 1)).toBe(1);
  const pagesToScan = '/sys/kernel/mm/ksm/pages_to_scan';
  const before = readFileSync(pagesToScan, 'utf8').trim();
  try {
    await conn.nodeSetMemoryParameters({ shm_pages_to_scan: 123 });
    expect(readFileSync(pagesToScan, 'utf8').trim()).toBe('123');
    expect((await conn.nodeGetMemoryParameters()).shm_pages_to_scan).toBe(123);
  } finally {
    writeFileSync(pagesToScan, before);
  }
});

test("a guest's definition as QEMU's command line", async () => {
  expect(await made.conn.domainXMLToNative('qemu-argv', guestXml('native'))).toContain('-name guest=native');
});

test('secrets and filters by their other names', async () => {
  const { conn } = made;
  const secret = await conn.secretDefineXML("<secret><usage type='ceph'><name>client.user</name></usage></secret>");
  expect((await conn.secretLookupByUUIDString(secret.getUUIDString())).getUsageID()).toBe('client.user');
  const byUsage = await conn.secretLookupByUsage(SecretUsageType.CEPH, 'client.user');
  expect(byUsage.getUUIDString()).toBe(secret.getUUIDString());
  expect(await secret.getXMLDesc()).toContain('<name>client.user</name>');
  await secret.undefine();
  const filter = await conn.nwFilterDefineXMLFlags(
    "<filter name='checked' chain='root'/>",
    NWFilterDefineFlags.VALIDATE,
  );
  expect(await conn.listNWFilters()).toContain('checked');
  await filter.undefine();
});

test('networks: a port by its UUID as text, leases of a network without any', async () => {
  const { conn } = made;
  const network = await conn.networkCreateXML(
    "<network><name>ports</name><forward mode='bridge'/><bridge name='br-ports'/></network>",
  );
  const uuid = '6e2f1d0a-5b3c-4e55-9d0f-3f1a5a1c0b78';
  const port = await network.portCreateXML(
    `<networkport><uuid>${uuid}</uuid><owner><name>web1</name><uuid>d54df46f-1ab5-4a22-8618-4560ef5fac2c</uuid></owner><mac address='52:54:00:7b:35:93'/></networkport>`,
  );
  expect((await network.portLookupByUUIDString(uuid)).getUUIDString()).toBe(uuid);
  await port.delete();
  expect(await network.getDHCPLeases()).toEqual([]);
  // As libvirt's own helper writes what dnsmasq gives out.
  await mkdir(join(made.daemon.directory, 'lib', 'dnsmasq'), { recursive: true });
  const expirytime = Math.floor(Date.now() / 1000) + 3600;
  const lease = {
    'ip-address': '10.1.0.7',
    'mac-address': '52:54:00:7b:35:93',
    hostname: 'web1',
    'client-id': '01:52:54:00:7b:35:93',
    'expiry-time': expirytime,
  };
  writeFileSync(join(made.daemon.directory, 'lib', 'dnsmasq', 'br-ports.status'), JSON.stringify([lease]));
  expect(await network.getDHCPLeases('52:54:00:7b:35:93')).toEqual([
    {
      iface: 'br-ports',
      expirytime: BigInt(expirytime),
      type: IPAddrType.IPV4,
      mac: '52:54:00:7b:35:93',
      iaid: null,
      ipaddr: '10.1.0.7',
      prefix: expect.any(Number),
      hostname: 'web1',
      clientid: '01:52:54:00:7b:35:93',
    },
  ]);
  expect(await network.getDHCPLeases('52:54:00:00:00:00')).toEqual([]);
  await network.destroy();
});

test("the host's devices: which are there now, and stay", async () => {
  const computer = await made.conn.nodeDeviceLookupByName('computer');
  expect([await computer.isActive(), await computer.isPersistent(), await computer.getAutostart()]).toEqual([
    true,
    true,
    1,
  ]);
  expect(await made.conn.listDefinedInterfaces()).toHaveLength(await made.conn.numOfDefinedInterfaces());
});

test('a folder as a pool: built, found, its volumes made, copied, resized, wiped, removed', async () => {
  const { conn, at } = made;
  expect(await conn.getStoragePoolCapabilities()).toContain("<pool type='dir' supported='yes'>");
  const xml = `<pool type='dir'><name>folder</name><target><path>${at('folder')}</path></target></pool>`;
  const pool = await conn.storagePoolDefineXML(xml);
  expect(await conn.listDefinedStoragePools()).toEqual(['folder']);
  expect(await conn.numOfDefinedStoragePools()).toBe(1);
  await pool.build();
  expect((await stat(at('folder'))).isDirectory()).toBe(true);
  await pool.create();
  expect(await conn.listStoragePools()).toEqual(['folder']);
  expect(await conn.numOfStoragePools()).toBe(1);
  expect((await conn.storagePoolLookupByTargetPath(at('folder'))).getUUIDString()).toBe(pool.getUUIDString());
  expect((await conn.storagePoolLookupByUUID(pool.getUUID())).getName()).toBe('folder');
  expect(await pool.isPersistent()).toBe(true);
  expect((await pool.getInfo()).state).toBe(StoragePoolState.RUNNING);
  await pool.setAutostart(1);
  expect(await pool.getAutostart()).toBe(1);

  const volumeXml = (name: string) =>
    `<volume><name>${name}</name><capacity unit='bytes'>${MIB}</capacity><allocation>0</allocation></volume>`;
  const volume = await pool.storageVolCreateXML(volumeXml('raw'));
  writeFileSync(at('folder/raw'), Buffer.alloc(MIB, 7));
  const copy = await pool.storageVolCreateXMLFrom(volumeXml('copy'), volume);
  expect(await readFile(at('folder/copy'))).toEqual(Buffer.alloc(MIB, 7));
  expect((await pool.listVolumes()).sort()).toEqual(['copy', 'raw']);
  expect((await conn.storageVolLookupByPath(at('folder/copy'))).getKey()).toBe(copy.getKey());
  expect((await conn.storageVolLookupByKey(copy.getKey())).getName()).toBe('copy');

  await copy.resize(MIB, StorageVolResizeFlags.DELTA);
  expect((await stat(at('folder/copy'))).size).toBe(2 * MIB);
  const physical = await copy.getInfoFlags(StorageVolInfoFlags.GET_PHYSICAL);
  expect([physical.capacity, physical.allocation]).toEqual([BigInt(2 * MIB), BigInt(2 * MIB)]);
  await copy.wipe();
  expect((await readFile(at('folder/copy'))).every((byte) => byte === 0)).toBe(true);
  writeFileSync(at('folder/copy'), Buffer.alloc(2 * MIB, 7));
  await pool.refresh(); // libvirt wipes as much as it knows to be there
  await copy.wipePattern(StorageVolWipeAlgorithm.ZERO);
  expect((await readFile(at('folder/copy'))).every((byte) => byte === 0)).toBe(true);
  await copy.delete();
  expect(await rejection(stat(at('folder/copy')))).toMatchObject({ code: 'ENOENT' });
  await volume.delete();
  await pool.destroy();
  await pool.delete();
  expect(await rejection(stat(at('folder')))).toMatchObject({ code: 'ENOENT' });
  await pool.undefine();
  expect(await rejection(conn.storagePoolLookupByName('folder'))).toMatchObject({ code: ErrorNumber.NO_STORAGE_POOL });
});

test('a stream by its own functions: sent with a hole, received up to it and beyond', async () => {
  const { conn, at } = made;
  await mkdir(at('streams'));
  const pool = await conn.storagePoolCreateXML(
    `<pool type='dir'><name>streams</name><target><path>${at('streams')}</path></target></pool>`,
  );
  const volume = await pool.storageVolCreateXML(
    `<volume><name>v</name><capacity unit='bytes'>${3 * MIB}</capacity><allocation>0</allocation></volume>`,
  );
  const up = await conn.streamNew();
  await volume.upload(up, 0, 3 * MIB, StorageVolUploadFlags.SPARSE_STREAM);
  const data = Buffer.alloc(65_536, 5);
  let sent = 0;
  while (sent < MIB) sent += await up.send(data.subarray(0, Math.min(data.length, MIB - sent)));
  await up.sendHole(MIB);
  for (sent = 0; sent < MIB; ) sent += await up.send(data.subarray(0, Math.min(data.length, MIB - sent)));
  await up.finish();
  const file = await readFile(at('streams/v'));
  expect(file.length).toBe(3 * MIB);
  expect([file[0], file[MIB], file[2 * MIB]]).toEqual([5, 0, 5]);

  const down = await conn.streamNew();
  await volume.download(down, 0, 0, StorageVolDownloadFlags.SPARSE_STREAM);
  const parts: [kind: 'data' | 'hole', bytes: number][] = [];
  const count = (kind: 'data' | 'hole', bytes: number) => {
    const last = parts.at(-1);
    if (last?.[0] === kind) last[1] += bytes;
    else parts.push([kind, bytes]);
  };
  for (;;) {
    const received = await down.recvFlags(data, StreamRecvFlagsValues.STOP_AT_HOLE);
    if (received === 0) break;
    if (received > 0) count('data', received);
    else count('hole', Number(await down.recvHole()));
  }
  await down.finish();
  expect(parts).toEqual([
    ['data', MIB],
    ['hole', MIB],
    ['data', MIB],
  ]);
  await volume.delete();
  await pool.destroy();
});
