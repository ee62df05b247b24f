// As many images as can be worked with, and not one more: qemu-img makes the chain, a real guest runs on it.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { planSnapshot, snapshotDisks } from '../../lib';
import { type Domain, DomainCreateFlags } from '../../lib/libvirt';
import { PrivateLibvirtd } from '../../lib/testing';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { BareDomain, qemuImg } from './bare-domain';

jest.setTimeout(120_000);

const MOST = 100;

test('a disk on 99 images takes one more, on 100 none, whether its guest is off or runs; deleting helps', async () => {
  await using daemon = await PrivateLibvirtd.start();
  const directory = await temporaryDirectory('deep');
  await using conn = await daemon.connect();
  const { domain } = await BareDomain.define(conn, directory);
  const at = (n: number) => join(directory, n === 1 ? 'vda.qcow2' : `${n}.qcow2`);
  for (let n = 2; n < MOST; n++) {
    await qemuImg('create', '-q', '-u', '-f', 'qcow2', '-b', at(n - 1), '-F', 'qcow2', at(n), '64M');
  }
  const xml = await domain.getXMLDesc();
  await conn.domainDefineXML(xml.replace(at(1), at(MOST - 1)));

  const set = await snapshotDisks(domain, { name: 'last' });
  expect(set.disks[0]?.modifiedDisk).toContain('99.last');
  await expectRefused(domain, directory);
  await domain.createWithFlags(DomainCreateFlags.START_PAUSED);
  await expectRefused(domain, directory);
  await set.delete();
  expect(await planSnapshot(domain)).toMatchObject({ ok: true });
  expect(await domain.getXMLDesc()).toContain(`'${at(MOST - 1)}'`);
  await domain.destroy();
  await rm(directory, { recursive: true });
});

async function expectRefused(domain: Domain, directory: string): Promise<void> {
  const before = [await domain.getXMLDesc(), await readdir(directory)];
  const message = expect.stringMatching(/vda rests on 100 images.*Delete older snapshots/);
  expect((await planSnapshot(domain)).problems).toMatchObject([{ code: 'LIMIT_EXCEEDED', disk: 'vda', message }]);
  await expect(snapshotDisks(domain, { name: 'more' })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', message });
  expect([await domain.getXMLDesc(), await readdir(directory)]).toEqual(before);
}
