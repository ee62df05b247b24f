// The driver dies between QEMU's transaction and its own bookkeeping: libvirt's documents name the base, and the guest writes
// to the overlay. The state is made for real: what libvirt writes down after the transaction goes nowhere, since a folder lies
// where its new file would, and then it is killed.
import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { type Connection, type Domain, recoverDiskSnapshots, snapshotDisks, unquiesceStorage } from '../../lib';
import { installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { liveChain } from '../../lib/disk-snapshot/images/backing-chain';
import { qmp } from '../../lib/disk-snapshot/images/qmp';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { qemuStateOf } from '../../lib/disk-snapshot/records/record';
import { commitBack } from '../../lib/disk-snapshot/recover/qemu-ahead';
import { PrivateLibvirtd, TestGuest, verifyConsistency } from '../../lib/testing';
import { guestExec } from '../../lib/testing/agent';
import { run } from '../../lib/testing/command';
import { readDomain } from '../../lib/xml/domain';

jest.setTimeout(180_000);
let daemon: PrivateLibvirtd;
let connection: Connection;
let guest: TestGuest;
let domain: Domain;
beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
  connection = await daemon.connect();
});
beforeEach(async () => {
  guest = await TestGuest.boot({ connection, disks: 2, restorable: false, persistent: true });
  domain = guest.domain;
});
afterEach(async () => {
  installFaultHook(null);
  await domain.destroy().catch(() => undefined);
  await domain.undefine().catch(() => undefined);
  await guest.close().catch(() => undefined); // its handles went with the daemon that was killed
});
afterAll(async () => {
  await connection?.close();
  await daemon?.close();
});

/** A snapshot of both disks, of which libvirt knows nothing afterwards. */
async function cutUnnoticed(): Promise<void> {
  const obstacles = ['run', 'etc'].map((folder) => join(daemon.directory, folder, 'qemu', `${guest.name}.xml.new`));
  installFaultHook(async (point) => {
    if (point === 'snapshot.prepared') for (const folder of obstacles) await mkdir(folder);
    if (point === 'snapshot.layers-cut') await daemon.kill();
  });
  const options = { name: 'unnoticed', quiesce: 'required', guard: false } as const;
  const error: unknown = await snapshotDisks(domain, options).catch((e: unknown) => e);
  expect(error).toMatchObject({ name: 'DiskSnapshotError', outcome: 'unknown' });
  installFaultHook(null);
  for (const folder of obstacles) await rmdir(folder);
  await connection.close();
  await daemon.restart();
  connection = await daemon.connect();
  domain = await connection.domainLookupByName(guest.name);
}

const bases = () => [guest.image('vda'), guest.image('vdb')];
const documented = async () => readDomain(await domain.getXMLDesc()).disks.map((disk) => disk.sourcePath);
const opened = async () => {
  const { disks } = readDomain(await domain.getXMLDesc());
  return Promise.all(disks.map(async (disk) => (await liveChain(domain, disk))[0]?.path));
};
const openFiles = async () =>
  (await qmp<{ file: string }[]>(domain, 'query-named-block-nodes', { flat: true })).map(({ file }) => file);

/** Random data in a file on each disk, on stable storage; gives their checksums. */
async function write(name: string): Promise<string> {
  const script = `for d in /mnt/a /mnt/b; do dd if=/dev/urandom of=$d/${name} bs=64k count=30 2>/dev/null; done; sync; sha256sum /mnt/a/${name} /mnt/b/${name}`;
  return (await guestExec(domain, ['sh', '-c', script])).stdout;
}
const checksums = async (name: string) =>
  (await guestExec(domain, ['sh', '-c', `echo 3 >/proc/sys/vm/drop_caches; sha256sum /mnt/a/${name} /mnt/b/${name}`]))
    .stdout;

test('the guest runs: what it wrote goes back into the base, and nothing is left', async () => {
  const was = { files: (await readdir(guest.directory)).sort(), open: (await openFiles()).sort() };
  await cutUnnoticed();
  expect(await documented()).toEqual(bases());
  expect(await opened()).not.toEqual(bases());
  // Or it could not write before recovery comes. The thread that watched the freeze may have been first.
  await unquiesceStorage(domain);
  const written = await write('since');
  expect(await recoverDiskSnapshots(domain)).toMatchObject({ finished: [], undone: ['unnoticed'] });
  expect(await documented()).toEqual(bases());
  expect(await opened()).toEqual(bases());
  expect({ files: (await readdir(guest.directory)).sort(), open: (await openFiles()).sort() }).toEqual(was);
  expect(await checksums('since')).toBe(written);
  expect(await readJournal(domain)).toMatchObject({ sets: [], intents: [], claims: [] });
  // libvirt can go on where it believes to be.
  const next = await snapshotDisks(domain, { quiesce: 'required', guard: false });
  await next.delete();
  expect(await checksums('since')).toBe(written);
  await domain.destroy();
  for (const base of bases()) {
    await run('qemu-img', ['check', '-q', base]);
    expect(await verifyConsistency(base)).toMatchObject({ sound: true });
  }
});

test('the guest has ended since, and had written: it will start from the overlays', async () => {
  await cutUnnoticed();
  await unquiesceStorage(domain);
  const written = await write('since');
  await domain.destroy();
  expect(await documented()).toEqual(bases());
  expect(await recoverDiskSnapshots(domain)).toMatchObject({ finished: ['unnoticed'], undone: [] });
  const overlays = await documented();
  for (const overlay of overlays) {
    expect(bases()).not.toContain(overlay);
    await run('qemu-img', ['check', '-q', overlay ?? '']);
    expect(await verifyConsistency(overlay ?? '')).toMatchObject({ sound: true });
  }
  for (const base of bases()) expect(await verifyConsistency(base)).toMatchObject({ clean: true });
  expect(written).not.toBe('');
});

test('a recovery that came to grief between two disks is taken up by the next', async () => {
  await cutUnnoticed();
  await unquiesceStorage(domain);
  const written = await write('since');
  const [intent] = (await readJournal(domain)).intents;
  const first = readDomain(await domain.getXMLDesc()).disks[0];
  const state = intent?.disks[0] && qemuStateOf(intent.disks[0]);
  if (!first || !state) throw new Error('no intent was left');
  await commitBack(domain, first, state, {});
  expect((await opened())[0]).toBe(bases()[0]);
  expect((await opened())[1]).not.toBe(bases()[1]);

  expect(await recoverDiskSnapshots(domain)).toMatchObject({ finished: [], undone: ['unnoticed'] });

  expect(await opened()).toEqual(bases());
  expect(await checksums('since')).toBe(written);
  expect(await readJournal(domain)).toMatchObject({ sets: [], intents: [], claims: [] });
});

test('the guest runs from the base in another boot, under the same id: its data in the overlay are not thrown away', async () => {
  const id = readDomain(await domain.getXMLDesc()).id;
  await cutUnnoticed();
  await unquiesceStorage(domain);
  await write('since');
  // As a host that restarts: the daemon counts from 1 again.
  await domain.destroy();
  await connection.close();
  await daemon.kill();
  await daemon.restart();
  connection = await daemon.connect();
  domain = await connection.domainLookupByName(guest.name);
  for (await domain.create(); readDomain(await domain.getXMLDesc()).id !== id; await domain.create())
    await domain.destroy();
  const files = (await readdir(guest.directory)).sort();

  await expect(recoverDiskSnapshots(domain)).rejects.toMatchObject({
    code: 'RECOVERY_NEEDED',
    message: expect.stringContaining('holds data of the guest'),
  });

  expect((await readdir(guest.directory)).sort()).toEqual(files);
});

test('the guest has been started from the base since: nothing is touched, and a person decides', async () => {
  await cutUnnoticed();
  await unquiesceStorage(domain);
  await write('since');
  await domain.destroy();
  for (const base of bases()) await run('touch', [base]);
  const files = (await readdir(guest.directory)).sort();
  await expect(recoverDiskSnapshots(domain)).rejects.toMatchObject({ code: 'RECOVERY_NEEDED', outcome: 'unknown' });
  expect((await readdir(guest.directory)).sort()).toEqual(files);
  expect(await documented()).toEqual(bases());
});
