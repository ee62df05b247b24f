// Method lvm: real logical volumes, through libvirt alone, for a guest that is off; where this kernel has no device-mapper,
// those of another machine. LVM and e2fsprogs judge.
import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import {
  type DiskSnapshotError,
  listDiskSnapshots,
  planSnapshot,
  recoverDiskSnapshots,
  snapshotDisks,
} from '../../lib';
import { installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { type Connection, DomainCreateFlags, type StoragePool } from '../../lib/libvirt';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { qemuImg } from '../guest/bare-domain';
import { HostGuest, imageFile, logicalVolume } from './lvm-host/guest';
import type { LvmHost } from './lvm-host/host';
import { logicalPool } from './lvm-host/pool';
import { VOLUME_GROUP, VOLUMES } from './lvm-host/scripts';
import { startLvmHost } from './lvm-host/start';

jest.setTimeout(300_000);

const MIB = 1024 * 1024;
/** 8192 blocks of 4 KiB, 33 of tables, a header. */
const ROOM_FOR_ALL = (8192 + 33 + 1) * 4096;
const ORIGIN = `${VOLUMES}/a`;

let host: LvmHost;
let connection: Connection;
let pool: StoragePool;
let guest: HostGuest;

beforeAll(async () => {
  host = await startLvmHost();
  connection = await host.connect();
  pool = await logicalPool(connection);
  guest = await HostGuest.define(host, connection, [await logicalVolume(host, 'a')]);
});
afterAll(async () => {
  await guest?.close();
  await connection?.close();
  await host?.close();
});
afterEach(async () => {
  for (const set of await listDiskSnapshots(guest.domain)) await set.delete();
  expect(await volumes()).toEqual(['a']);
});

/** What LVM itself says. */
const volumes = async () => (await host.run('lvs', '--noheadings', '-o', 'lv_name')).split(/\s+/).filter(Boolean);
const field = (name: string, volume: string) =>
  host.run('lvs', '--noheadings', '--nosuffix', '-o', name, `${VOLUME_GROUP}/${volume}`);
const remove = (volume: string) => host.run('lvremove', '--yes', `${VOLUME_GROUP}/${volume}`);
const states = async () => (await listDiskSnapshots(guest.domain)).map((set) => set.disks.map(({ state }) => state));
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: DiskSnapshotError) => error,
  );

test('a logical volume is given to lvm without being asked, and the plan touches nothing', async () => {
  const plan = await planSnapshot(guest.domain, { name: 'p' });
  expect(plan).toMatchObject({ ok: true, problems: [], consistency: 'crash', willFreeze: false, willPause: false });
  expect(plan.disks).toEqual([
    {
      disk: 'vda',
      method: 'lvm',
      because: `${VOLUMES}/a is a logical volume of the pool '${VOLUME_GROUP}'`,
      creates: [`${VOLUMES}/a.p`],
      bytes: ROOM_FOR_ALL,
    },
  ]);
  expect(await volumes()).toEqual(['a']);
});

test('created, listed, deleted: LVM shows the snapshot of that origin, with space for all of it', async () => {
  const set = await snapshotDisks(guest.domain, { name: 'one' });
  expect(set.disks[0]).toMatchObject({
    method: 'lvm',
    state: 'present',
    format: 'raw',
    virtualSize: 32 * MIB,
    modifiedDisk: null,
  });
  expect(set.disks[0]?.backupSource).toBe(`<source dev='${VOLUMES}/a.one'/>`);
  expect(await field('origin', 'a.one')).toBe('a');
  expect(await field('lv_size', 'a.one')).toBe('36.00m');
  await host.run('e2fsck', '-fn', `${VOLUMES}/a.one`);
  expect(await states()).toEqual([['present']]);
  await set.delete();
  await set.delete();
  expect(await volumes()).toEqual(['a']);
});

test('what is written afterwards is not in the snapshot', async () => {
  const file = `${host.folder}/content`;
  await host.run('sh', '-c', `echo before >${file} && debugfs -w -R 'write ${file} before' ${ORIGIN}`);
  const set = await snapshotDisks(guest.domain, { name: 'cut' });
  await host.run('sh', '-c', `debugfs -w -R 'rm before' ${ORIGIN} && debugfs -w -R 'write ${file} after' ${ORIGIN}`);
  const names = (device: string) => host.run('debugfs', '-R', 'ls -p /', device);
  expect(await names(`${VOLUMES}/a.cut`)).toContain('/before/');
  expect(await names(`${VOLUMES}/a.cut`)).not.toContain('/after/');
  expect(await names(ORIGIN)).toContain('/after/');
  await host.run('e2fsck', '-fn', `${VOLUMES}/a.cut`);
  await set.delete();
});

test('its space and the volume can be chosen, as an object and as XML', async () => {
  await snapshotDisks(guest.domain, { name: 'small', disks: { vda: { method: 'lvm', bytes: 8 * MIB } } });
  expect(await field('lv_size', 'a.small')).toBe('8.00m');
  const sectors = await host.run('sh', '-c', `dmsetup table ${VOLUME_GROUP}-a.small-cow | cut -d" " -f2`);
  expect(Number(sectors) * 512).toBe(8 * MIB);
  const method = `<diskSnapshot method='lvm'><device path='${ORIGIN}'/><cow bytes='${4 * MIB}'/></diskSnapshot>`;
  const plan = await planSnapshot(guest.domain, { name: 'xml', disks: { vda: method } });
  expect(plan.disks[0]).toMatchObject({ creates: [`${VOLUMES}/a.xml`], bytes: 4 * MIB });
});

test('a disk that names the volume as device-mapper does has the same method', async () => {
  const other = await HostGuest.define(host, connection, [
    { type: 'block', format: 'raw', source: `/dev/mapper/${VOLUME_GROUP}-a` },
  ]);
  const set = await snapshotDisks(other.domain, { name: 'mapped' });
  expect(set.disks[0]).toMatchObject({ method: 'lvm', backupSource: `<source dev='${VOLUMES}/a.mapped'/>` });
  await set.delete();
  await other.close();
});

test('a disk of type volume is the volume that it names', async () => {
  const xml = (await guest.domain.getXMLDesc())
    .replace(/<disk type='block'/, "<disk type='volume'")
    .replace(/<source dev='[^']*'/, `<source pool='${VOLUME_GROUP}' volume='a'`);
  await connection.domainDefineXML(xml);
  const plan = await planSnapshot(guest.domain, { name: 'v' });
  expect(plan.disks).toMatchObject([{ method: 'lvm', creates: [`${VOLUMES}/a.v`] }]);
  const set = await snapshotDisks(guest.domain, { name: 'v' });
  expect(await field('origin', 'a.v')).toBe('a');
  await set.delete();
  await connection.domainDefineXML(
    xml.replace("type='volume'", "type='block'").replace(`pool='${VOLUME_GROUP}' volume='a'`, `dev='${ORIGIN}'`),
  );
});

test('too little space is told beforehand', async () => {
  const disks = { vda: { method: 'lvm', bytes: 4096 * MIB } };
  const error = await refusal(snapshotDisks(guest.domain, { name: 'big', disks }));
  expect(error).toMatchObject({ code: 'NO_SPACE', outcome: 'unchanged', disk: 'vda' });
  expect(error.message).toContain('bytes');
});

test.each([
  ['with a space', 'INVALID_ARGUMENT', 'no names but'],
  ['x_mimage', 'INVALID_ARGUMENT', '_mimage'],
  ['x'.repeat(120), 'INVALID_ARGUMENT', '127'],
])('a name that LVM would not take is refused before anything is touched: %s', async (name, code, says) => {
  const error = await refusal(snapshotDisks(guest.domain, { name }));
  expect(error).toMatchObject({ code, outcome: 'unchanged' });
  expect(error.message).toContain(says);
});

test('a volume of that name is neither overwritten nor taken back', async () => {
  await host.run('lvcreate', '--yes', '--name', 'a.taken', '--size', '4M', VOLUME_GROUP);
  const error = await refusal(snapshotDisks(guest.domain, { name: 'taken' }));
  expect(error).toMatchObject({ code: 'FILE_EXISTS', outcome: 'unchanged' });
  expect(await volumes()).toEqual(['a', 'a.taken']);
  await remove('a.taken');
});

test('what cannot be a snapshot’s origin is refused in words', async () => {
  await host.run('lvcreate', '--yes', '--snapshot', '--name', 'b', '--size', '8M', `${VOLUME_GROUP}/a`);
  await host.run('lvcreate', '--yes', '--type', 'thin-pool', '--name', 'pool', '--size', '32M', VOLUME_GROUP);
  await host.run('lvcreate', '--yes', '--thin', '--name', 'thin', '--virtualsize', '32M', `${VOLUME_GROUP}/pool`);
  const file = await imageFile(host, `${host.folder}/file.img`, 'raw');
  const of = (source: string) => ({ type: 'block', format: 'raw', source }) as const;
  const other = await HostGuest.define(host, connection, [
    of(`${VOLUMES}/b`),
    of(`${VOLUMES}/thin`),
    file,
    { ...of(ORIGIN), format: 'qcow2' },
    of(host.physicalVolume),
  ]);
  const lvm = { vda: 'lvm', vdb: 'lvm', vdc: 'lvm', vdd: 'lvm', vde: 'lvm' };
  const { problems } = await planSnapshot(other.domain, { disks: lvm });
  expect(problems.map(({ code, disk }) => [disk, code])).toEqual(
    Object.keys(lvm).map((disk) => [disk, 'METHOD_UNSUPPORTED']),
  );
  const words = ['itself a snapshot', 'thin', 'of type file', 'holds qcow2', 'no active pool of type logical'];
  words.forEach((word, at) => {
    expect(problems[at]?.message).toContain(word);
  });
  await other.close();
  for (const volume of ['b', 'thin', 'pool']) await remove(volume);
});

test('removed behind our back, it is shown as missing, and can be deleted', async () => {
  const set = await snapshotDisks(guest.domain, { name: 'gone' });
  await remove('a.gone');
  expect(await states()).toEqual([['missing']]);
  await set.delete();
  expect(await listDiskSnapshots(guest.domain)).toEqual([]);
});

test('a foreign volume that has taken the place of a snapshot is not deleted', async () => {
  const set = await snapshotDisks(guest.domain, { name: 'place' });
  await remove('a.place');
  await host.run('lvcreate', '--yes', '--name', 'a.place', '--size', '4M', VOLUME_GROUP);
  expect(await states()).toEqual([['missing']]);
  await set.delete();
  expect(await volumes()).toEqual(['a', 'a.place']);
  await remove('a.place');
});

test('overflowed, it is missing, and its deletion says what helps', async () => {
  const set = await snapshotDisks(guest.domain, { name: 'full', disks: { vda: { method: 'lvm', bytes: 4 * MIB } } });
  await host.run('sh', '-c', `dd if=/dev/urandom of=${ORIGIN} bs=1M seek=8 count=16 oflag=direct 2>/dev/null`);
  expect(await field('lv_attr', 'a.full')).toMatch(/^s...I/i);
  expect(await states()).toEqual([['missing']]);
  const error = await refusal(set.delete());
  expect(error).toMatchObject({ code: 'OPERATION_FAILED' });
  expect(error.message).toContain(`lvremove ${VOLUMES}/a.full`);
  expect(await states()).toEqual([['missing']]);
  await remove('a.full');
  await set.delete();
});

test('a snapshot that is another guest’s disk is not deleted', async () => {
  const set = await snapshotDisks(guest.domain, { name: 'used' });
  const other = await HostGuest.define(host, connection, [
    { type: 'block', format: 'raw', source: `${VOLUMES}/a.used` },
  ]);
  const error = await refusal(set.delete());
  expect(error).toMatchObject({ code: 'IN_USE' });
  expect(error.message).toContain(other.domain.getName());
  await other.close();
  await set.delete();
});

const hash = async (device: string) => (await host.run('sha256sum', device)).split(' ')[0];
const scribble = (seek: number, count: number) =>
  host.run('sh', '-c', `dd if=/dev/urandom of=${ORIGIN} bs=64k seek=${seek} count=${count} oflag=direct 2>/dev/null`);

test('revert, and again: only what differs is written back, with less space than a full copy needs', async () => {
  const set = await snapshotDisks(guest.domain, { name: 'back', disks: { vda: { method: 'lvm', bytes: 8 * MIB } } });
  const wanted = await hash(`${VOLUMES}/a.back`);
  for (const seek of [16, 33]) {
    for (const [at, count] of [
      [seek, 8],
      [100, 2],
      [400, 3],
    ] as const)
      await scribble(at, count);
    expect(await hash(ORIGIN)).not.toBe(wanted);
    const used = await field('data_percent', 'a.back');
    const done: number[] = [];
    await set.revert({ onProgress: ({ phase, done: bytes }) => phase === 'copy' && done.push(bytes) });
    expect(await hash(ORIGIN)).toBe(wanted);
    expect(await hash(`${VOLUMES}/a.back`)).toBe(wanted);
    expect(await field('data_percent', 'a.back')).toBe(used);
    expect(done.at(-1)).toBe(32 * MIB);
    expect(await states()).toEqual([['present']]);
  }
  await set.delete();
});

test('given no size, it has space for all: it survives that everything is overwritten, and a revert of that', async () => {
  const set = await snapshotDisks(guest.domain, { name: 'all' });
  const wanted = await hash(`${VOLUMES}/a.all`);
  await scribble(0, 512);
  expect(await hash(ORIGIN)).not.toBe(wanted);
  await set.revert();
  expect(await hash(ORIGIN)).toBe(wanted);
  expect(await states()).toEqual([['present']]);
  await set.delete();
});

test('revert is refused while a guest runs on the volume, and where the snapshot is gone', async () => {
  const set = await snapshotDisks(guest.domain, { name: 'no', disks: { vda: 'lvm' } });
  const revert = () => refusal(set.revert());
  await guest.domain.createWithFlags(DomainCreateFlags.START_PAUSED);
  expect(await revert()).toMatchObject({ code: 'GUEST_ACTIVE', outcome: 'unchanged' });
  await guest.stop();
  await remove('a.no');
  expect(await revert()).toMatchObject({ code: 'NOT_FOUND', outcome: 'unchanged' });
});

test('a revert that another guest forbids is refused before this one is stopped', async () => {
  const set = await snapshotDisks(guest.domain, { name: 'needed' });
  const other = await HostGuest.define(host, connection, [{ type: 'block', format: 'raw', source: ORIGIN }]);
  await guest.domain.createWithFlags(DomainCreateFlags.START_PAUSED);
  const error = await refusal(set.revert({ force: true }));
  expect(error).toMatchObject({ code: 'IN_USE', outcome: 'unchanged' });
  expect(error.message).toContain(other.domain.getName());
  expect(await guest.domain.isActive()).toBe(true);
  expect((await readJournal(guest.domain)).intents).toEqual([]);
  await guest.stop();
  await other.close();
});

test('read gives the bytes of the snapshot, not those of today', async () => {
  const set = await snapshotDisks(guest.domain, { name: 'read' });
  const wanted = await hash(`${VOLUMES}/a.read`);
  await scribble(8, 8);
  const digest = createHash('sha256');
  for await (const chunk of set.read('vda')) digest.update(chunk);
  expect(digest.digest('hex')).toBe(wanted);
  await set.delete();
});

test('exported, it is a file of this machine that holds what LVM shows', async () => {
  const set = await snapshotDisks(guest.domain, { name: 'out' });
  const wanted = await hash(`${VOLUMES}/a.out`);
  await scribble(8, 8);
  const folder = await temporaryDirectory('lvm-export');
  for (const format of ['raw', 'qcow2'] as const) {
    const file = join(folder, format);
    await set.disks[0]?.export(file, { format });
    await qemuImg('convert', '-f', format, '-O', 'raw', file, join(folder, 'copy'));
    const digest = createHash('sha256').update(await readFile(join(folder, 'copy')));
    expect(digest.digest('hex')).toBe(wanted);
  }
  expect((await readdir(folder)).sort()).toEqual(['copy', 'qcow2', 'raw']);
  await rm(folder, { recursive: true });
  await set.delete();
});

test('of two disks that have room each by itself, but not together, the plan says so', async () => {
  const second = await HostGuest.define(host, connection, [
    { type: 'block', format: 'raw', source: ORIGIN },
    await logicalVolume(host, 'b'),
  ]);
  const free = Number((await host.run('vgs', '--noheadings', '--nosuffix', '--units', 'b', '-o', 'vg_free')).trim());
  const bytes = Math.floor(free / 2 / (4 * MIB)) * 4 * MIB + 4 * MIB;
  const method = { method: 'lvm', bytes } as const;
  const one = await planSnapshot(second.domain, { name: 'one', disks: { vda: method } });
  expect(one.problems).toEqual([]);
  const { problems } = await planSnapshot(second.domain, { name: 'both', disks: { vda: method, vdb: method } });
  expect(problems).toMatchObject([{ code: 'NO_SPACE', message: expect.stringContaining('vda, vdb') }]);
  expect(problems[0]?.message).toContain(String(2 * bytes));
  await second.close();
  await remove('b');
});

test('a volume that was extended since comes back, and keeps its new size', async () => {
  const set = await snapshotDisks(guest.domain, { name: 'sized' });
  const wanted = await hash(`${VOLUMES}/a.sized`);
  const head = async () => (await host.run('sh', '-c', `head -c ${32 * MIB} ${ORIGIN} | sha256sum`)).split(' ')[0];
  const resize = async (size: string) => {
    await host.run('lvchange', '--yes', '--activate', 'n', `${VOLUME_GROUP}/a`);
    await host.run('lvresize', '--yes', '--force', '--size', size, `${VOLUME_GROUP}/a`);
    await host.run('lvchange', '--yes', '--activate', 'y', `${VOLUME_GROUP}/a`);
  };
  await resize('40M');
  await scribble(8, 8);
  await set.revert();
  expect(await head()).toBe(wanted);
  expect(await field('lv_size', 'a')).toBe('40.00m');
  expect(await states()).toEqual([['present']]);
  await set.delete();
  await resize('32M');
  expect(await hash(ORIGIN)).toBe(wanted);
});

test('an abort before the first block is written takes the revert back; one after it does not end it', async () => {
  const set = await snapshotDisks(guest.domain, { name: 'abort' });
  const wanted = await hash(`${VOLUMES}/a.abort`);
  await scribble(8, 8);
  await scribble(300, 8);
  const changed = await hash(ORIGIN);
  const reverted = (point: 'revert.guest-off' | 'revert.begun') => {
    const controller = new AbortController();
    installFaultHook((passed) => (passed === point ? controller.abort(new Error('enough')) : undefined));
    return set.revert({ signal: controller.signal }).finally(() => installFaultHook(null));
  };
  const comparing = new AbortController();
  const onProgress = ({ phase }: { phase: string }) => phase === 'copy' && comparing.abort(new Error('enough'));
  for (const attempt of [
    () => reverted('revert.guest-off'),
    () => set.revert({ signal: comparing.signal, onProgress }),
  ]) {
    await expect(attempt()).rejects.toThrow('enough');
    expect(await hash(ORIGIN)).toBe(changed);
    expect(await readJournal(guest.domain)).toMatchObject({ intents: [], claims: [] });
  }
  await reverted('revert.begun');
  expect(await hash(ORIGIN)).toBe(wanted);
  await set.delete();
});

test('a volume that takes no more writes: the revert fails, and is finished when it does again', async () => {
  const set = await snapshotDisks(guest.domain, { name: 'broken' });
  const wanted = await hash(`${VOLUMES}/a.broken`);
  await scribble(8, 8);
  await host.run('blockdev', '--setro', ORIGIN);
  const error = await refusal(set.revert());
  await host.run('blockdev', '--setrw', ORIGIN);
  expect(error).toMatchObject({ code: 'RECOVERY_NEEDED', outcome: 'unknown' });
  expect(await recoverDiskSnapshots(guest.domain)).toMatchObject({ finished: ['broken'] });
  expect(await hash(ORIGIN)).toBe(wanted);
  await set.delete();
});

test('the pool is neither stopped nor left behind', async () => {
  expect(await pool.isActive()).toBe(true);
  expect((await connection.listAllStoragePools()).map((one) => one.getName())).toEqual([VOLUME_GROUP]);
});
