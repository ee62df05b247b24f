// What is wrong is found, each by its code; what is not wrong is not; and a fix mends what is safe and nothing else. Each
// fault is made from outside: with libvirt's own calls, QMP, qemu-img and the file system.
import { existsSync } from 'node:fs';
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  type Domain,
  DomainBlockCommitFlags,
  DomainBlockJobAbortFlags,
  DomainMetadataType,
  DomainModificationImpact,
  DomainXMLFlags,
  diagnose,
  type Finding,
  listDiskSnapshots,
  snapshotDisks,
} from '../../lib';
import { POLICY_URI } from '../../lib/disk-snapshot/element/policy-metadata';
import { qmp } from '../../lib/disk-snapshot/images/qmp';
import { readJournal, writeIntent, writeRecord } from '../../lib/disk-snapshot/records/journal';
import type { ClaimRecord, IntentRecord } from '../../lib/disk-snapshot/records/record';
import { TestGuest } from '../../lib/testing';
import { run } from '../../lib/testing/command';
import { readDomain } from '../../lib/xml/domain';

jest.setTimeout(120_000);

const { LIVE, CONFIG } = DomainModificationImpact;
const codes = (findings: readonly Finding[]) => findings.map(({ code }) => code);
const qemuImg = async (...args: string[]) => (await run('qemu-img', args)).stdout;
const sourceOf = async (domain: Domain, target: string, flags = 0) =>
  readDomain(await domain.getXMLDesc(flags)).disks.find((disk) => disk.target === target)?.sourcePath ?? '';

/** Of a process that has never been. */
const claim = (id: string): ClaimRecord => ({
  version: 1,
  id,
  what: 'snapshot',
  host: 'elsewhere',
  boot: 'gone',
  pid: 1,
  started: '1',
  expiresAt: '2026-01-01T00:00:00.000Z',
});
const alive = (id: string): ClaimRecord => ({ ...claim(id), expiresAt: new Date(Date.now() + 60_000).toISOString() });

function intent(domainId: number | null, base: string, overlay: string, willFreeze = false): IntentRecord {
  const head = { version: 1, id: 'i1', name: 'begun', description: null, labels: {}, consistency: 'crash' } as const;
  const state = {
    mode: 'external',
    base: { type: 'file', path: base, format: 'qcow2' },
    overlay: { type: 'file', path: overlay, format: 'qcow2' },
  };
  return {
    version: 1,
    id: 'i1',
    claim: 'c1',
    active: domainId !== null,
    domainId,
    willFreeze,
    willPause: false,
    set: { ...head, createdAt: '2026-11-22T20:00:00.000Z', frozenMs: 0, pausedMs: 0, evidence: [] },
    disks: [{ disk: 'vda', method: 'qemu', state, virtualSize: 64 * 1024 * 1024 }],
  };
}

const idOf = async (domain: Domain) => readDomain(await domain.getXMLDesc()).id;

describe.each(['off', 'running'] as const)('a guest that is %s', (state) => {
  let guest: TestGuest;
  let domain: Domain;
  beforeEach(async () => {
    guest = await TestGuest.boot({ disks: 2, start: false, agent: false });
    domain = guest.domain;
    if (state === 'running') await domain.create();
  });
  afterEach(() => guest.close());
  const image = (name: string) => join(guest.directory, name);

  test('with nothing wrong has no findings, with snapshots and an element too, and is not changed by looking', async () => {
    expect(await diagnose(domain)).toEqual([]);
    await snapshotDisks(domain, { quiesce: 'never' });
    await snapshotDisks(domain, { quiesce: 'never', disks: ['vdb'] });
    const before = await domain.getXMLDesc();
    expect(await diagnose(domain)).toEqual([]);
    expect(await diagnose(domain, { fix: true })).toEqual([]);
    expect(await domain.getXMLDesc()).toBe(before);
  });

  test('STALE_CLAIM: removed by a fix; a living claim is neither told nor touched', async () => {
    await writeRecord(domain, 'claim', claim('c1'));
    await writeRecord(domain, 'claim', alive('c2'));
    expect(await diagnose(domain)).toMatchObject([{ code: 'STALE_CLAIM', fixable: true, fixed: false }]);
    expect((await readJournal(domain)).claims).toHaveLength(2);
    expect(await diagnose(domain, { fix: true })).toMatchObject([{ code: 'STALE_CLAIM', fixed: true }]);
    expect((await readJournal(domain)).claims.map(({ id }) => id)).toEqual(['c2']);
  });

  test('STALE_INTENT: what was begun is undone by a fix, and its overlay is no orphan before', async () => {
    const [base, overlay] = [guest.image('vda'), image(`${guest.name}-vda.begun`)];
    await qemuImg('create', '-q', '-f', 'qcow2', '-b', base, '-F', 'qcow2', '-u', overlay, '64M');
    await writeIntent(domain, intent(await idOf(domain), base, overlay));
    expect(await diagnose(domain)).toMatchObject([{ code: 'STALE_INTENT', fixable: true, fixed: false }]);
    expect(await diagnose(domain, { fix: true })).toMatchObject([{ code: 'STALE_INTENT', fixed: true }]);
    expect(existsSync(overlay)).toBe(false);
    expect(await diagnose(domain)).toEqual([]);
  });

  test('STALE_INTENT that a person has to decide stays, says why, and keeps what it names', async () => {
    const [base, clone] = [guest.image('vda'), image(`${guest.name}-vda.begun`)];
    await qemuImg('create', '-q', '-f', 'qcow2', '-b', base, '-F', 'qcow2', '-u', clone, '64M');
    const disks = [{ disk: 'vda', method: 'other', state: { clone }, virtualSize: 1 }];
    await writeIntent(domain, { ...intent(null, base, clone), disks });
    const found = await diagnose(domain, { fix: true });
    expect(found).toMatchObject([{ code: 'STALE_INTENT', fixable: true, fixed: false }]);
    expect(found[0]?.message).toContain('method other');
    expect((await readJournal(domain)).intents).toHaveLength(1);
    expect(existsSync(clone)).toBe(true);
  });

  test('DAMAGED_RECORD and UNREADABLE_POLICY are told, and left alone', async () => {
    const impact = state === 'running' ? LIVE | CONFIG : CONFIG;
    const uri = 'urn:libvirt-disksnapshot:1:set:broken';
    await domain.setMetadata(DomainMetadataType.ELEMENT, '<set>{</set>', 'ds', uri, impact);
    const policy = "<policy><disk target='vdb'><diskSnapshot method='qemu' colour='red'/></disk></policy>";
    await domain.setMetadata(DomainMetadataType.ELEMENT, policy, 'ds', POLICY_URI, impact);
    const found = await diagnose(domain, { fix: true });
    expect(found).toMatchObject([
      { code: 'DAMAGED_RECORD', message: expect.stringContaining(uri), fixable: false, fixed: false },
      { code: 'UNREADABLE_POLICY', disk: 'vdb', message: expect.stringContaining('colour') },
    ]);
    expect(await domain.getMetadata(DomainMetadataType.ELEMENT, uri, CONFIG)).toContain('{');
  });

  test('ORPHANED_OVERLAY: one that nobody needs, and no other file beside it', async () => {
    await snapshotDisks(domain, { disks: ['vda'], name: 'kept', quiesce: 'never' });
    const orphan = image(`${guest.name}-vda.orphan`);
    await qemuImg('create', '-q', '-f', 'qcow2', '-b', guest.image('vda'), '-F', 'qcow2', '-u', orphan, '64M');
    await copyFile(guest.image('vdb'), image(`${guest.name}-vda.copy`));
    expect(await diagnose(domain, { fix: true })).toMatchObject([
      { code: 'ORPHANED_OVERLAY', disk: 'vda', message: expect.stringContaining(orphan), fixable: false },
    ]);
    expect(existsSync(orphan)).toBe(true);
  });

  test('MISSING_FILE and MISSING_SNAPSHOT: the layer below is gone', async () => {
    await snapshotDisks(domain, { disks: ['vda'], name: 'robbed', quiesce: 'never' });
    await rename(guest.image('vda'), image('elsewhere'));
    const found = await diagnose(domain);
    expect(found[0]).toMatchObject({
      code: 'MISSING_FILE',
      disk: 'vda',
      message: expect.stringContaining(guest.image('vda')),
    });
    if (state === 'off') expect(codes(found)).toEqual(['MISSING_FILE', 'MISSING_SNAPSHOT']);
    await rename(image('elsewhere'), guest.image('vda'));
    expect(await diagnose(domain)).toEqual([]);
  });
});

describe('headers that lie', () => {
  let guest: TestGuest;
  let overlay: string;
  beforeEach(async () => {
    guest = await TestGuest.boot({ disks: [{ format: 'raw' }, {}], start: false, agent: false });
    await snapshotDisks(guest.domain, { name: 'one', quiesce: 'never' });
    overlay = await sourceOf(guest.domain, 'vda');
  });
  afterEach(() => guest.close());

  test('a raw image below that is said to be qcow2', async () => {
    await qemuImg('rebase', '-u', '-f', 'qcow2', '-b', guest.image('vda'), '-F', 'qcow2', overlay);
    const found = await diagnose(guest.domain);
    expect(found).toContainEqual(expect.objectContaining({ code: 'WRONG_BACKING_FORMAT', disk: 'vda' }));
    expect(found.every(({ disk }) => disk !== 'vdb')).toBe(true);
  });

  test('a qcow2 image below that is said to be raw: the record knows better', async () => {
    const above = await sourceOf(guest.domain, 'vdb');
    await qemuImg('rebase', '-u', '-f', 'qcow2', '-b', guest.image('vdb'), '-F', 'raw', above);
    expect(await diagnose(guest.domain)).toMatchObject([
      { code: 'WRONG_BACKING_FORMAT', disk: 'vdb', message: expect.stringContaining('snapshot one') },
    ]);
  });

  test('a header that does not say the format at all', async () => {
    const file = await open(overlay, 'r+');
    const header = Buffer.alloc(4096);
    await file.read(header, 0, header.length, 0);
    const at = header.indexOf(Buffer.from('e2792aca', 'hex')); // the header extension that names it
    await file.write(Buffer.from('12345678', 'hex'), 0, 4, at); // an extension that nobody knows
    await file.close();
    expect(codes(await diagnose(guest.domain))).toContain('WRONG_BACKING_FORMAT');
  });
});

describe('a running guest', () => {
  let guest: TestGuest;
  let domain: Domain;
  beforeAll(async () => {
    guest = await TestGuest.boot({ disks: 2, persistent: true, restorable: false });
    domain = guest.domain;
  });
  afterAll(() => guest.close());

  test('ERASED_RECORDS: what a foreign redefinition erased is copied back, and survives the guest', async () => {
    const set = await snapshotDisks(domain, { disks: ['vda'], name: 'kept', quiesce: 'never' });
    const foreign = (await domain.getXMLDesc(DomainXMLFlags.INACTIVE)).replace(/<metadata>[\s\S]*<\/metadata>/, '');
    await guest.connection.domainDefineXML(foreign);
    expect(await diagnose(domain)).toMatchObject([{ code: 'ERASED_RECORDS', fixable: true, fixed: false }]);
    expect(await domain.getXMLDesc(DomainXMLFlags.INACTIVE)).not.toContain('urn:libvirt-disksnapshot');
    expect(await diagnose(domain, { fix: true })).toMatchObject([{ code: 'ERASED_RECORDS', fixed: true }]);
    expect(await diagnose(domain)).toEqual([]);
    const records = (flags: number) => domain.getXMLDesc(flags).then((xml) => readDomain(xml).metadata);
    expect((await records(DomainXMLFlags.INACTIVE)).map(({ uri }) => uri)).toEqual(
      (await records(0)).map(({ uri }) => uri),
    );
    await set.delete();
    expect(await diagnose(domain)).toEqual([]);
  });

  test('RECORDS_DIFFER: a record that an old definition brought back is told, and not believed', async () => {
    const set = await snapshotDisks(domain, { disks: ['vda'], name: 'old', quiesce: 'never' });
    const [record] = readDomain(await domain.getXMLDesc()).metadata;
    const text = await domain.getMetadata(DomainMetadataType.ELEMENT, record?.uri ?? '', LIVE);
    await set.delete();
    await domain.setMetadata(DomainMetadataType.ELEMENT, text, 'ds', record?.uri ?? '', CONFIG);
    expect(await diagnose(domain, { fix: true })).toMatchObject([{ code: 'RECORDS_DIFFER', fixable: false }]);
    expect(await listDiskSnapshots(domain)).toEqual([]);
    await domain.setMetadata(DomainMetadataType.ELEMENT, null, 'ds', record?.uri ?? '', CONFIG);
  });

  test('GUEST_FROZEN: told, and thawed only where the dead owner is known', async () => {
    await domain.fsFreeze();
    expect(await diagnose(domain, { fix: true })).toMatchObject([
      { code: 'GUEST_FROZEN', fixable: false, fixed: false },
    ]);
    const overlay = join(guest.directory, 'never.made');
    await writeIntent(domain, intent(await idOf(domain), guest.image('vda'), overlay, true));
    expect(await diagnose(domain, { fix: true })).toMatchObject([
      { code: 'STALE_INTENT', fixed: true },
      { code: 'GUEST_FROZEN', fixed: true },
    ]);
    await guest.exec(['sh', '-c', 'echo x > /mnt/a/x && sync']);
    expect(await diagnose(domain)).toEqual([]);
  });

  test('UNFINISHED_BLOCK_JOB: a merge by hand that waits for its pivot', async () => {
    const set = await snapshotDisks(domain, { disks: ['vdb'], name: 'job', quiesce: 'never' });
    await using jobs = await guest.connection.subscribe('block-job-2', { domain });
    await domain.blockCommit('vdb', null, null, 0, [DomainBlockCommitFlags.ACTIVE]);
    for await (const { status } of jobs) if (status === 3) break; // ready
    expect(await diagnose(domain, { fix: true })).toMatchObject([
      { code: 'UNFINISHED_BLOCK_JOB', disk: 'vdb', fixable: false },
    ]);
    await domain.blockJobAbort('vdb', [DomainBlockJobAbortFlags.PIVOT]);
    const after = await diagnose(domain); // somebody merged it behind the record's back
    expect(after).toMatchObject([{ code: 'MISSING_SNAPSHOT', disk: 'vdb', fixable: false }]);
    await set.delete();
    expect(await diagnose(domain)).toEqual([]);
  });

  test('DEFINITION_BEHIND: a definition that would start from below the present layer', async () => {
    const set = await snapshotDisks(domain, { disks: ['vda'], name: 'above', quiesce: 'never' });
    const overlay = await sourceOf(domain, 'vda');
    const now = await domain.getXMLDesc(DomainXMLFlags.INACTIVE);
    await guest.connection.domainDefineXML(
      now.replace(`<source file='${overlay}'`, `<source file='${guest.image('vda')}'`),
    );
    expect(await diagnose(domain, { fix: true })).toMatchObject([
      { code: 'DEFINITION_BEHIND', disk: 'vda', message: expect.stringContaining(overlay), fixable: false },
    ]);
    await guest.connection.domainDefineXML(now);
    await set.delete();
  });

  test('what a living process is at work on is no finding', async () => {
    const overlay = join(guest.directory, `${guest.name}-vda.now`);
    await qemuImg('create', '-q', '-f', 'qcow2', '-b', guest.image('vda'), '-F', 'qcow2', '-u', overlay, '64M');
    await writeRecord(domain, 'claim', alive('c1'));
    await writeIntent(domain, intent(await idOf(domain), guest.image('vda'), overlay));
    expect(await diagnose(domain, { fix: true })).toEqual([]);
    await writeRecord(domain, 'claim', claim('c1'));
    expect(codes(await diagnose(domain, { fix: true }))).toEqual(['STALE_CLAIM', 'STALE_INTENT']);
    expect(existsSync(overlay)).toBe(false);
  });

  test('wrong JavaScript and an abort reject', async () => {
    await expect(diagnose(domain, { fix: 1 as unknown as boolean })).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    });
    const reason = new Error('enough');
    await expect(diagnose(domain, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  // Last: only a new start brings libvirt's XML and QEMU together again.
  test('XML_BEHIND_QEMU: QEMU was switched behind the back of libvirt', async () => {
    const overlay = join(guest.directory, 'behind.qcow2');
    await qemuImg('create', '-q', '-f', 'qcow2', '-b', guest.image('vda'), '-F', 'qcow2', '-u', overlay, '64M');
    const nodes = await qmp<{ 'node-name': string; file: string; drv: string }[]>(domain, 'query-named-block-nodes');
    const node = nodes.find(({ file, drv }) => file === guest.image('vda') && drv === 'qcow2')?.['node-name'];
    const file = { driver: 'file', filename: overlay };
    await qmp(domain, 'blockdev-add', { driver: 'qcow2', 'node-name': 'behind', file, backing: null });
    await qmp(domain, 'blockdev-snapshot', { node, overlay: 'behind' });
    const found = await diagnose(domain, { fix: true });
    expect(found).toContainEqual(expect.objectContaining({ code: 'XML_BEHIND_QEMU', disk: 'vda', fixable: false }));
    expect(found[0]?.message).toContain(overlay);
    await domain.destroy();
    await rm(overlay);
    expect(await diagnose(domain)).toEqual([]);
  });
});
