// Whoever needs an image is found: from afar, by a process that may read nothing, through a pool. Where it cannot be found out,
// nothing is done, and the error says so. Judged by qemu-img and the files.
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Connection, type DiskSnapshotSet, snapshotDisks } from '../../lib';
import { run } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { element, formatXml } from '../../lib/xml/document';
import { pathSource, redefineDisk } from '../../lib/xml/domain';
import { BareDomain, qemuImg } from '../guest/bare-domain';
import { FarDaemon } from './far';

jest.setTimeout(180_000);

let far: FarDaemon;
let near: Connection;
let remote: Connection;
let directory: string;
let vm: BareDomain;
let other: BareDomain;
beforeAll(async () => {
  far = await FarDaemon.start();
  near = await far.daemon.connect();
  remote = await far.connect();
});
afterAll(async () => {
  await near?.close();
  await remote?.close();
  await far?.close();
});
beforeEach(async () => {
  directory = await temporaryDirectory('users');
});
afterEach(async () => {
  await other?.remove();
  await vm?.remove();
  for (const pool of await near.listAllStoragePools()) {
    if (await pool.isActive()) await pool.destroy();
    if (await pool.isPersistent()) await pool.undefine();
  }
  await rm(directory, { recursive: true });
});

/** A domain with two layers, and another one, off, whose image lies over the lower of them. */
async function twoDomains(conn: Connection): Promise<DiskSnapshotSet> {
  vm = await BareDomain.define(conn, join(directory, 'vm'));
  const [, newer] = await vm.layers(2);
  other = await BareDomain.define(conn, join(directory, 'other'));
  const image = await other.source('vda');
  await rm(image);
  await qemuImg('create', '-q', '-f', 'qcow2', '-b', join(vm.directory, 'vda.s1'), '-F', 'qcow2', image);
  return newer as DiskSnapshotSet;
}

const isNeeded = {
  code: 'IN_USE',
  outcome: 'unchanged',
  message: expect.stringContaining('other (vda)'),
};
const filesOf = async () => (await readdir(vm.directory)).sort();

async function expectRefused(work: () => Promise<unknown>, refused: object): Promise<void> {
  const before = await filesOf();
  await expect(work()).rejects.toMatchObject(refused);
  expect(await filesOf()).toEqual(before);
  expect((await near.listAllStoragePools()).map((pool) => pool.getName())).not.toContainEqual(
    expect.stringContaining('libvirt-disksnapshot'),
  );
}

/** As somebody who may open nothing of root's. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  process.seteuid?.(65534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

test('on another host, in a folder of no pool', async () => {
  const newer = await twoDomains(remote);
  await expectRefused(() => newer.delete(), isNeeded);
  await other.remove();
  other = vm;
  await newer.delete();
  expect(await filesOf()).toEqual(['vda.qcow2', 'vda.s1']);
  other = await BareDomain.define(near, join(directory, 'last')); // for afterEach
});

test('on this machine, by a process that may not read the headers', async () => {
  const newer = await twoDomains(near);
  await chmod(other.directory, 0o700);
  await expectRefused(() => asNobody(() => newer.delete()), isNeeded);
});

describe('a disk that names a volume', () => {
  test.each(['active', 'inactive'])('of a pool that is %s', async (state) => {
    const newer = await twoDomains(near);
    const folder = other.directory;
    const pool = await near.storagePoolDefineXML(
      formatXml(
        element(
          'pool',
          { type: 'dir' },
          element('name', {}, 'theirs'),
          element('target', {}, element('path', {}, folder)),
        ),
      ),
    );
    if (state === 'active') await pool.create();
    const source = element('source', { pool: 'theirs', volume: 'vda.qcow2' });
    const disk = { type: 'volume', source, format: 'qcow2' } as const;
    await near.domainDefineXML(redefineDisk(await other.domain.getXMLDesc(), 'vda', disk));
    await expectRefused(() => newer.delete(), isNeeded);
  });
});

test('where nobody can look, nothing is done, and the error says of whom it is not known', async () => {
  const file = join(directory, 'device.img');
  await writeFile(file, '');
  await run('truncate', ['-s', '70M', file]);
  const device = (await run('losetup', ['--find', '--show', file])).stdout.trim();
  try {
    const newer = await twoDomains(remote);
    await qemuImg('create', '-q', '-f', 'qcow2', '-b', join(vm.directory, 'vda.s1'), '-F', 'qcow2', device);
    const disk = { type: 'block', source: pathSource('block', device), format: 'qcow2' } as const;
    await near.domainDefineXML(redefineDisk(await other.domain.getXMLDesc(), 'vda', disk));
    const unknown = {
      code: 'PERMISSION_DENIED',
      outcome: 'unchanged',
      message: expect.stringContaining('other (vda)'),
    };
    await expectRefused(() => newer.delete(), unknown);
    await expect(newer.delete()).rejects.toThrow(device);
    await other.domain.create(); // what runs is known
    await expectRefused(() => newer.delete(), isNeeded);
  } finally {
    if (await other.domain.isActive()) await other.domain.destroy();
    await run('losetup', ['--detach', device]);
  }
});

test('a raw disk in which a guest wrote a header that names an image: it needs none', async () => {
  const newer = await twoDomains(remote);
  const image = await other.source('vda');
  await near.domainDefineXML(
    redefineDisk(await other.domain.getXMLDesc(), 'vda', { source: pathSource('file', image), format: 'raw' }),
  );
  await newer.delete();
  expect(await filesOf()).toEqual(['vda.qcow2', 'vda.s1']);
});

test('a domain with a snapshot inside an image: as long as it has it, nothing below is merged', async () => {
  const newer = await twoDomains(near);
  const folder = join(directory, 'plain');
  await mkdir(folder);
  const inner = await snapshotDisks(other.domain, {
    disks: { vda: { method: 'qemu', mode: 'internal' } },
    name: 'inner',
  });
  // The domain has left the image since; its record has not.
  const plain = join(folder, 'plain.qcow2');
  await qemuImg('create', '-q', '-f', 'qcow2', plain, '64M');
  const xml = await other.domain.getXMLDesc();
  const disk = { source: pathSource('file', plain), format: 'qcow2' } as const;
  await near.domainDefineXML(redefineDisk(xml, 'vda', disk));
  expect(inner.disks[0]?.backingChain).toHaveLength(2);
  await expectRefused(() => newer.delete(), {
    code: 'IN_USE',
    message: expect.stringContaining('other (snapshot inner)'),
  });
});
