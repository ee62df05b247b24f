// The element in the domain, against libvirt's own XML: what is defined is described again, and nothing else is disturbed.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type Connection,
  connect,
  type Domain,
  DomainMetadataType,
  DomainModificationImpact,
  DomainXMLFlags,
  defineDomain,
  describeDomain,
  planSnapshot,
  registerSnapshotMethod,
  type SnapshotMethod,
  updateDisk,
} from '../../lib';
import { POLICY_URI, policyOf } from '../../lib/disk-snapshot/element/policy-metadata';
import { readJournal, writeRecord } from '../../lib/disk-snapshot/records/journal';
import type { ClaimRecord } from '../../lib/disk-snapshot/records/record';
import { child, formatXml, localName, parseXml } from '../../lib/xml/document';
import { readDomain } from '../../lib/xml/domain';
import { SET } from './set-record';

const UUID = '0f3a6c1e-7d7b-4b0a-9f6e-000000000001';

const disk = (target: string, inside = '') =>
  `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/images/${target}.qcow2'/>` +
  `<target dev='${target}' bus='virtio'/>${inside}</disk>`;
const definition = (disks: string, { metadata = '', attributes = '' } = {}) =>
  `<domain type='test'${attributes}><name>policy</name><uuid>${UUID}</uuid><memory>1024</memory><os><type>hvm</type></os>` +
  `${metadata && `<metadata>${metadata}</metadata>`}<devices>${disks}</devices></domain>`;

const FOREIGN = "<app:owner xmlns:app='urn:app'>me &amp; you</app:owner>";
const ACME =
  "<diskSnapshot method='acme' zone='b'><volume id='17'>first <v:part xmlns:v='urn:v' v:n='1'/> last</volume><volume id='3'/></diskSnapshot>";

const acme = (parse: SnapshotMethod['parse'] = () => ({})): SnapshotMethod => {
  const never = () => Promise.reject(new Error('not called'));
  return {
    method: 'acme',
    interfaceVersion: 1,
    needs: 'any',
    parse,
    plan: never,
    prepare: never,
    cut: never,
    undo: never,
    exists: never,
    delete: never,
    revert: never,
    backupSource: never,
  };
};

let conn: Connection;
let registration: Disposable;
beforeEach(async () => {
  conn = await connect('test:///default');
  registration = registerSnapshotMethod(acme());
});
afterEach(async () => {
  registration[Symbol.dispose]();
  const dom = await conn.domainLookupByUUIDString(UUID).catch(() => null);
  if (dom) {
    if (await dom.isActive()) await dom.destroy();
    if (await dom.isPersistent()) await dom.undefine();
  }
  await conn.close();
});

/** The `<diskSnapshot>` that a description shows in a disk. */
async function shown(dom: Domain, target: string, options = {}): Promise<string | null> {
  const { disks } = readDomain(await describeDomain(dom, options));
  const found = disks.find((one) => one.target === target)?.element.children.at(-1);
  return typeof found === 'object' && localName(found) === 'diskSnapshot' ? formatXml(found) : null;
}
const metadataOf = async (dom: Domain) => readDomain(await dom.getXMLDesc()).metadata.map(({ uri }) => uri);

describe('a definition with <diskSnapshot> inside its disks', () => {
  test('is described as it was defined, and libvirt keeps it in the metadata', async () => {
    const dom = await defineDomain(conn, definition(disk('vda', "<diskSnapshot method='qemu'/>") + disk('vdb')));
    expect(await shown(dom, 'vda')).toBe("<diskSnapshot method='qemu'/>");
    expect(await shown(dom, 'vdb')).toBeNull();
    expect(await metadataOf(dom)).toEqual([POLICY_URI]);
    expect(child(parseXml(await describeDomain(dom)), 'metadata')).toBeUndefined();
  });

  test('a plug-in finds its attributes, elements, text and order as they were written', async () => {
    const dom = await defineDomain(conn, definition(disk('vda', ACME)));
    const before = parseXml(ACME);
    expect(parseXml((await shown(dom, 'vda')) ?? '')).toEqual(before);
    await updateDisk(dom, `<disk><target dev='vda'/>${ACME}</disk>`); // the other way into the metadata
    expect(parseXml((await shown(dom, 'vda')) ?? '')).toEqual(before);
    expect(policyOf(readDomain(await dom.getXMLDesc()), 'vda')).toMatchObject({
      method: 'acme',
      element: { attributes: { method: 'acme', zone: 'b' }, children: [{ name: 'volume', text: 'first  last' }, {}] },
    });
  });

  test('prefixes that only the domain declares go along with the element', async () => {
    const inside = "<ds:diskSnapshot method='acme'><a:volume a:id='1'/></ds:diskSnapshot>";
    const attributes = " xmlns:ds='urn:libvirt-disksnapshot:1' xmlns:a='urn:acme'";
    const dom = await defineDomain(conn, definition(disk('vda', inside), { attributes }));
    expect(parseXml((await shown(dom, 'vda')) ?? '')).toMatchObject({
      name: 'ds:diskSnapshot',
      attributes: { 'xmlns:ds': 'urn:libvirt-disksnapshot:1', 'xmlns:a': 'urn:acme' },
    });
  });

  test('can be defined again from its own description, any number of times', async () => {
    const dom = await defineDomain(conn, definition(disk('vda', ACME) + disk('vdb'), { metadata: FOREIGN }));
    const first = await describeDomain(dom);
    await defineDomain(conn, first);
    await defineDomain(conn, await describeDomain(dom));
    expect(await describeDomain(dom)).toBe(first);
    expect(await metadataOf(dom)).toEqual(['urn:app', POLICY_URI]);
  });

  test('a later definition without the element takes it away; one that kept the metadata keeps it', async () => {
    const dom = await defineDomain(conn, definition(disk('vda', ACME) + disk('vdb', "<diskSnapshot method='rbd'/>")));
    await defineDomain(conn, await dom.getXMLDesc());
    expect(await shown(dom, 'vdb')).toBe("<diskSnapshot method='rbd'/>");
    await defineDomain(conn, definition(disk('vda') + disk('vdb', "<diskSnapshot method='lvm'/>")));
    expect(await shown(dom, 'vda')).toBeNull();
    expect(await shown(dom, 'vdb')).toBe("<diskSnapshot method='lvm'/>");
  });

  test('metadata of others stays as the definition says, in a later one too', async () => {
    const dom = await defineDomain(conn, definition(disk('vda', ACME), { metadata: FOREIGN }));
    expect(await dom.getMetadata(DomainMetadataType.ELEMENT, 'urn:app', DomainModificationImpact.CONFIG)).toContain(
      'me &amp; you',
    );
    expect(await describeDomain(dom)).toContain(FOREIGN);
    await defineDomain(conn, definition(disk('vda')));
    expect(await metadataOf(dom)).toEqual([]);
  });

  test('metadata of others is to the byte what libvirt alone makes of it: comments, CDATA and all', async () => {
    const theirs =
      '<app:owner xmlns:app="urn:app" app:z="1" a=\'"2"\'><!-- a note --><![CDATA[x < y & z]]>  <app:x b="&quot;q&apos;"/>' +
      '<y xmlns="urn:y">&#x2028;\u00e9</y></app:owner>';
    // Not by virDomainGetMetadata: libvirt 9.0 frees the namespace of the element, which its children still name, and reads it.
    const kept = async (dom: Domain) => /<app:owner.*<\/app:owner>/s.exec(await dom.getXMLDesc())?.[0];
    const plain = await conn.domainDefineXML(definition(disk('vda'), { metadata: theirs }));
    const expected = await kept(plain);
    expect(expected).toContain('<!-- a note --><![CDATA[x < y & z]]>');
    await plain.undefine();

    const dom = await defineDomain(conn, definition(disk('vda', ACME), { metadata: theirs }));
    expect(await kept(dom)).toBe(expected);
    await updateDisk(dom, "<disk><target dev='vda'/><diskSnapshot method='qemu'/></disk>");
    await writeRecord(dom, 'set', SET);
    await defineDomain(conn, await describeDomain(dom));
    expect(await kept(dom)).toBe(expected);
  });

  test('an old definition forgets no snapshot that was taken since, and revives none that is deleted', async () => {
    const dom = await defineDomain(conn, definition(disk('vda')));
    const before = await dom.getXMLDesc();
    await writeRecord(dom, 'set', SET);
    const between = await describeDomain(dom);
    await writeRecord(dom, 'set', { ...SET, name: 'tuesday' });
    await defineDomain(conn, before);
    expect((await readJournal(dom)).sets.map(({ name }) => name)).toEqual(['tuesday']);
    await defineDomain(conn, between);
    expect(await readJournal(dom)).toMatchObject({ sets: [{ name: 'tuesday' }], claims: [] });
  });

  test('a definition that takes its records along brings them where the domain is not known', async () => {
    const dom = await defineDomain(conn, definition(disk('vda')));
    await writeRecord(dom, 'set', SET);
    const carried = await describeDomain(dom);
    await dom.undefine();
    expect((await readJournal(await defineDomain(conn, carried))).sets).toEqual([SET]);
  });

  test.each([
    ['a member that the method does not take', "<diskSnapshot method='qemu' colour='red'/>", 'INVALID_XML', 'vda'],
    ['no method', '<diskSnapshot/>', 'INVALID_XML', 'vda'],
    ['a relative path', "<diskSnapshot method='qemu'><source file='x'/></diskSnapshot>", 'INVALID_XML', 'absolute'],
    ['two elements', "<diskSnapshot method='qemu'/><diskSnapshot method='rbd'/>", 'INVALID_XML', 'repeated'],
    ['a plug-in that nobody registered', "<diskSnapshot method='nobody'/>", 'METHOD_UNKNOWN', 'nobody'],
  ])('%s is refused before libvirt is called', async (_what, inside, code, word) => {
    await expect(defineDomain(conn, definition(disk('vda', inside)))).rejects.toMatchObject({
      code,
      outcome: 'unchanged',
      guest: 'policy',
      disk: 'vda',
      message: expect.stringContaining(word),
    });
    await expect(conn.domainLookupByUUIDString(UUID)).rejects.toMatchObject({ codeName: 'NO_DOMAIN' });
  });

  test('what the plug-in itself does not accept is refused with its reason', async () => {
    registration[Symbol.dispose]();
    using _picky = registerSnapshotMethod(
      acme(({ attributes }) => {
        throw new Error(`zone ${attributes.zone} is closed`);
      }),
    );
    await expect(defineDomain(conn, definition(disk('vda', ACME)))).rejects.toMatchObject({
      code: 'INVALID_XML',
      message: expect.stringContaining('zone b is closed'),
    });
  });

  test.each([
    ['broken XML', '<domain>', 'INVALID_XML'],
    ['an external entity', "<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><domain/>", 'INVALID_XML'],
    ['another document', '<network/>', 'INVALID_XML'],
    ['a disk without a target', definition("<disk><diskSnapshot method='qemu'/></disk>"), 'INVALID_XML'],
  ])('%s is refused', async (_what, xml, code) => {
    await expect(defineDomain(conn, xml)).rejects.toMatchObject({ name: 'DiskSnapshotError', code });
  });

  test('what libvirt itself refuses comes with its error', async () => {
    await expect(defineDomain(conn, '<domain><name>x</name></domain>')).rejects.toMatchObject({
      code: 'OPERATION_FAILED',
      cause: { name: 'LibvirtError' },
    });
  });

  test('wrong JavaScript rejects, and never throws', async () => {
    const type = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
    await expect(defineDomain({} as Connection, '')).rejects.toMatchObject(type);
    await expect(defineDomain(conn, 1 as unknown as string)).rejects.toMatchObject(type);
    const dom = await defineDomain(conn, definition(disk('vda')));
    await expect(describeDomain(dom, { secure: 1 as unknown as boolean })).rejects.toMatchObject(type);
    await expect(updateDisk(dom, {} as string)).rejects.toMatchObject(type);
  });
});

describe('a domain that another process works on', () => {
  const claim: ClaimRecord = {
    version: 1,
    id: 'c1',
    what: 'snapshot',
    host: 'elsewhere',
    boot: 'b',
    pid: 1,
    started: '1',
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
  };

  test('is not defined anew, and the claim is not shown as a part of it', async () => {
    const dom = await defineDomain(conn, definition(disk('vda')));
    await writeRecord(dom, 'claim', claim);
    const before = await dom.getXMLDesc();
    expect(await describeDomain(dom)).not.toContain('elsewhere');
    await expect(defineDomain(conn, definition(disk('vdb')))).rejects.toMatchObject({ code: 'OPERATION_IN_PROGRESS' });
    await expect(updateDisk(dom, `<disk><target dev='vda'/>${ACME}</disk>`)).rejects.toMatchObject({
      code: 'OPERATION_IN_PROGRESS',
      outcome: 'unchanged',
    });
    expect(await dom.getXMLDesc()).toBe(before);
  });
});

describe('updateDisk', () => {
  const change = (target: string, inside = '') => `<disk><target dev='${target}'/>${inside}</disk>`;

  test('sets the element, replaces it, and takes it away where the XML has none', async () => {
    const dom = await defineDomain(conn, definition(disk('vda') + disk('vdb', ACME)));
    await updateDisk(dom, change('vda', "<diskSnapshot method='qemu'/>"));
    expect(await shown(dom, 'vda')).toBe("<diskSnapshot method='qemu'/>");
    await updateDisk(dom, change('vda', "<diskSnapshot method='rbd'/>"));
    expect(await shown(dom, 'vda')).toBe("<diskSnapshot method='rbd'/>");
    await updateDisk(dom, change('vda'));
    expect(await shown(dom, 'vda')).toBeNull();
    expect(parseXml((await shown(dom, 'vdb')) ?? '')).toEqual(parseXml(ACME));
    await updateDisk(dom, change('vdb'));
    expect(await metadataOf(dom)).toEqual([]);
  });

  test('takes the whole <disk> of the description back, and asks nothing of libvirt that is so already', async () => {
    const dom = await defineDomain(conn, definition(disk('vda')));
    const [described] = readDomain(await describeDomain(dom)).disks;
    const xml = (described?.xml ?? '').replace('</disk>', "<diskSnapshot method='qemu'/></disk>");
    await updateDisk(dom, xml); // this driver had no virDomainUpdateDeviceFlags before libvirt 11
    expect(await shown(dom, 'vda')).toBe("<diskSnapshot method='qemu'/>");
  });

  test('a change that libvirt refuses leaves the element as it was', async () => {
    const dom = await defineDomain(conn, definition(disk('vda')));
    const xml = disk('vda', "<diskSnapshot method='qemu'/>").replace("bus='virtio'", "bus='telepathy'");
    await expect(updateDisk(dom, xml)).rejects.toMatchObject({ code: 'OPERATION_FAILED', outcome: 'unchanged' });
    expect(await shown(dom, 'vda')).toBeNull();
  });

  test('changes the copies that it is told to, and without word what the guest goes by now', async () => {
    const dom = await defineDomain(conn, definition(disk('vda')));
    await dom.create();
    const both = async () => [await shown(dom, 'vda'), await shown(dom, 'vda', { inactive: true })];
    const element = (method: string) => `<diskSnapshot method='${method}'/>`;
    await updateDisk(dom, change('vda', element('qemu')));
    expect(await both()).toEqual([element('qemu'), null]);
    await updateDisk(dom, change('vda', element('rbd')), { config: true });
    expect(await both()).toEqual([element('qemu'), element('rbd')]);
    await updateDisk(dom, change('vda', element('lvm')), { live: true, config: true });
    expect(await both()).toEqual([element('lvm'), element('lvm')]);
    await updateDisk(dom, change('vda'), { live: true });
    expect(await both()).toEqual([null, element('lvm')]);
  });

  test.each([
    ['no such disk', change('vdx', "<diskSnapshot method='qemu'/>"), {}, 'DISK_NOT_FOUND'],
    ['a live copy of a guest that is off', change('vda'), { live: true }, 'INVALID_ARGUMENT'],
    ['another element', '<interface/>', {}, 'INVALID_XML'],
    ['no target', "<disk><diskSnapshot method='qemu'/></disk>", {}, 'INVALID_XML'],
    ['an unknown method', change('vda', "<diskSnapshot method='nobody'/>"), {}, 'METHOD_UNKNOWN'],
  ])('%s is refused, and nothing is touched', async (_what, xml, options, code) => {
    const dom = await defineDomain(conn, definition(disk('vda', ACME)));
    const before = await dom.getXMLDesc({ flags: DomainXMLFlags.INACTIVE });
    await expect(updateDisk(dom, xml, options)).rejects.toMatchObject({ code, outcome: 'unchanged', guest: 'policy' });
    expect(await dom.getXMLDesc({ flags: DomainXMLFlags.INACTIVE })).toBe(before);
  });
});

describe('a disk that is gone', () => {
  test('has an entry that is not shown, and harms nothing', async () => {
    const dom = await defineDomain(conn, definition(disk('vda', "<diskSnapshot method='qemu'/>") + disk('vdb', ACME)));
    const raw = (await dom.getXMLDesc()).replace(/<disk type[\s\S]*?<\/disk>/g, (one) =>
      one.includes('vdb') ? '' : one,
    );
    await conn.domainDefineXML(raw); // somebody else's redefinition, which keeps the metadata
    const description = await describeDomain(dom);
    expect(description).not.toContain('acme');
    await updateDisk(dom, "<disk><target dev='vda'/><diskSnapshot method='rbd'/></disk>");
    expect(await shown(dom, 'vda')).toBe("<diskSnapshot method='rbd'/>");
  });
});

describe('the method of a snapshot', () => {
  const plan = async (dom: Domain, options: Parameters<typeof planSnapshot>[1] = {}) => {
    const { disks, problems } = await planSnapshot(dom, { quiesce: 'never', ...options });
    return { because: disks.map((one) => one.because), problems: problems.map(({ code }) => code) };
  };

  test('is what the call says, else what the domain says, else inferred', async () => {
    const dom = await defineDomain(conn, definition(disk('vda', "<diskSnapshot method='rbd'/>")));
    expect((await plan(dom)).problems).toContain('METHOD_UNSUPPORTED');
    expect((await plan(dom, { disks: { vda: 'qemu' } })).problems).not.toContain('METHOD_UNSUPPORTED');
    await updateDisk(dom, "<disk><target dev='vda'/></disk>");
    expect((await plan(dom)).problems).not.toContain('METHOD_UNSUPPORTED');
    expect((await plan(dom, { strict: true })).problems).toContain('INVALID_ARGUMENT');
    await updateDisk(dom, "<disk><target dev='vda'/><diskSnapshot method='qemu'/></disk>");
    expect((await plan(dom, { strict: true })).problems).not.toContain('INVALID_ARGUMENT');
  });

  test('is not guessed where the domain says something that cannot be read', async () => {
    const dom = await defineDomain(conn, definition(disk('vda')));
    const damaged = "<policy><disk target='vda'><diskSnapshot method='qemu' colour='red'/></disk></policy>";
    await dom.setMetadata(DomainMetadataType.ELEMENT, damaged, 'ds', POLICY_URI, DomainModificationImpact.CONFIG);
    expect((await plan(dom)).problems).toContain('INVALID_XML');
    expect(await shown(dom, 'vda')).toContain('colour');
  });
});
