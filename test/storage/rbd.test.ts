// Method rbd, on a real Ceph cluster that asks for a key; methods.test.ts has the whole journey. The children run what `npm run build:ts` made.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  type Connection,
  type Disks,
  type Domain,
  DomainXMLFlags,
  findDiskSnapshot,
  listDiskSnapshots,
  planSnapshot,
  recoverDiskSnapshots,
  registerSnapshotMethod,
  type SnapshotMethod,
  snapshotDisks,
} from '../../lib';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { PrivateLibvirtd, readFileFromImage, startInstantWriter, type TestGuest } from '../../lib/testing';
import { run } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { child, childrenOf, element, formatXml, parseXml, type XmlElement } from '../../lib/xml/document';
import { redefineDisk } from '../../lib/xml/domain';
import { type BareDomain, qemuImg } from '../guest/bare-domain';
import { Ceph } from './ceph';
import { bareCephDomain, cephGuest, defineSecret, rbdSource, start } from './ceph-guest';
import { footprint, snapshotsIn } from './inside';

jest.setTimeout(300_000);
let ceph: Ceph;
let daemon: PrivateLibvirtd;
let connection: Connection;
let secret: string;
/** A file system of 1 MiB. The daemon sees only what was mounted before it. */
let small: string;
beforeAll(async () => {
  ceph = await Ceph.start();
  small = await temporaryDirectory('small');
  await run('mount', ['-t', 'tmpfs', '-o', 'size=1M', 'tmpfs', small]);
  daemon = await PrivateLibvirtd.start();
  connection = await daemon.connect();
  secret = await defineSecret(daemon, ceph);
});
afterAll(async () => {
  await connection?.close();
  await daemon?.close();
  await run('umount', [small]);
  await ceph?.close();
});

/** A method that makes nothing; its disk is prepared after those before it, and something is done then. */
class Meddler implements SnapshotMethod {
  readonly method = 'meddler';
  readonly interfaceVersion = 1;
  readonly needs = 'any';
  constructor(private readonly meddle: () => Promise<unknown>) {}
  parse = () => ({});
  plan = async () => ({ problems: [], creates: [], bytes: 0 });
  prepare = async () => {
    await this.meddle();
    return {};
  };
  cut = async () => ({});
  undo = async () => undefined;
  exists = async () => false;
  delete = async () => undefined;
  revert = async () => undefined;
  backupSource = async () => ({ source: '<source/>', format: 'raw', modifiedDisk: null });
}

const internal = { method: 'qemu', mode: 'internal' } as const;
const both = { vda: 'rbd', vdb: internal };

describe.each(['running', 'off'] as const)('a domain that is %s', (state) => {
  let domain: Domain;
  let vm: BareDomain;
  let image: string;
  let qcow2: string;
  beforeAll(async () => {
    ({ vm, domain, image, qcow2 } = await bareCephDomain(connection, ceph, secret));
    await run('qemu-io', ['-f', 'qcow2', '-c', 'write -P 7 5M 1M', qcow2]);
    const written = join(vm.directory, 'written.raw');
    await writeFile(written, Buffer.alloc(64 << 20).fill(9, 3 << 20, 4 << 20));
    await ceph.rbd('rm', '--no-progress', image);
    await ceph.rbd('import', '--no-progress', written, image);
    if (state === 'running') await domain.create();
  });
  afterAll(() => vm?.remove());
  afterEach(async () => {
    for (const set of await listDiskSnapshots(domain)) await set.delete();
  });
  const inside = async () => ({ rbd: await ceph.snapshots(image), qcow2: await snapshotsIn(qcow2) });
  const nothing = { rbd: [], qcow2: [] };

  test('takes RBD and qcow2 together, by default where the image is raw in Ceph', async () => {
    const plan = await planSnapshot(domain, { disks: ['vda'], name: 's', quiesce: 'never' });
    expect(plan).toMatchObject({ ok: true, consistency: 'crash', willPause: false });
    expect(plan.disks).toMatchObject([{ disk: 'vda', method: 'rbd', creates: [`${image}@s`] }]);
    expect(plan.disks[0]?.because).toContain('Ceph');
    const together = await planSnapshot(domain, { disks: both, quiesce: 'never' });
    expect(together).toMatchObject({ ok: true, consistency: 'crash', willPause: false });

    const set = await snapshotDisks(domain, { disks: both, name: 's', quiesce: 'never' });
    expect(set).toMatchObject({ consistency: 'crash', pausedMs: 0 });
    expect(await inside()).toEqual({ rbd: ['s'], qcow2: ['s'] });
    const [rbd, second] = set.disks;
    expect(second).toMatchObject({ backupSource: null, internalSnapshot: 's', format: 'qcow2' });
    expect(rbd).toMatchObject({ internalSnapshot: null, format: 'raw' });
    expect(rbd?.backupSource).toContain("<snapshot name='s'/>");
    expect(rbd?.backupSource).toContain(`uuid='${secret}'`);
    const before = await footprint(domain);
    const sets = await Promise.all([1, 2, 3].map(() => listDiskSnapshots(domain))); // side by side
    expect(sets.map(([one]) => one?.disks.map((disk) => disk.state))).toEqual(Array(3).fill(['present', 'present']));
    expect(await footprint(domain)).toEqual(before);
    await set.delete();
    expect(await inside()).toEqual(nothing);
  });

  test('refuses in words, and touches nothing', async () => {
    await ceph.rbd('snap', 'create', '--no-progress', `${image}@foreign`);
    const before = await footprint(domain);
    const cases: [{ disks: Disks; name?: string }, object, RegExp][] = [
      [{ disks: { vda: 'rbd' }, name: 'foreign' }, { code: 'NAME_EXISTS', disk: 'vda' }, /has a snapshot foreign/],
      [{ disks: { vda: 'rbd' }, name: 'a@b' }, { code: 'INVALID_ARGUMENT', disk: 'vda' }, /'@'/],
      [{ disks: { vda: 'rbd' }, name: 'x'.repeat(128) }, { code: 'INVALID_ARGUMENT', disk: 'vda' }, /127 bytes/],
      [{ disks: { vdb: 'rbd' } }, { code: 'METHOD_UNSUPPORTED', disk: 'vdb' }, /not in a Ceph cluster/],
      [{ disks: { vda: internal } }, { code: 'METHOD_UNSUPPORTED', disk: 'vda' }, /only qcow2/],
    ];
    for (const [options, expected, says] of cases) {
      const error = await snapshotDisks(domain, { quiesce: 'never', ...options }).catch((e) => e);
      expect(error).toMatchObject({ name: 'DiskSnapshotError', outcome: 'unchanged', ...expected });
      expect(error.message).toMatch(says);
    }
    expect(await footprint(domain)).toEqual(before);
    expect(await inside()).toEqual({ rbd: ['foreign'], qcow2: [] });
    await ceph.rbd('snap', 'rm', '--no-progress', `${image}@foreign`);
  });

  test('a name that somebody takes at the last moment: undone, and theirs stays', async () => {
    const { xml } = await footprint(domain);
    using _meddler = registerSnapshotMethod(
      new Meddler(() => ceph.rbd('snap', 'create', '--no-progress', `${image}@late`)),
    );
    const disks = { vda: 'rbd', vdb: 'meddler' };
    const error = await snapshotDisks(domain, { disks, name: 'late', quiesce: 'never' }).catch((e) => e);
    expect(error).toMatchObject({ code: 'NAME_EXISTS', disk: 'vda', outcome: 'undone' });
    expect(await inside()).toEqual({ rbd: ['late'], qcow2: [] });
    expect(await footprint(domain)).toMatchObject({ xml, journal: { sets: [], intents: [], claims: [] } });
    await ceph.rbd('snap', 'rm', '--no-progress', `${image}@late`);
  });

  test('removed behind our back: missing, and deleting it succeeds', async () => {
    const set = await snapshotDisks(domain, { disks: both, name: 'gone', quiesce: 'never' });
    await ceph.rbd('snap', 'rm', '--no-progress', `${image}@gone`);
    expect((await findDiskSnapshot(domain, 'gone'))?.disks.map((disk) => disk.state)).toEqual(['missing', 'present']);
    await set.delete();
    expect(await inside()).toEqual(nothing);
  });

  test('is read and exported: what rbd export and qemu-img convert give, without the key in any argument', async () => {
    const set = await snapshotDisks(domain, { disks: both, name: 'read', quiesce: 'never' });
    const other = join(vm.directory, 'other');
    const theirs = {
      vda: () => ceph.rbd('export', '--no-progress', `${image}@read`, other),
      vdb: () => qemuImg('convert', '-U', '-O', 'raw', '-l', 'snapshot.name=read', qcow2, other),
    };
    const key = await ceph.key();
    for (const disk of set.disks) {
      await theirs[disk.disk as keyof typeof theirs]();
      const expected = await readFile(other);
      let seen = '';
      const bytes: Buffer[] = [];
      for await (const chunk of disk.read()) {
        if (bytes.push(chunk) === 1) seen = (await run('ps', ['-eo', 'args'])).stdout;
      }
      expect(Buffer.concat(bytes).equals(expected)).toBe(true);
      expect(seen).toContain('qemu-nbd');
      expect(seen).not.toContain(key);
      for (const format of ['raw', 'qcow2'] as const) {
        const path = join(vm.directory, `export.${format}`);
        await disk.export(path, { format });
        await qemuImg('convert', '-O', 'raw', path, other);
        expect((await readFile(other)).equals(expected)).toBe(true);
        expect((await stat(path)).blocks * 512).toBeLessThan(8 << 20);
        await rm(path);
      }
      await rm(other);
    }
    const unnamed = set.disks[1]?.read({ as: 'file' }).toArray();
    await expect(unnamed).rejects.toMatchObject({ code: 'METHOD_UNSUPPORTED' });
    await set.delete();
  });

  test('protected, as by a clone: the deletion is refused, and succeeds later', async () => {
    const set = await snapshotDisks(domain, { disks: { vda: 'rbd' }, name: 'kept', quiesce: 'never' });
    await ceph.rbd('snap', 'protect', `${image}@kept`);
    await expect(set.delete()).rejects.toMatchObject({ code: 'IN_USE', disk: 'vda' });
    expect((await findDiskSnapshot(domain, 'kept'))?.disks.map((disk) => disk.state)).toEqual(['present']);
    await ceph.rbd('snap', 'unprotect', `${image}@kept`);
    await set.delete();
    expect(await inside()).toEqual(nothing);
  });

  test.each(['cut', 'verify'])('killed when it came to %s: recovery deletes by name', async (phase) => {
    const { xml } = await footprint(domain);
    const child = spawn(process.execPath, ['-e', CHILD, daemon.uri, domain.getName(), phase, JSON.stringify(both)], {
      cwd: join(__dirname, '..', '..'),
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    expect(await inside()).toEqual(phase === 'verify' ? { rbd: ['dead'], qcow2: ['dead'] } : nothing);
    expect(await recoverDiskSnapshots(domain)).toMatchObject({ finished: [], undone: ['dead'] });
    expect(await inside()).toEqual(nothing);
    expect(await footprint(domain)).toMatchObject({ xml, journal: { sets: [], intents: [], claims: [] } });
    expect(await recoverDiskSnapshots(domain)).toMatchObject({ finished: [], undone: [] });
  });
});

const CHILD = `
  const { connect, snapshotDisks } = require('./dist');
  const [uri, name, phase, disks] = process.argv.slice(1);
  (async () => {
    const conn = await connect(uri);
    await snapshotDisks(await conn.domainLookupByName(name), {
      disks: JSON.parse(disks),
      name: 'dead',
      quiesce: 'never',
      onProgress: (p) => { if (p.phase === phase) process.kill(process.pid, 'SIGKILL'); },
    });
  })();
`;

test('QEMU leaves what the first action of a failed transaction made: it is taken back', async () => {
  const { vm, domain, image, qcow2 } = await bareCephDomain(connection, ceph, secret, { folder: small });
  await domain.create();
  await run('dd', ['if=/dev/zero', `of=${join(small, 'full')}`, 'bs=4k'], { accept: [1] });
  const before = await footprint(domain);
  const error = await snapshotDisks(domain, { disks: both, quiesce: 'never' }).catch((e) => e);
  expect(error).toMatchObject({ name: 'DiskSnapshotError', outcome: 'undone' });
  expect(error.message).toContain('transaction');
  expect(await ceph.snapshots(image)).toEqual([]);
  expect(await snapshotsIn(qcow2)).toEqual([]);
  expect(await footprint(domain)).toEqual(before);
  await vm.remove();
});

test('a qcow2 over RBD is refused by method rbd, and served by internal', async () => {
  const { vm, domain, image } = await bareCephDomain(connection, ceph, secret);
  const over = `${image}-qcow2`;
  const file = join(vm.directory, 'import.qcow2');
  await qemuImg('create', '-q', '-f', 'qcow2', file, '64M');
  await ceph.rbd('import', '--no-progress', file, over);
  await ceph.rbd('resize', '--no-progress', '--size', '80', over);
  const disk = { type: 'network', source: rbdSource(ceph, secret, over), format: 'qcow2' } as const;
  await connection.domainDefineXML(redefineDisk(await domain.getXMLDesc(), 'vda', disk));
  await domain.create();
  await expect(snapshotDisks(domain, { disks: { vda: 'rbd' }, quiesce: 'never' })).rejects.toMatchObject({
    code: 'METHOD_UNSUPPORTED',
    outcome: 'unchanged',
  });
  const set = await snapshotDisks(domain, { disks: { vda: internal }, name: 's', quiesce: 'never' });
  expect(await ceph.snapshots(over)).toEqual([]);
  expect(set.disks).toMatchObject([{ internalSnapshot: 's', virtualSize: 64 << 20 }]);
  expect((await findDiskSnapshot(domain, 's'))?.disks[0]?.state).toBe('present');
  await set.delete();
  await vm.remove();
});

test('credentials beside the source, as older definitions have them, are the snapshot’s too', async () => {
  const { vm, domain, image } = await bareCephDomain(connection, ceph, secret);
  const root = parseXml(await domain.getXMLDesc());
  for (const disk of childrenOf(child(root, 'devices') ?? root, 'disk')) {
    const source = child(disk, 'source');
    if (!source) continue;
    disk.children.push(...childrenOf(source, 'auth'));
    source.children = source.children.filter((node) => typeof node === 'string' || node.name !== 'auth');
  }
  await connection.domainDefineXML(formatXml(root));
  const set = await snapshotDisks(domain, { disks: ['vda'], name: 'beside', quiesce: 'never' });
  expect(set.disks[0]?.backupSource).toContain(`uuid='${secret}'`);
  const other = join(vm.directory, 'other');
  await ceph.rbd('export', '--no-progress', `${image}@beside`, other);
  expect(Buffer.concat(await set.read('vda').toArray()).equals(await readFile(other))).toBe(true);
  await set.revert();
  await set.delete();
  expect(await ceph.snapshots(image)).toEqual([]);
  await vm.remove();
});

test('what another domain has for a disk is neither brought back nor deleted beneath it, and the error says whose it is', async () => {
  const { vm, domain, image } = await bareCephDomain(connection, ceph, secret);
  const second = await bareCephDomain(connection, ceph, secret);
  const theirs = second.domain.getName();
  const set = await snapshotDisks(domain, { disks: ['vda'], name: 'shared', quiesce: 'never' });
  const refused = {
    code: 'IN_USE',
    outcome: 'unchanged',
    disk: 'vda',
    message: expect.stringContaining(`${theirs} (vda)`),
  };
  const moveTo = async (source: XmlElement) =>
    connection.domainDefineXML(
      redefineDisk(await second.domain.getXMLDesc(DomainXMLFlags.SECURE), 'vda', {
        type: 'network',
        source,
        format: 'raw',
      }),
    );
  const own = rbdSource(ceph, secret, second.image);
  const before = await ceph.rbd('export', '--no-progress', image, '-');

  await moveTo(rbdSource(ceph, secret, image));
  await expect(set.revert()).rejects.toMatchObject(refused);
  await second.domain.create();
  await expect(set.revert()).rejects.toMatchObject(refused);
  expect(await ceph.rbd('export', '--no-progress', image, '-')).toEqual(before);
  expect(await readJournal(domain)).toMatchObject({ claims: [], intents: [] });
  await second.domain.destroy();

  const point = rbdSource(ceph, secret, image);
  point.children.push(element('snapshot', { name: 'shared' }));
  await moveTo(point);
  await expect(set.delete()).rejects.toMatchObject(refused);
  expect(await ceph.snapshots(image)).toEqual(['shared']);
  await set.revert(); // what they read, stays

  await moveTo(own);
  await set.delete();
  expect(await ceph.snapshots(image)).toEqual([]);
  await second.vm.remove();
  await vm.remove();
});

test('a key that libvirt keeps to itself: PERMISSION_DENIED, and the way out', async () => {
  const hidden = await defineSecret(daemon, ceph, { name: 'client.hidden', private: true });
  const { vm, domain } = await bareCephDomain(connection, ceph, hidden);
  const set = await snapshotDisks(domain, { disks: ['vda'], quiesce: 'never' });
  const error = await set
    .read('vda')
    .toArray()
    .catch((e) => e);
  expect(error).toMatchObject({ code: 'PERMISSION_DENIED', disk: 'vda' });
  expect(error.message).toContain("private='no'");
  await set.delete();
  await vm.remove();
});

test('an image that is gone, of a domain that is off: NOT_FOUND, and listed as missing', async () => {
  const { vm, domain, image } = await bareCephDomain(connection, ceph, secret);
  const set = await snapshotDisks(domain, { disks: ['vda'], name: 's', quiesce: 'never' });
  await ceph.rbd('snap', 'purge', '--no-progress', image);
  await ceph.rbd('rm', '--no-progress', image);
  const before = await footprint(domain);
  await expect(snapshotDisks(domain, { disks: ['vda'] })).rejects.toMatchObject({ code: 'NOT_FOUND', disk: 'vda' });
  expect((await findDiskSnapshot(domain, 's'))?.disks[0]?.state).toBe('missing');
  await expect(set.delete()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await footprint(domain)).toEqual(before);
  expect(await readJournal(domain)).toMatchObject({ claims: [], intents: [] });
  await vm.remove();
});

describe('a real guest', () => {
  let guest: TestGuest;
  let image: string;
  beforeAll(async () => {
    ({ guest, image } = await cephGuest(connection, ceph, secret));
    await start(guest);
  });
  afterAll(() => guest?.close());
  const copyOut = async (name: string, to: string) => {
    await rm(to, { force: true });
    await ceph.rbd('export', '--no-progress', `${image}@${name}`, to);
  };

  test.each([1, 2, 3])('RBD and qcow2 are cut at one instant, without a pause, time %s', async () => {
    const writer = await startInstantWriter(guest, { directories: ['/mnt/a', '/mnt/b'] });
    const twice = 'until [ "$(cat /mnt/b/instant)" -gt 1 ]; do sleep 0.01; done 2>/dev/null';
    expect(await guest.exec(['sh', '-c', twice])).toMatchObject({ exitCode: 0 });
    const set = await snapshotDisks(guest.domain, { disks: both, name: 'instant', quiesce: 'never' });
    await writer.stop();
    expect(set).toMatchObject({ consistency: 'crash', pausedMs: 0 });
    const copies = ['a', 'b'].map((disk) => join(guest.directory, `${disk}.raw`));
    const [a = '', b = ''] = copies;
    await copyOut('instant', a);
    await qemuImg('convert', '-U', '-O', 'raw', '-l', 'snapshot.name=instant', guest.image('vdb'), b);
    const [first = 0, second = 0] = await Promise.all(
      copies.map(async (copy) => Number((await readFileFromImage(copy, '/instant')).trim().split('\n').at(-1))),
    );
    expect(first).toBeGreaterThan(0);
    expect([0, 1]).toContain(first - second);
    await set.delete();
  });
});
