// A merge whose libvirtd dies goes on in QEMU: what is told is that nobody knows, and a second delete takes it to its end.
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { listDiskSnapshots } from '../../lib/disk-snapshot/list';
import { DomainXMLFlags } from '../../lib/libvirt';
import { PrivateLibvirtd } from '../../lib/testing';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { BareDomain, expectPattern } from './bare-domain';

jest.setTimeout(120_000);

test.each([
  ['newest', 1],
  ['inner', 0],
])('libvirtd is killed while the %s layer is merged', async (_, index) => {
  const daemon = await PrivateLibvirtd.start();
  const directory = await temporaryDirectory('daemon');
  try {
    const first = await daemon.connect();
    const vm = await BareDomain.define(first, directory);
    const sets = await vm.layers(2, 20);
    await vm.domain.create();

    let begun = () => {};
    const copied = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const pending = sets[index]?.delete({
      bandwidth: 1,
      onProgress: ({ phase, done }) => {
        if (phase === 'commit' && done > 0) begun();
      },
    });
    const rejected = expect(pending).rejects.toMatchObject({ code: 'CONNECTION_LOST', outcome: 'unknown' });
    await copied;
    await daemon.kill();
    await rejected;
    await first.close();

    await daemon.restart();
    const conn = await daemon.connect();
    const domain = await conn.domainLookupByName(basename(directory));
    const left = (await listDiskSnapshots(domain)).find(({ name }) => name === sets[index]?.name);
    expect(left?.disks[0]?.state).toBe('missing');
    await left?.delete();

    expect((await listDiskSnapshots(domain)).map(({ name }) => name)).toEqual([sets[1 - index]?.name]);
    const top = join(directory, index === 1 ? 'vda.s1' : 'vda.s2');
    for (const flags of [0, DomainXMLFlags.INACTIVE] as const) {
      const xml = await domain.getXMLDesc(flags);
      expect(xml).toContain(`<source file='${top}'`);
      expect(xml).not.toContain(`'${join(directory, index === 1 ? 'vda.s2' : 'vda.s1')}'`);
    }
    await expectPattern(top, 1, 1, 1);
    await expectPattern(top, 2, 2, 20);
    await conn.close();
  } finally {
    await daemon.close();
    await rm(directory, { recursive: true });
  }
});
