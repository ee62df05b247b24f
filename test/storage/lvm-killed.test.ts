// Method lvm, beside a layer of QEMU, on a libvirt host that is another machine: at the steps that leave a logical volume behind,
// or half brought back, our process is killed, its time is over, or that host's daemon is killed. After at most one call that
// recovers, that host's own tools find nothing too many and nothing too few. For methods of this machine: test/faults.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type DiskSnapshotSet, DomainState, listDiskSnapshots, recoverDiskSnapshots, snapshotDisks } from '../../lib';
import type { FaultPoint } from '../../lib/disk-snapshot/fault-point';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { type Connection, DomainXMLFlags } from '../../lib/libvirt';
import { parseXml } from '../../lib/xml/document';
import { readDomain } from '../../lib/xml/domain';
import type { Task } from '../faults/operations';
import { type Report, RunningOperation } from '../faults/running';
import { everythingOn } from './lvm-host/everything';
import { HostGuest, logicalVolume } from './lvm-host/guest';
import { logicalPool } from './lvm-host/pool';
import { VOLUME_GROUP, VOLUMES } from './lvm-host/scripts';
import { type HostVerdict, verdictOn } from './lvm-host/verdict';
import { VirtualHost } from './lvm-host/virtual-host';

jest.setTimeout(600_000);

const BASE = '/images/a.qcow2';
const ORIGIN = `${VOLUMES}/b`;
const FOLDERS = ['/mnt/a', '/mnt/b'] as const;

// ---- what is tried ----------------------------------------------------------------------------------------------------

type Fault = 'process killed' | 'daemon killed' | 'deadline';

interface Row {
  does: 'snapshot' | 'delete' | 'revert';
  disks: Task['disks'];
  point: FaultPoint;
  /** What becomes of it. Of one whose time is over that is what it says itself. */
  becomes: 'undone' | 'finished';
  faults: readonly Fault[];
}

const BOTH = { vda: 'qemu', vdb: 'lvm' };
const VOLUME = { vdb: 'lvm' };
const KILLED = ['process killed'] as const;
const ALL = ['process killed', 'deadline', 'daemon killed'] as const;

const RUNNING: readonly Row[] = [
  { does: 'snapshot', disks: BOTH, point: 'snapshot.prepared', becomes: 'undone', faults: KILLED },
  { does: 'snapshot', disks: BOTH, point: 'snapshot.methods-cut', becomes: 'undone', faults: ALL },
  { does: 'snapshot', disks: BOTH, point: 'snapshot.layers-cut', becomes: 'finished', faults: ALL },
  { does: 'delete', disks: BOTH, point: 'delete.method-done', becomes: 'finished', faults: KILLED },
  { does: 'revert', disks: BOTH, point: 'revert.method-done', becomes: 'finished', faults: KILLED }, // it ends the guest
];
const OFF: readonly Row[] = [
  { does: 'snapshot', disks: BOTH, point: 'snapshot.methods-cut', becomes: 'undone', faults: KILLED },
  { does: 'snapshot', disks: BOTH, point: 'snapshot.layers-cut', becomes: 'finished', faults: KILLED },
  // Without a layer the record is the commit point.
  { does: 'snapshot', disks: VOLUME, point: 'snapshot.methods-cut', becomes: 'undone', faults: KILLED },
  { does: 'snapshot', disks: VOLUME, point: 'snapshot.written', becomes: 'finished', faults: KILLED },
  {
    does: 'delete',
    disks: BOTH,
    point: 'delete.method-done',
    becomes: 'finished',
    faults: ['process killed', 'daemon killed'],
  },
  { does: 'revert', disks: BOTH, point: 'revert.guest-off', becomes: 'undone', faults: ['process killed', 'deadline'] },
  { does: 'revert', disks: BOTH, point: 'revert.begun', becomes: 'finished', faults: ['process killed', 'deadline'] },
  {
    does: 'revert',
    disks: BOTH,
    point: 'revert.method-done',
    becomes: 'finished',
    faults: ['process killed', 'daemon killed'],
  },
  { does: 'revert', disks: VOLUME, point: 'revert.method-done', becomes: 'finished', faults: KILLED },
];

const titleOf = ({ does, disks, point }: Row) => `${does}, ${Object.values(disks).join('+')}: ${point}`;
const cells = (rows: readonly Row[]) =>
  rows.flatMap((row) => row.faults.map((fault) => [`${titleOf(row)}: ${fault}`, row, fault] as const));

// ---- on what ------------------------------------------------------------------------------------------------------------

let host: VirtualHost;
let connection: Connection;
let guest: HostGuest;
let before: string[];
/** Of a block on each disk that a file holds, in bytes: written from outside, it is what a guest that is off "has written". */
let place: number;

beforeAll(async () => {
  host = await VirtualHost.boot();
  connection = await host.connect();
  await logicalPool(connection);
  const volume = await logicalVolume(host, 'b');
  // Of zeros debugfs would make a hole.
  await host.run('sh', '-c', 'head -c 1024 /dev/zero | tr "\\0" x >/run/mark');
  await host.run('debugfs', '-w', '-R', 'write /run/mark mark', ORIGIN);
  const size = /^Block size:\s+(\d+)$/m.exec(await host.run('dumpe2fs', '-h', ORIGIN))?.[1];
  place = Number(size) * Number(await host.run('debugfs', '-R', 'blocks /mark', ORIGIN));
  expect(place).toBeGreaterThan(0);
  await host.run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', ORIGIN, BASE);
  guest = await HostGuest.define(host, connection, [{ type: 'file', format: 'qcow2', source: BASE }, volume]);
  before = await everything();
});
afterAll(async () => {
  await guest?.close();
  await connection?.close();
  await host?.close();
});
afterEach(async () => {
  for (const set of await listDiskSnapshots(guest.domain)) await set.delete();
  const left = await everything();
  // What a cell that fails leaves is not held against the next one.
  if (left.includes('b.cell')) await host.run('lvremove', '--yes', `${VOLUME_GROUP}/b.cell`);
  expect(left).toEqual(before);
});

const everything = () => everythingOn(host, connection);

interface Image {
  source: string;
  format: string;
}

async function disksNow(): Promise<Image[]> {
  const [live, defined] = await Promise.all(
    [0, DomainXMLFlags.INACTIVE].map(async (flags) => {
      const { disks } = readDomain(await guest.domain.getXMLDesc(flags));
      return disks.map(({ sourcePath, format }) => ({ source: sourcePath ?? '', format: format ?? 'raw' }));
    }),
  );
  expect(live).toEqual(defined);
  return live ?? [];
}

const kept = ({ disks }: DiskSnapshotSet): Image[] =>
  disks.map(({ backupSource, format }) => {
    const { file, dev } = parseXml(backupSource ?? '').attributes;
    return { source: file ?? dev ?? '', format };
  });

async function verdicts(images: readonly Image[], ...files: string[]): Promise<HostVerdict[]> {
  const found: HostVerdict[] = [];
  for (const image of images) found.push(await verdictOn(host, image, files));
  return found;
}

// ---- what befalls it ------------------------------------------------------------------------------------------------------

const FAULTS: Readonly<Record<Fault, (running: RunningOperation) => unknown>> = {
  'process killed': (running) => running.kill(),
  deadline: (running) => running.go('deadline'),
  'daemon killed': async (running) => {
    await host.killDaemon();
    running.go();
    await host.startDaemon();
    await connection.close();
    connection = await host.connect();
    await guest.reachOver(connection);
  },
};

/** How long it took to each point. */
const arrivals = new Map<Row, number>();
const FIRST_ARRIVAL_MS = 15_000;

/** The operation, in a process of its own, until that has ended and its guards have gone. */
async function befall(row: Row, fault: Fault, quiesce: Task['quiesce']): Promise<Report> {
  const { does, disks, point } = row;
  const limit = fault === 'deadline' ? Math.ceil(3 * (arrivals.get(row) ?? FIRST_ARRIVAL_MS)) : null;
  const started = performance.now();
  const running = RunningOperation.start(host.uri, guest.domain.getName(), { does, disks, quiesce }, limit);
  try {
    await running.runTo(point);
    arrivals.set(row, performance.now() - started);
    await FAULTS[fault](running);
  } catch (error) {
    await running.kill();
    throw error;
  }
  const report = await running.ended;
  const patience = AbortSignal.timeout(60_000);
  while ((await running.guardsLeft()).length > 0 && !patience.aborted) await delay(50);
  expect(await running.guardsLeft()).toEqual([]);
  return report;
}

/** The one call: a delete is taken to its end by the same delete. */
async function recover({ does, becomes }: Row, fault: Fault): Promise<void> {
  if (does === 'delete') {
    for (const set of await listDiskSnapshots(guest.domain)) await set.delete();
    return;
  }
  const recovery = await recoverDiskSnapshots(guest.domain);
  const found = fault === 'process killed' ? { finished: [], undone: [], [becomes]: ['cell'] } : {};
  expect(recovery).toMatchObject(found);
}

/** The records, the volumes and files of that host, and both of libvirt's documents say the same. */
async function expectWhole(row: Row, fault: Fault, report: Report): Promise<DiskSnapshotSet[]> {
  const { does, disks, becomes } = row;
  if (fault === 'deadline') {
    const ends = report.ended === 'badly' ? report.kind : report.ended;
    expect({ report, ends }).toEqual({ report, ends: becomes === 'undone' ? 'TimeoutError' : 'well' });
  }
  const isKept = does === 'revert' || (does === 'snapshot' && becomes === 'finished');
  expect(await readJournal(guest.domain)).toMatchObject({ intents: [], claims: [], damaged: [] });
  const sets = await listDiskSnapshots(guest.domain);
  expect({ report, names: sets.map(({ name }) => name) }).toEqual({ report, names: isKept ? ['cell'] : [] });
  for (const set of sets) {
    expect(set.disks.map(({ disk, state }) => [disk, state]).sort()).toEqual(
      Object.keys(disks).map((disk) => [disk, 'present']),
    );
  }
  const [layer, volume] = (await disksNow()).map(({ source }) => source);
  const hasLayer = isKept && 'vda' in disks;
  expect(volume).toBe(ORIGIN);
  expect(layer === BASE).toBe(!hasLayer);
  expect(await everything()).toEqual([...before, ...(isKept ? ['b.cell'] : []), ...(hasLayer ? [layer] : [])].sort());
  return sets;
}

// ---- a guest that is off --------------------------------------------------------------------------------------------------

describe('the guest is off', () => {
  const [BEFORE, SINCE] = ['b', 's'] as const;
  const write = async (what: string) => {
    for (const { source, format } of await disksNow()) {
      await host.run('qemu-io', '-f', format, '-c', `write -P ${what.charCodeAt(0)} ${place} 1024`, source);
    }
  };
  /** What that file is full of, on file systems without a fault. */
  const read = async (images: readonly Image[]) => {
    const found = await verdicts(images, '/mark');
    expect(found.map(({ clean }) => clean)).toEqual(images.map(() => true));
    return found.map(({ files }) => [...new Set(files['/mark'])].join(''));
  };

  test.each(cells(OFF))('%s', async (_, row, fault) => {
    const { does, disks, becomes } = row;
    await write(BEFORE);
    if (does !== 'snapshot') {
      await snapshotDisks(guest.domain, { name: 'cell', disks });
      await write(SINCE);
    }
    const report = await befall(row, fault, 'never');
    await recover(row, fault);
    expect(await guest.domain.isActive()).toBe(false);
    const sets = await expectWhole(row, fault, report);
    const now = await read(await disksNow());
    const isBack = (disk: string) =>
      does === 'snapshot' || (does === 'revert' && becomes === 'finished' && disk in disks);
    expect(now).toEqual(['vda', 'vdb'].map((disk) => (isBack(disk) ? BEFORE : SINCE)));
    for (const set of sets) expect(await read(kept(set))).toEqual(set.disks.map(() => BEFORE));
    if (sets.length === 0) return;
    for (const set of sets) await set.delete();
    expect(await read(await disksNow())).toEqual(now);
  });
});

// ---- a guest that runs ----------------------------------------------------------------------------------------------------

describe('the guest runs', () => {
  const sh = async (script: string) => {
    const { exitCode, stdout, stderr } = await guest.exec(['sh', '-c', script]);
    if (exitCode !== 0) throw new Error(`in the guest, ${script} said: ${stderr}${stdout}`);
    return stdout;
  };
  const inEach = (work: string) => sh(`for folder in ${FOLDERS.join(' ')}; do cd $folder && ${work} || exit 1; done`);
  const write = (name: string) => inEach(`echo ${name} >${name} && sync ${name}`);
  const FILES = ['/before', '/since'] as const;
  const IS_BACK = { '/before': 'before', '/since': '' };
  /** It runs, thawed, has what it had, and writes. */
  const expectItGoesOn = async () => {
    expect((await guest.domain.getState()).state).toBe(DomainState.RUNNING);
    const answer = await guest.domain.qemuAgentCommand('{"execute":"guest-fsfreeze-status"}', 60);
    expect(JSON.parse(answer)).toEqual({ return: 'thawed' });
    await inEach('[ "$(cat before)" = before ] && date >now && sync now');
  };

  beforeAll(async () => {
    await guest.start();
    await write('before');
  });

  test.each(cells(RUNNING))('%s', async (_, row, fault) => {
    const { does, disks } = row;
    await inEach('rm -f since');
    if (does !== 'snapshot') {
      await snapshotDisks(guest.domain, { name: 'cell', disks, quiesce: 'required', maxFreezeMs: 60_000 });
      await write('since');
    }
    const report = await befall(row, fault, 'required');
    await recover(row, fault);
    const sets = await expectWhole(row, fault, report);
    if (does === 'revert') {
      // What ran before runs anew: its disks are judged before it comes so far as to write to them.
      expect((await guest.domain.getState()).state).toBe(DomainState.RUNNING);
      await guest.stop();
      for (const { sound, files } of await verdicts(await disksNow(), ...FILES)) {
        expect({ sound, files }).toEqual({ sound: true, files: IS_BACK });
      }
    } else {
      await expectItGoesOn();
      if (does === 'snapshot') await write('since');
    }
    for (const set of sets) {
      for (const verdict of await verdicts(kept(set), ...FILES)) {
        expect(verdict).toMatchObject({ clean: true, needsRecovery: false, sound: true, files: IS_BACK });
      }
      await set.delete();
    }
    if (does !== 'revert') await expectItGoesOn();
  });
});
