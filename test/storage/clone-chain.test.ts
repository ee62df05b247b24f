// A clone of a layer is a file of its own, but rests on the images below that layer: whoever changes those is told to wait.
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type DiskSnapshotSet, diagnose, listDiskSnapshots, snapshotDisks } from '../../lib';
import { TestGuest } from '../../lib/testing';
import { run } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { Mounted } from './mounted';

jest.setTimeout(120_000);

let root: string;
let btrfs: Mounted;
beforeAll(async () => {
  root = await temporaryDirectory('clones');
  btrfs = await Mounted.make('btrfs', root);
});
afterAll(async () => {
  await btrfs?.close();
  await rm(root, { recursive: true });
});

const sourceOf = (set: DiskSnapshotSet) => /file=['"]([^'"]+)/.exec(set.disks[0]?.backupSource ?? '')?.[1] ?? '';

/** What a guest that was started from this image would see. */
async function contentOf(image: string): Promise<string> {
  const raw = join(root, 'content.raw');
  await run('qemu-img', ['convert', '-O', 'raw', image, raw]);
  const sum = createHash('sha256').update(await readFile(raw));
  await rm(raw);
  return sum.digest('hex');
}

describe.each(['off', 'running'] as const)('a guest that is %s', (state) => {
  test('no layer below a clone is merged, and the clone is read through its chain', async () => {
    const running = state === 'running';
    await using guest = await TestGuest.boot({
      disks: [{ directory: btrfs.directory }],
      start: running,
      persistent: true,
      restorable: false,
    });
    const write = async (text: string) => {
      if (running) await guest.exec(['sh', '-c', `echo ${text} >>/mnt/a/text && sync`]);
    };
    await write('first');
    const layer = await snapshotDisks(guest.domain, { name: 'layer' });
    await write('second');
    const clone = await snapshotDisks(guest.domain, { name: 'clone', disks: { vda: 'btrfs' } });
    const content = await contentOf(sourceOf(clone));
    await write('third');
    expect(clone.disks[0]?.backingChain).toEqual([{ source: guest.image('vda'), format: 'qcow2' }]);

    const exported = join(root, 'exported.raw');
    await clone.disks[0]?.export(exported, { format: 'raw' });
    expect(
      createHash('sha256')
        .update(await readFile(exported))
        .digest('hex'),
    ).toBe(content);
    await rm(exported);

    await expect(layer.delete()).rejects.toMatchObject({
      code: 'IN_USE',
      outcome: 'unchanged',
      message: expect.stringContaining('snapshot clone of vda'),
    });
    expect(await contentOf(sourceOf(clone))).toBe(content);
    await clone.delete();
    await layer.delete();
    expect(await listDiskSnapshots(guest.domain)).toEqual([]);
    expect(await diagnose(guest.domain)).toEqual([]);
  });
});
