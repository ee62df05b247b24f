// A connection that may only read: what it can, it does; of all else it says in the library's own words that it may not, before
// anything is touched.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  adoptDiskSnapshots,
  type Connection,
  type Domain,
  DomainXMLFlags,
  defineDomain,
  describeDomain,
  diagnose,
  diskSnapshotCreate,
  diskTree,
  findDiskSnapshot,
  listDiskSnapshots,
  planSnapshot,
  quiesceStorage,
  recoverDiskSnapshots,
  snapshotDisks,
  unquiesceStorage,
  updateDisk,
} from '../../lib';
import { PrivateLibvirtd, TestGuest, verifyConsistency } from '../../lib/testing';
import { agentCommand } from '../../lib/testing/agent';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { readDomain } from '../../lib/xml/domain';

jest.setTimeout(120_000);

let daemon: PrivateLibvirtd;
let connection: Connection;
let reader: Connection;
beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
  connection = await daemon.connect();
  reader = await daemon.connect({ readonly: true });
});
afterAll(async () => {
  await reader?.close();
  await connection?.close();
  await daemon?.close();
});

/** Each by its name: the call, made with a domain of the connection that may only read. */
type Calls = Record<string, (dom: Domain) => Promise<unknown> | undefined>;
const seen = (dom: Domain) => findDiskSnapshot(dom, 'seen');

const WRITE: Calls = {
  snapshotDisks: (dom) => snapshotDisks(dom, { quiesce: 'never' }),
  diskSnapshotCreate: (dom) => diskSnapshotCreate(dom, 'vda', { quiesce: 'never' }),
  'delete of a set': async (dom) => (await seen(dom))?.delete(),
  'delete of a disk': async (dom) => (await seen(dom))?.disks[0]?.delete(),
  'revert of a set': async (dom) => (await seen(dom))?.revert({ force: true }),
  'revert of a disk': async (dom) => (await seen(dom))?.disks[0]?.revert({ force: true }),
  adoptDiskSnapshots: (dom) => adoptDiskSnapshots(dom),
  recoverDiskSnapshots: (dom) => recoverDiskSnapshots(dom),
  updateDisk: async (dom) => updateDisk(dom, await diskWithPolicy(dom)),
  'defineDomain, as it is': async (dom) => defineDomain(dom.connection, await dom.getXMLDesc(DomainXMLFlags.INACTIVE)),
  'defineDomain, a new one': (dom) =>
    defineDomain(
      dom.connection,
      "<domain type='qemu'><name>new</name><memory>1024</memory><os><type>hvm</type></os></domain>",
    ),
};

async function diskWithPolicy(dom: Domain): Promise<string> {
  const { xml } = readDomain(await dom.getXMLDesc()).disks[0] ?? { xml: '' };
  return xml.replace('</disk>', "<diskSnapshot method='qemu'/></disk>");
}

describe.each([
  ['off', { start: false, agent: false }],
  ['running', { persistent: true, restorable: false }],
] as const)('a guest that is %s', (state, options) => {
  let guest: TestGuest;
  let dom: Domain;
  beforeAll(async () => {
    guest = await TestGuest.boot({ connection, ...options });
    await snapshotDisks(guest.domain, { name: 'seen' });
    dom = await reader.domainLookupByName(guest.name);
  });
  afterAll(() => guest?.close());

  /** All that a call could have touched. */
  const everything = async () => ({
    live: await guest.domain.getXMLDesc(),
    defined: await guest.domain.getXMLDesc(DomainXMLFlags.INACTIVE),
    files: readdirSync(guest.directory).sort(),
    domains: (await connection.listAllDomains()).map((domain) => domain.getName()),
    state: await guest.domain.getState(),
    agent: state === 'running' ? await agentCommand(guest.domain, 'guest-fsfreeze-status') : null,
  });

  test('is listed, drawn, planned for, diagnosed, described, read and exported', async () => {
    expect((await listDiskSnapshots(dom)).map(({ name }) => name)).toEqual(['seen']);
    expect((await diskTree(dom)).disks[0]?.layers).toHaveLength(2);
    expect(await planSnapshot(dom, { name: 'next', quiesce: 'never' })).toMatchObject({ ok: true });
    // Whether it is frozen only its agent knows, which may not be asked: that is said, and all else is examined.
    expect((await diagnose(dom)).map(({ code }) => code)).toEqual(state === 'running' ? ['NOT_EXAMINED'] : []);
    expect(await describeDomain(dom)).toContain(`<name>${guest.name}</name>`);
    const set = await seen(dom);
    let length = 0;
    for await (const chunk of set?.read('vda') ?? []) length += chunk.length;
    expect(length).toBe(64 * 1024 * 1024);
    const copy = join(await temporaryDirectory('exported'), 'copy.raw');
    await set?.disks[0]?.export(copy, { format: 'raw' });
    expect(await verifyConsistency(copy)).toMatchObject({ sound: true });
    rmSync(copy);
  });

  test.each(Object.entries(WRITE))('%s: says that it may not, before anything is touched', async (_, call) => {
    const before = await everything();
    const error: unknown = await Promise.resolve(call(dom)).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'DiskSnapshotError', code: 'PERMISSION_DENIED', outcome: 'unchanged' });
    expect((error as Error).message).toContain('without readonly');
    expect(await everything()).toEqual(before);
  });

  test('nobody can be frozen or thawed by it, and it says why', async () => {
    const before = await everything();
    const refused = { name: 'DiskSnapshotError', code: 'QUIESCE_UNAVAILABLE', outcome: 'unchanged' };
    await expect(quiesceStorage(dom)).rejects.toMatchObject({ ...refused, code: 'PERMISSION_DENIED' });
    const why = expect.stringContaining(state === 'running' ? 'read only access' : 'is off');
    await expect(snapshotDisks(dom, { quiesce: 'required' })).rejects.toMatchObject({ ...refused, message: why });
    const plan = await planSnapshot(dom, { quiesce: 'required' });
    expect(plan).toMatchObject({ ok: false, problems: [{ code: 'QUIESCE_UNAVAILABLE' }] });
    await expect(unquiesceStorage(dom)).rejects.toMatchObject(refused);
    expect(await everything()).toEqual(before);
  });
});
