// Records against libvirt's own XML: any text survives, nothing beside it is disturbed, and whatever somebody else made of
// our metadata is told as damaged, and never believed.
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { DiskSnapshotError, DomainMetadataType, listDiskSnapshots } from '../../lib';
import { readJournal, removeRecord, writeRecord } from '../../lib/disk-snapshot/records/journal';
import { qemuStateOf, readRecord, type SetRecord } from '../../lib/disk-snapshot/records/record';
import { selectDisks } from '../../lib/disk-snapshot/select';
import { element, formatXml } from '../../lib/xml/document';
import { readDomain } from '../../lib/xml/domain';
import { testDriver } from './test-driver';

const at = testDriver();
const RUNS = { numRuns: 40 };
jest.setTimeout(60_000);
const URI = 'urn:libvirt-disksnapshot:1:set:p1';

/** What JSON in an XML document can hold: no lone surrogates, which are no text. */
const text = fc
  .oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.constantFrom('\uFFFE', '\uFFFF', ']]>', '</set>', '\0\r\n'))
  .filter((value) => !/\p{Cs}/u.test(value));
const record: fc.Arbitrary<SetRecord> = fc.record({
  version: fc.constant(1 as const),
  id: fc.constant('p1'),
  name: text,
  description: fc.option(text),
  labels: fc.dictionary(text, text, { noNullPrototype: true }),
  createdAt: fc.constant('2026-11-22T20:00:00.000Z'),
  consistency: fc.constantFrom('filesystem' as const, 'crash' as const, 'disk' as const),
  frozenMs: fc.nat(),
  pausedMs: fc.nat(),
  evidence: fc.array(fc.record({ fact: text, from: text }), { maxLength: 2 }),
  disks: fc.constant([]),
});

afterEach(() => removeRecord(at.domain, 'set', 'p1'));

describe('a record', () => {
  test('of any text is read back as it was, and the rest of the domain stays as it is', async () => {
    const rest = async () => readDomain(await at.domain.getXMLDesc()).disks.map(({ xml }) => xml);
    const before = await rest();
    await fc.assert(
      fc.asyncProperty(record, async (set) => {
        await writeRecord(at.domain, 'set', set);
        const { sets, damaged } = await readJournal(at.domain);
        expect(damaged).toEqual([]);
        expect(sets).toEqual([JSON.parse(JSON.stringify(set))]);
        expect(await rest()).toEqual(before);
      }),
      RUNS,
    );
  });

  test('that somebody cut, changed or replaced is told as damaged, or is a whole record', async () => {
    const whole = record.map((set) => JSON.stringify(set));
    const damaged = fc.oneof(
      // By characters: half of one is no text, and is refused before it is written.
      fc.tuple(whole, fc.nat()).map(([json, cut]) =>
        Array.from(json)
          .slice(0, cut % json.length)
          .join(''),
      ),
      fc
        .tuple(record, fc.constantFrom('id', 'name', 'disks', 'evidence', 'version'), fc.jsonValue())
        .map(([set, key, value]) => JSON.stringify({ ...set, [key]: value })),
      fc.json(),
    );
    await fc.assert(
      fc.asyncProperty(damaged, async (json) => {
        const xml = formatXml(element('set', {}, json.replace(/[\uFFFE\uFFFF]/g, '')));
        await at.domain.setMetadata(DomainMetadataType.ELEMENT, xml, 'ds', URI, 0);
        const journal = await readJournal(at.domain);
        expect(journal.sets.length + journal.damaged.length).toBe(1);
        for (const { reason } of journal.damaged) expect(reason).not.toBe('');
        await listDiskSnapshots(at.domain).catch((error: unknown) => expect(error).toBeInstanceOf(DiskSnapshotError));
      }),
      RUNS,
    );
  });

  test('whose layer is anything at all has a state that can be used, or none', () => {
    const image = fc.record({ type: fc.constantFrom('file', 'block', 'dir'), path: fc.string(), format: fc.string() });
    const state = fc.oneof(fc.jsonValue(), fc.record({ mode: fc.string(), overlay: image, base: image }));
    fc.assert(
      fc.property(fc.constantFrom('qemu', 'lvm', ''), state, (method, found) => {
        const known = qemuStateOf({ method, state: found });
        expect(known === null || (method === 'qemu' && typeof known.overlay.path === 'string')).toBe(true);
      }),
    );
  });

  test('of any kind is read without an exception', () => {
    fc.assert(
      fc.property(fc.constantFrom('set' as const, 'intent' as const, 'claim' as const), fc.json(), (kind, json) => {
        const read = readRecord(kind, json);
        expect(typeof read === 'string' ? read.length > 0 : read.version === 1).toBe(true);
      }),
    );
  });
});

describe('a list of disks', () => {
  const document = readDomain(
    `<domain type='test'><name>d</name><devices>${['vda', 'vdb', 'vdc']
      .map((dev) => `<disk type='file' device='disk'><source file='/i/${dev}'/><target dev='${dev}'/></disk>`)
      .join('')}</devices></domain>`,
  );
  const known = ['vda', 'vdb', 'vdc', '/i/vda', "<disk><target dev='vdb'/></disk>"];

  test('of anything selects each disk once, or is refused by name', () => {
    const one = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: fc.string() });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 5 }), (disks) => {
        try {
          const targets = selectDisks(document, disks).map(({ disk }) => disk.target);
          expect(targets).toHaveLength(disks.length);
          expect(new Set(targets).size).toBe(targets.length);
        } catch (error) {
          expect(error).toBeInstanceOf(DiskSnapshotError);
          expect(error).toMatchObject({ outcome: 'unchanged' });
        }
      }),
    );
  });
});

test('a guest that ends while a record is written: the definition has it', async () => {
  const { domain } = at;
  const { isActive } = domain;
  await domain.destroy();
  try {
    // What it was asked just before.
    domain.isActive = () => {
      domain.isActive = isActive;
      return Promise.resolve(true);
    };
    const [set] = fc.sample(record, 1);
    await writeRecord(domain, 'set', set as SetRecord);
    expect((await readJournal(domain)).sets).toEqual([set]);
    await removeRecord(domain, 'set', 'p1');
  } finally {
    await domain.create();
  }
});
