// A merge takes its time: aborted, cancelled by others, without an answer, without space or with its QEMU gone, it is never taken for
// done, the guest goes on, and a second delete finishes it. Judged by qemu-img, qemu-io and libvirt's XML.
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { snapshotDisks } from '../../lib/disk-snapshot/create';
import { installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { listDiskSnapshots } from '../../lib/disk-snapshot/list';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import type { DiskSnapshotSet, Progress } from '../../lib/disk-snapshot/types';
import { type Connection, DomainBlockCommitFlags } from '../../lib/libvirt';
import { run } from '../../lib/testing/command';
import { embeddedConnection } from '../../lib/testing/embedded';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { BareDomain, expectPattern, fill, qemuImg } from './bare-domain';

jest.setTimeout(60_000);

let conn: Connection;
let directory: string;
let vm: BareDomain;

beforeAll(async () => {
  conn = await embeddedConnection();
});
beforeEach(async () => {
  directory = await temporaryDirectory('delete-merge');
});
afterEach(async () => {
  await vm.remove();
  // Nothing else was left running: no helper, no claim.
  expect((await conn.listAllDomains()).map((domain) => domain.getName())).toEqual([]);
  await rm(directory, { recursive: true });
});

const at = (name: string) => join(directory, name);
const sound = async (path: string) => expect(await qemuImg('check', '-U', path)).toContain('No errors were found');
const claims = async () => (await readJournal(vm.domain)).claims;

describe('a merge that', () => {
  /** A running guest whose newest layer takes 30 s at 1 MiB/s. */
  async function slowLayer(): Promise<DiskSnapshotSet> {
    vm = await BareDomain.define(conn, directory);
    const [set] = await vm.layers(1, 30);
    await vm.domain.create();
    return set as DiskSnapshotSet;
  }
  /** Resolves with a call to make once the merge has copied something. */
  function atWork(): { onProgress: (progress: Progress) => void; begun: Promise<void> } {
    let tell = () => {};
    const begun = new Promise<void>((resolve) => {
      tell = resolve;
    });
    return { onProgress: ({ phase, done }) => void (phase === 'commit' && done > 0 && tell()), begun };
  }
  async function expectUntouchedThenDeletable(set: DiskSnapshotSet): Promise<void> {
    expect(await vm.chain('vda')).toEqual([at('vda.s1'), at('vda.qcow2')]);
    expect(await vm.domain.getBlockJobInfo('vda')).toBeNull();
    expect(await claims()).toEqual([]);
    // The base has been written to: it is no longer the point in time, and is not offered as such.
    expect((await listDiskSnapshots(vm.domain))[0]?.disks[0]?.state).toBe('missing');
    await expect(set.read('vda').toArray()).rejects.toMatchObject({ code: 'NOT_FOUND', outcome: 'unchanged' });
    await set.delete();
    expect(await vm.chain('vda')).toEqual([at('vda.qcow2')]);
    expect(await vm.files()).toEqual(['vda.qcow2']);
    await expectPattern(at('vda.qcow2'), 1, 1, 30);
  }

  test('is aborted in the middle leaves the guest on its layer; a second delete succeeds', async () => {
    const set = await slowLayer();
    const abort = new AbortController();
    const reason = new Error('enough');
    const { onProgress, begun } = atWork();

    const pending = set.delete({ bandwidth: 1, signal: abort.signal, onProgress });
    await begun;
    abort.abort(reason);

    await expect(pending).rejects.toBe(reason);
    await expectUntouchedThenDeletable(set);
  });

  test('is aborted in the middle, of a guest that is off, leaves it as it was and no helper behind', async () => {
    vm = await BareDomain.define(conn, directory);
    const [set] = await vm.layers(1, 30);
    const abort = new AbortController();
    const { onProgress, begun } = atWork();

    const pending = set?.delete({ bandwidth: 1, signal: abort.signal, onProgress });
    const rejected = expect(pending).rejects.toMatchObject({ name: 'AbortError' });
    await begun;
    abort.abort();

    await rejected;
    expect((await conn.listAllDomains()).length).toBe(1);
    expect(await vm.definedSource('vda')).toBe(at('vda.s1'));
    await set?.delete();
    expect(await vm.definedSource('vda')).toBe(at('vda.qcow2'));
    await expectPattern(at('vda.qcow2'), 1, 1, 30);
  });

  test('meets a QEMU that does not answer its start is given up, and a second delete finds what became of it', async () => {
    vm = await BareDomain.define(conn, directory);
    const [set] = await vm.layers(1, 30);
    await vm.domain.create();
    const qemu = await pidOf(vm.domain.getName());
    const abort = new AbortController();
    installFaultHook((point) => {
      if (point !== 'delete.noted') return;
      process.kill(qemu, 'SIGSTOP');
      setImmediate(() => abort.abort(new Error('enough'))); // when the start has been sent
    });
    try {
      await expect(set?.delete({ signal: abort.signal })).rejects.toMatchObject({
        code: 'OPERATION_FAILED',
        outcome: 'unknown',
        message: expect.stringContaining('does not say what became of the job'),
      });
    } finally {
      installFaultHook(null);
      process.kill(qemu, 'SIGCONT');
    }
    await set?.delete();
    expect(await vm.chain('vda')).toEqual([at('vda.qcow2')]);
    expect(await vm.files()).toEqual(['vda.qcow2']);
    await expectPattern(at('vda.qcow2'), 1, 1, 30);
  });

  test('takes longer than timeoutMs is cancelled', async () => {
    const set = await slowLayer();

    await expect(set.delete({ bandwidth: 1, timeoutMs: 2000 })).rejects.toMatchObject({ name: 'TimeoutError' });
    await expectUntouchedThenDeletable(set);
  });

  test('is cancelled by somebody else is no success', async () => {
    const set = await slowLayer();
    const { onProgress, begun } = atWork();

    const pending = set.delete({ bandwidth: 1, onProgress });
    const rejected = expect(pending).rejects.toMatchObject({
      code: 'JOB_FAILED',
      outcome: 'unchanged',
      snapshot: 's1',
    });
    await begun;
    await vm.domain.blockJobAbort('vda');

    await rejected;
    await expectUntouchedThenDeletable(set);
  });

  test('meets the job of somebody else touches nothing', async () => {
    const set = await slowLayer();
    await vm.domain.blockCommit('vda', at('vda.qcow2'), at('vda.s1'), 1, DomainBlockCommitFlags.ACTIVE);

    await expect(set.delete()).rejects.toMatchObject({ code: 'DISK_BUSY', outcome: 'unchanged', disk: 'vda' });

    expect(await vm.domain.getBlockJobInfo('vda')).not.toBeNull();
    await vm.domain.blockJobAbort('vda');
  });

  test('is at work keeps a second one out', async () => {
    const set = await slowLayer();
    const abort = new AbortController();
    const { onProgress, begun } = atWork();
    const pending = set.delete({ bandwidth: 1, signal: abort.signal, onProgress });
    const rejected = expect(pending).rejects.toMatchObject({ name: 'AbortError' });
    await begun;

    await expect(set.delete()).rejects.toMatchObject({ code: 'OPERATION_IN_PROGRESS' });

    abort.abort();
    await rejected;
  });

  test('loses its QEMU ends, and a second delete, of the guest that is off, succeeds', async () => {
    const set = await slowLayer();
    const { onProgress, begun } = atWork();
    const pid = await pidOf(vm.domain.getName());

    const pending = set.delete({ bandwidth: 1, onProgress });
    const rejected = expect(pending).rejects.toMatchObject({ code: 'JOB_FAILED', outcome: 'unchanged' });
    await begun;
    process.kill(pid, 'SIGKILL');

    await rejected;
    expect(await vm.domain.isActive()).toBe(false);
    expect(await vm.definedSource('vda')).toBe(at('vda.s1'));
    await set.delete();
    expect(await vm.definedSource('vda')).toBe(at('vda.qcow2'));
    expect(await vm.files()).toEqual(['vda.qcow2']);
    await expectPattern(at('vda.qcow2'), 1, 1, 30);
    await sound(at('vda.qcow2'));
  });

  test('reports progress that never goes back, and ends at the whole', async () => {
    const set = await slowLayer();
    const seen: Progress[] = [];

    await set.delete({ bandwidth: 20, onProgress: (progress) => seen.push(progress) });

    const commits = seen.filter(({ phase }) => phase === 'commit');
    expect(commits.length).toBeGreaterThan(3);
    expect(commits.every(({ disk }) => disk === 'vda')).toBe(true);
    const done = commits.map((progress) => progress.done);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(commits.at(-1)).toMatchObject({ done: commits.at(-1)?.total });
    expect(commits.at(-1)?.total).toBeGreaterThanOrEqual(30 * 1024 ** 2);
  });
});

test('no space for the base: the reason is told, the guest stays on its layer, and space brings success', async () => {
  const small = at('small');
  await mkdir(small);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small]);
  try {
    vm = await BareDomain.define(conn, directory, { folder: small });
    const source = at('top.qcow2');
    const disks = { vda: { method: 'qemu', source } };
    const set = await snapshotDisks(vm.domain, { disks, name: 's1', quiesce: 'never' });
    await fill(source, 7, 1, 20);
    await vm.domain.create();

    await expect(set.delete()).rejects.toMatchObject({ code: 'NO_SPACE', outcome: 'unchanged', snapshot: 's1' });
    expect(await vm.source('vda')).toBe(source);

    await run('mount', ['-o', 'remount,size=64m', small]);
    await set.delete();
    expect(await vm.source('vda')).toBe(join(small, 'vda.qcow2'));
    expect(existsSync(source)).toBe(false);
    await expectPattern(join(small, 'vda.qcow2'), 7, 1, 20);
    await vm.domain.destroy();
  } finally {
    await run('umount', ['--lazy', small]);
  }
});

async function pidOf(name: string): Promise<number> {
  const { stdout } = await run('pgrep', ['-f', `qemu-system-x86_64 -name guest=${name},`]);
  return Number(stdout.trim());
}
