// The element in the domain of a real QEMU: it lives through starts, snapshots, hot-unplug and redefinition, and is what a
// snapshot goes by.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  DomainXMLFlags,
  defineDomain,
  describeDomain,
  diskTree,
  planSnapshot,
  snapshotDisks,
  updateDisk,
} from '../../lib';
import { TestGuest } from '../../lib/testing';
import { formatXml, localName } from '../../lib/xml/document';
import { readDomain } from '../../lib/xml/domain';

jest.setTimeout(120_000);

type Options = Parameters<typeof describeDomain>[1];
const diskXml = async (guest: TestGuest, target: string, options: Options = {}): Promise<string> => {
  const { disks } = readDomain(await describeDomain(guest.domain, options));
  return disks.find((disk) => disk.target === target)?.xml ?? '';
};
/** The `<diskSnapshot>` of a disk, of the running guest and of what it will start from. */
async function policies(guest: TestGuest, target: string): Promise<(string | null)[]> {
  return Promise.all(
    [{}, { inactive: true }].map(async (options) => {
      const { disks } = readDomain(await describeDomain(guest.domain, options));
      const inside = disks.find((disk) => disk.target === target)?.element.children ?? [];
      const found = inside.find((node) => typeof node === 'object' && localName(node) === 'diskSnapshot');
      return typeof found === 'object' ? formatXml(found) : null;
    }),
  );
}
const QEMU = "<diskSnapshot method='qemu'/>";
const withElement = (xml: string, inside: string) => xml.replace('</disk>', `${inside}</disk>`);

describe('a guest that is off', () => {
  let guest: TestGuest;
  beforeAll(async () => {
    guest = await TestGuest.boot({ disks: 2, start: false, agent: false });
  });
  afterAll(() => guest.close());

  test('takes element and device in one update; a disk that is not named stays as it was', async () => {
    const before = await diskXml(guest, 'vdb');
    const changed = (await diskXml(guest, 'vda')).replace("cache='unsafe'", "cache='none'");
    await updateDisk(guest.domain, withElement(changed, QEMU));
    expect(await diskXml(guest, 'vda')).toContain("cache='none'");
    expect((await policies(guest, 'vda'))[0]).toBe(QEMU);
    expect(await diskXml(guest, 'vdb')).toBe(before);
  });

  test('its description defines it again unchanged', async () => {
    const before = await describeDomain(guest.domain, { inactive: true, secure: true });
    await defineDomain(guest.connection, before);
    expect(await describeDomain(guest.domain, { inactive: true, secure: true })).toBe(before);
  });
});

describe('a guest that runs', () => {
  let guest: TestGuest;
  beforeAll(async () => {
    guest = await TestGuest.boot({ disks: 2, persistent: true, restorable: false });
  });
  afterAll(() => guest.close());

  test('takes the disk of its own description back with an element inside', async () => {
    await updateDisk(guest.domain, withElement(await diskXml(guest, 'vda'), QEMU), { live: true, config: true });
    expect(await policies(guest, 'vda')).toEqual([QEMU, QEMU]);
    await guest.exec(['sync']); // it runs on
  });

  test('a snapshot goes by the element, the plan says so, and the element outlives it', async () => {
    const source = join(guest.directory, 'chosen.qcow2');
    const element = `<diskSnapshot method='qemu'><source file='${source}'/></diskSnapshot>`;
    await updateDisk(guest.domain, `<disk><target dev='vdb'/>${element}</disk>`, { live: true, config: true });
    const plan = await planSnapshot(guest.domain, { disks: ['vdb'], strict: true });
    expect(plan).toMatchObject({
      ok: true,
      disks: [{ disk: 'vdb', creates: [source], because: 'the domain’s own <diskSnapshot> says so' }],
    });
    const set = await snapshotDisks(guest.domain, { disks: ['vdb'], strict: true });
    expect(existsSync(source)).toBe(true);
    expect(await policies(guest, 'vdb')).toEqual([element, element]);
    expect((await diskTree(guest.domain)).disks.map(({ policy }) => policy)).toEqual([
      { method: 'qemu' },
      { method: 'qemu', source },
    ]);
    // What the call says wins: the same place would be taken.
    expect(await planSnapshot(guest.domain, { disks: ['vdb'] })).toMatchObject({ ok: false });
    expect(await planSnapshot(guest.domain, { disks: { vdb: 'qemu' } })).toMatchObject({ ok: true });
    await set.delete();
    expect(await policies(guest, 'vdb')).toEqual([element, element]);
  });

  test('a definition from before a snapshot is refused: the guest would write into what the snapshot keeps', async () => {
    const old = await describeDomain(guest.domain, { inactive: true, secure: true });
    const set = await snapshotDisks(guest.domain, { disks: ['vda'], name: 'since', quiesce: 'never' });
    const now = await guest.domain.getXMLDesc(DomainXMLFlags.INACTIVE);
    await expect(defineDomain(guest.connection, old)).rejects.toMatchObject({
      code: 'IN_USE',
      outcome: 'unchanged',
      disk: 'vda',
      snapshot: 'since',
    });
    expect(await guest.domain.getXMLDesc(DomainXMLFlags.INACTIVE)).toBe(now);
    const onBase = (readDomain(old).disks[0]?.xml ?? '').replaceAll(/<(alias|address)[^>]*\/>/g, '');
    await expect(updateDisk(guest.domain, onBase, { config: true })).rejects.toMatchObject({
      code: 'IN_USE',
      outcome: 'unchanged',
      disk: 'vda',
      snapshot: 'since',
    });
    expect(await guest.domain.getXMLDesc(DomainXMLFlags.INACTIVE)).toBe(now);
    const renewed = old.replace(guest.image('vda'), readDomain(now).disks[0]?.sourcePath ?? '');
    await defineDomain(guest.connection, renewed);
    expect(await guest.domain.getXMLDesc(DomainXMLFlags.INACTIVE)).toContain(':set:');
    await set.delete();
  });

  test('an element goes with the disk that is unplugged, and is back with it', async () => {
    await updateDisk(guest.domain, `<disk><target dev='vdb'/>${QEMU}</disk>`, { live: true });
    await guest.exec(['umount', '/mnt/b']);
    const xml = await diskXml(guest, 'vdb');
    await using events = await guest.connection.subscribe('device-removed', { domain: guest.domain });
    await guest.domain.detachDeviceFlags(xml, 1);
    for await (const _ of events) break;
    expect(await describeDomain(guest.domain)).not.toContain("dev='vdb'");
    expect(await planSnapshot(guest.domain, { quiesce: 'never' })).toMatchObject({
      ok: true,
      disks: [{ disk: 'vda' }],
    });
    await guest.domain.attachDeviceFlags(xml, 1);
    expect((await policies(guest, 'vdb'))[0]).toBe(QEMU);
  });

  test('what it will start from is what it goes by after the next start', async () => {
    const rbd = "<diskSnapshot method='rbd'/>";
    await updateDisk(guest.domain, `<disk><target dev='vda'/>${rbd}</disk>`, { config: true });
    expect(await policies(guest, 'vda')).toEqual([QEMU, rbd]);
    await guest.domain.destroy();
    await guest.domain.create();
    expect(await policies(guest, 'vda')).toEqual([rbd, rbd]);
  });
});
