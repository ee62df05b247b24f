// The example of a vendor's method: from its own element in the domain to a recovery by another process. The child runs what
// `npm run build:ts` made, and the example as an installed package.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import ts from 'typescript';
import { registerVendorArray } from '../../examples/vendor-array/index';
import {
  type Connection,
  type Domain,
  defineDomain,
  describeDomain,
  findDiskSnapshot,
  planSnapshot,
  recoverDiskSnapshots,
  snapshotDisks,
} from '../../lib';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { PrivateLibvirtd } from '../../lib/testing';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { childrenOf, element, formatXml, parseXml, type XmlElement } from '../../lib/xml/document';
import { pathSource, redefineDisk } from '../../lib/xml/domain';
import { BareDomain, expectPattern, fill } from './bare-domain';

jest.setTimeout(120_000);
const root = resolve(__dirname, '../..');
const example = join(root, 'examples', 'vendor-array');

let daemon: PrivateLibvirtd;
let connection: Connection;
let folder: string;
let vm: BareDomain;
/** Before its disk lay in the array. */
let bare: string;
let domain: Domain;
let registration: Disposable;
const volume = () => join(folder, '17.img');

beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
  connection = await daemon.connect();
});
afterAll(async () => {
  await connection?.close();
  await daemon?.close();
});
beforeEach(async () => {
  registration = registerVendorArray();
  folder = await temporaryDirectory('array & more'); // what XML must escape
  vm = await BareDomain.define(connection, await temporaryDirectory('vendor'));
  await copyFile(join(vm.directory, 'vda.qcow2'), volume());
  await writeFile(join(folder, 'array.json'), '{}');
  bare = await vm.domain.getXMLDesc();
  domain = await define(elementWith(arrayOf(folder), volume17));
});
afterEach(async () => {
  registration[Symbol.dispose]();
  await vm.remove();
  for (const directory of [vm.directory, folder]) await rm(directory, { recursive: true });
});

const elementWith = (...children: XmlElement[]) => element('diskSnapshot', { method: 'vendor-array' }, ...children);
const arrayOf = (path: string) => element('array', { folder: path });
const volume17 = element('volume', { id: '17' });
/** The domain anew, its disk a volume of the array. */
async function define(diskSnapshot: XmlElement | null): Promise<Domain> {
  const disk = { type: 'file', source: pathSource('file', volume()), format: 'qcow2' } as const;
  const xml = parseXml(redefineDisk(bare, 'vda', disk));
  if (diskSnapshot)
    childrenOf(xml, 'devices')
      .flatMap((devices) => childrenOf(devices, 'disk'))[0]
      ?.children.push(diskSnapshot);
  return defineDomain(connection, formatXml(xml));
}
const inArray = async () => (await readdir(folder)).sort();

test('the element in the domain chooses it; created, listed, read, gone back to twice, deleted', async () => {
  expect(await describeDomain(domain)).toContain("<volume id='17'/>");
  await fill(volume(), 1, 0, 1);
  const plan = await planSnapshot(domain, { name: 's' });
  expect(plan).toMatchObject({ ok: true, disks: [{ method: 'vendor-array', creates: [join(folder, '17@s-*.img')] }] });
  expect(await inArray()).toEqual(['17.img', 'array.json']);

  const set = await snapshotDisks(domain, { name: 's' });
  expect(await inArray()).toEqual(['17.img', expect.stringMatching(/^17@s-[0-9a-f]{8}\.img$/), 'array.json']);
  const file = parseXml(set.disks[0]?.backupSource ?? '').attributes.file ?? '';
  for (const pattern of [2, 3]) {
    await fill(volume(), pattern, 0, 1);
    await expectPattern(file, 1, 0, 1);
    await set.revert();
    await expectPattern(volume(), 1, 0, 1);
  }
  const raw = Buffer.concat(await set.read('vda').toArray());
  expect(raw.subarray(0, 1 << 20).equals(Buffer.alloc(1 << 20, 1))).toBe(true);
  expect((await findDiskSnapshot(domain, 's'))?.disks[0]?.state).toBe('present');
  await set.delete();
  await set.delete();
  expect(await inArray()).toEqual(['17.img', 'array.json']);
});

test('removed behind our back, it is listed as missing', async () => {
  const set = await snapshotDisks(domain, { name: 's' });
  await rm(parseXml(set.disks[0]?.backupSource ?? '').attributes.file ?? '');
  expect((await findDiskSnapshot(domain, 's'))?.disks[0]?.state).toBe('missing');
  await expect(set.revert()).rejects.toMatchObject({ code: 'NOT_FOUND', outcome: 'unchanged' });
  await set.delete();
});

test('without an element, a volume of the array is recognized', async () => {
  domain = await define(null);
  const because = `${volume()} is a volume of a vendor's array`;
  const creates = [join(folder, '17@s-*.img')];
  const { disks } = await planSnapshot(domain, { name: 's' });
  expect(disks).toMatchObject([{ method: 'vendor-array', because, creates }]);
  const named = await planSnapshot(domain, { name: 's', disks: { vda: 'vendor-array' } });
  expect(named.disks).toMatchObject([{ because: 'the caller chose it', creates }]);
  const set = await snapshotDisks(domain, { name: 's' });
  expect(await inArray()).toHaveLength(3);
  await set.delete();
});

test.each([
  ['an element of the vendor’s that is missing', [arrayOf('/a')], 'INVALID_XML', '<volume id'],
  ['one that is not known', [arrayOf('/a'), volume17, element('pool')], 'INVALID_XML', '<pool> is not known'],
  ['another folder', [arrayOf('/a'), volume17], 'NOT_FOUND', '/a is no array'],
])('%s is refused in words', async (_, children, code, says) => {
  const error = await define(elementWith(...children))
    .then((defined) => snapshotDisks(defined))
    .catch((e) => e);
  expect(error).toMatchObject({ name: 'DiskSnapshotError', code, outcome: 'unchanged', disk: 'vda' });
  expect(error.message).toContain(says);
  expect(await inArray()).toEqual(['17.img', 'array.json']);
});

test.each([
  ['the wrong members', { size: 3 }, 'INVALID_ARGUMENT', 'takes { folder, volume }'],
  ['an identifier that leads out of the array', { volume: '../17' }, 'OPERATION_FAILED', 'identifies no volume'],
  ['another volume than the disk', { volume: '18' }, 'NOT_FOUND', 'has no volume 18'],
])('as an object, %s is refused in words', async (_, given, code, says) => {
  const data = 'volume' in given ? { folder, ...given } : given;
  const error = await snapshotDisks(domain, { disks: { vda: { method: 'vendor-array', ...data } } }).catch((e) => e);
  expect(error).toMatchObject({ name: 'DiskSnapshotError', code, outcome: 'unchanged', disk: 'vda' });
  expect(error.message).toContain(says);
});

test('where nobody registered it, everything is METHOD_UNKNOWN, and nothing is touched', async () => {
  const set = await snapshotDisks(domain, { name: 's' });
  const before = { files: await inArray(), xml: await domain.getXMLDesc() };
  registration[Symbol.dispose]();
  const attempts = [
    () => snapshotDisks(domain),
    () => snapshotDisks(domain, { disks: { vda: 'vendor-array' } }),
    () => set.revert(),
    () => set.delete(),
  ];
  for (const attempt of attempts) {
    await expect(attempt()).rejects.toMatchObject({ code: 'METHOD_UNKNOWN', outcome: 'unchanged', disk: 'vda' });
    expect({ files: await inArray(), xml: await domain.getXMLDesc() }).toEqual(before);
  }
  expect((await findDiskSnapshot(domain, 's'))?.disks[0]?.state).toBe('missing');
  registration = registerVendorArray();
  await set.delete();
  expect(await inArray()).toEqual(['17.img', 'array.json']);
});

test('a process dies after the cut: another one recovers, once it knows the method', async () => {
  const child = spawn(process.execPath, ['-e', CHILD, daemon.uri, domain.getName(), root], {
    cwd: await installed(vm.directory),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  const left = await inArray();
  expect(left).toHaveLength(3);

  registration[Symbol.dispose]();
  const journal = await readJournal(domain);
  await expect(recoverDiskSnapshots(domain)).rejects.toMatchObject({ code: 'METHOD_UNKNOWN', outcome: 'unchanged' });
  expect(await inArray()).toEqual(left);
  expect((await readJournal(domain)).intents).toEqual(journal.intents);

  registration = registerVendorArray();
  expect(await recoverDiskSnapshots(domain)).toMatchObject({ undone: ['dead'], finished: [] });
  expect(await inArray()).toEqual(['17.img', 'array.json']);
  expect(await readJournal(domain)).toMatchObject({ sets: [], intents: [], claims: [] });
});

const CHILD = `
  const { connect, snapshotDisks } = require('libvirt-disksnapshot');
  const { registerVendorArray } = require('libvirt-disksnapshot-vendor-array');
  const [uri, name, root] = process.argv.slice(1);
  const { installFaultHook } = require(root + '/dist/disk-snapshot/fault-point');
  installFaultHook((point) => { if (point === 'snapshot.methods-cut') process.kill(process.pid, 'SIGKILL'); });
  registerVendorArray();
  connect(uri)
    .then((connection) => connection.domainLookupByName(name))
    .then((domain) => snapshotDisks(domain, { name: 'dead' }));
`;

/** A project of a user that has installed both packages. */
async function installed(project: string): Promise<string> {
  const modules = join(project, 'node_modules');
  const dist = join(modules, 'libvirt-disksnapshot-vendor-array', 'dist');
  await mkdir(dist, { recursive: true });
  await copyFile(join(example, 'package.json'), join(dist, '..', 'package.json'));
  for (const name of ['index', 'array']) {
    const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
    const source = await readFile(join(example, `${name}.ts`), 'utf8');
    await writeFile(join(dist, `${name}.js`), ts.transpileModule(source, { compilerOptions }).outputText);
  }
  await symlink(root, join(modules, 'libvirt-disksnapshot'));
  await symlink(join(root, 'node_modules', 'fast-xml-parser'), join(modules, 'fast-xml-parser'));
  return project;
}
