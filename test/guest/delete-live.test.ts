// Three layers are merged one by one while the guest writes and deletes files: nothing of what it wrote may differ.
import { readdir } from 'node:fs/promises';
import { expect, jest, test } from '@jest/globals';
import { snapshotDisks } from '../../lib/disk-snapshot/create';
import { listDiskSnapshots } from '../../lib/disk-snapshot/list';
import type { DiskSnapshotSet } from '../../lib/disk-snapshot/types';
import { TestGuest, verifyConsistency } from '../../lib/testing';
import { readDomain } from '../../lib/xml/domain';
import { qemuImg } from './bare-domain';

jest.setTimeout(240_000);

// Files of random size and content, each with its checksum; now and then one is deleted. A checksum stands only beside a
// file that is complete, so whatever is there at any moment must verify.
const WRITER = `
cd /mnt/a && mkdir -p work && cd work
n=0
while [ ! -e /tmp/stop ]; do
  n=$((n + 1))
  dd if=/dev/urandom of=new bs=1k count=$((RANDOM % 200 + 1)) 2>/dev/null
  name=$((RANDOM % 40))
  rm -f $name.md5
  mv new $name && md5sum $name >new.md5 && mv new.md5 $name.md5
  gone=$((RANDOM % 40))
  rm -f $gone.md5 $gone
  echo $n >../count
  [ $((n % 4)) = 0 ] && sync
done
sync
touch /tmp/stopped
`;

test('chain back to one image, files gone, checksums verify, qemu-img finds no fault', async () => {
  const guest = await TestGuest.boot({ disks: 1, persistent: true, restorable: false });
  try {
    const sh = async (script: string) => {
      const { exitCode, stdout, stderr } = await guest.exec(['sh', '-c', script]);
      if (exitCode !== 0) throw new Error(`${script}: ${stderr}`);
      return stdout.trim();
    };
    const written = async () => Number(await sh('cat /mnt/a/count 2>/dev/null || echo 0'));
    const chain = async () => {
      const disk = readDomain(await guest.domain.getXMLDesc()).disks[0];
      return disk ? [disk, ...disk.backingChain].map(({ sourcePath }) => sourcePath) : [];
    };
    const base = guest.image('vda');
    const before = await readdir(guest.directory);
    await guest.exec(['sh', '-c', '(sh -c "$1" </dev/null >/dev/null 2>&1 &)', 'sh', WRITER]);

    const sets: DiskSnapshotSet[] = [];
    for (const name of ['one', 'two', 'three']) {
      // Each layer holds something before the next one is put on it.
      const from = await written();
      while ((await written()) < from + 10);
      sets.push(await snapshotDisks(guest.domain, { name, quiesce: 'preferred' }));
    }
    expect(await chain()).toHaveLength(4);
    const atFirst = await written();

    // The one in the middle, then the newest, which pivots, then the last.
    for (const [left, index] of [3, 2, 1].map((layers, i) => [layers, [1, 2, 0][i] as number] as const)) {
      await sets[index]?.delete();
      expect(await chain()).toHaveLength(left);
    }

    expect(await written()).toBeGreaterThan(atFirst);
    await sh('touch /tmp/stop; while [ ! -e /tmp/stopped ]; do sleep 0.1; done');
    expect(await chain()).toEqual([base]);
    expect(await readdir(guest.directory)).toEqual(before);
    expect(await listDiskSnapshots(guest.domain)).toEqual([]);

    // By the guest from the disk, not from its memory.
    const verified = await sh(
      'echo 3 >/proc/sys/vm/drop_caches; cd /mnt/a/work && cat *.md5 >/tmp/list && md5sum -c /tmp/list | wc -l && md5sum -cs /tmp/list',
    );
    expect(Number(verified)).toBeGreaterThan(3);
    await sh('umount /mnt/a');
    await guest.domain.destroy();
    expect(await qemuImg('check', base)).toContain('No errors were found');
    expect(await verifyConsistency(base)).toMatchObject({ clean: true, sound: true });
  } finally {
    await guest.close();
  }
});
