// What must be true in every cell, asked of the outside world: the guest, QEMU, the files, qemu-img and e2fsck.
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { type DiskSnapshotSet, DomainState, listDiskSnapshots } from '../../lib';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { agentCommand } from '../../lib/testing/agent';
import { run } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { parseXml } from '../../lib/xml/document';
import { type Base, FOLDERS, type Laboratory } from './laboratory';
import type { RunningOperation } from './running';

/** Random text in a file on each disk, and the list of their checksums beside it, all on stable storage. */
export async function writePayload(lab: Laboratory, name: string): Promise<void> {
  const each = `head -c 100000 /dev/urandom | base64 >${name}; sha256sum ${name} >${name}.sums`;
  await lab.sh(`set -e; for folder in ${FOLDERS.join(' ')}; do cd $folder; ${each}; done; sync`);
}

/** Read again from the disks, not from memory. */
export async function expectPayload(lab: Laboratory): Promise<void> {
  const each = 'for list in *.sums; do sha256sum -c "$list"; done';
  await lab.sh(
    `set -e; echo 3 >/proc/sys/vm/drop_caches; for folder in ${FOLDERS.join(' ')}; do cd $folder; ${each}; done`,
  );
}

export async function expectAtPeace(lab: Laboratory, running: RunningOperation, isOff: boolean): Promise<void> {
  // The guard has its own connection to make where the daemon was killed; it goes when it has done its work.
  const limit = AbortSignal.timeout(10_000);
  while ((await running.guardsLeft()).length > 0 && !limit.aborted) await delay(20);
  expect(await running.guardsLeft()).toEqual([]);
  if (!isOff) {
    expect((await lab.domain.getState()).state).toBe(DomainState.RUNNING);
    expect(await lab.freezeStatus()).toBe('thawed');
    await lab.sh(`for folder in ${FOLDERS.join(' ')}; do date >$folder/now && sync || exit 1; done`);
  }
  expect(await lab.isOff()).toBe(isOff);
  expect(await readJournal(lab.domain)).toMatchObject({ intents: [], claims: [], damaged: [] });
  expect((await lab.connection.listAllDomains()).map((domain) => domain.getName())).toEqual([lab.guest.name]);
}

/**
 * The images of the disks and, where there is a set, of the points in time that it keeps. QEMU itself loses clusters of an
 * internal snapshot that it had no space to write, or whose count it had not written when it was killed: harmless, and `mayLeak`.
 *
 * @param wasCut the guest, or its disk, went in the midst of writing: there is a journal to replay, as a mount does
 */
export async function expectSound(
  lab: Laboratory,
  sets: readonly DiskSnapshotSet[],
  { wasCut, mayLeak }: { wasCut: boolean; mayLeak: boolean },
): Promise<void> {
  const still = (await lab.isOff()) ? null : await holdStill(lab);
  try {
    for (const source of await lab.sources()) await expectImage(lab, source, null, !wasCut, mayLeak);
    for (const { disks, consistency } of sets)
      for (const { backupSource, internalSnapshot, method, name, disk } of disks) {
        // What lies inside an image, or beside it in the cluster, is read by its name.
        const own = lab.bases[disk === 'vda' ? 0 : 1] as Base;
        const isInside = internalSnapshot !== null || method === 'rbd';
        const kept = isInside ? own : { file: parseXml(backupSource ?? '').attributes.file ?? '' };
        await expectImage(lab, kept, isInside ? name : null, consistency === 'filesystem', mayLeak);
      }
  } finally {
    await still?.[Symbol.asyncDispose]();
  }
}

/** Frozen, then paused, since QEMU writes out what it holds when it pauses. */
async function holdStill(lab: Laboratory): Promise<AsyncDisposable> {
  const { domain } = lab;
  await agentCommand(domain, 'guest-fsfreeze-freeze');
  await domain.suspend();
  return {
    async [Symbol.asyncDispose]() {
      await domain.resume();
      await agentCommand(domain, 'guest-fsfreeze-thaw');
    },
  };
}

/** The image as qemu-img sees it, the file system in it, and what the guest had written before. */
async function expectImage(
  lab: Laboratory,
  image: Base,
  snapshot: string | null,
  isClean: boolean,
  mayLeak: boolean,
): Promise<void> {
  if ('file' in image) await run('qemu-img', ['check', '-q', '-U', image.file], { accept: mayLeak ? [0, 3] : [0] });
  const directory = await temporaryDirectory('judged');
  const raw = join(directory, 'disk.raw');
  try {
    await lab.copyOut(image, snapshot, raw);
    if (!isClean) await run('e2fsck', ['-y', '-E', 'journal_only', raw], { accept: [0, 1] });
    const { stdout, stderr } = await run('e2fsck', ['-fn', raw]);
    expect(stdout + stderr).not.toContain('skipping journal recovery');
    const read = async (path: string) => (await run('debugfs', ['-R', `cat ${path}`, raw])).stdout;
    const sum = createHash('sha256').update(await read('/before'));
    expect(await read('/before.sums')).toBe(`${sum.digest('hex')}  before\n`);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** No file, snapshot or open image too many, and none too few. */
export async function expectNothingLeft(lab: Laboratory, was: readonly string[]): Promise<void> {
  expect(await listDiskSnapshots(lab.domain)).toEqual([]);
  expect(await lab.sources()).toEqual(lab.bases);
  expect(await lab.files()).toEqual(was);
  if (!(await lab.isOff())) expect(await lab.open()).toEqual([...lab.baseFiles].sort());
  for (const base of lab.bases) expect(await lab.inside(base)).toEqual([]);
}
