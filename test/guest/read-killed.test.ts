// What a reader leaves that is killed before it is connected: no qemu-nbd, which would wait for ever, and no folder once somebody
// has come by. Judged by what the process has open, and the files that are there.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, type ReadStream } from 'node:fs';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { snapshotDisks } from '../../lib/disk-snapshot/create';
import { findDiskSnapshot } from '../../lib/disk-snapshot/list';
import { thisProcess } from '../../lib/disk-snapshot/records/process';
import { recoverDiskSnapshots } from '../../lib/disk-snapshot/recover';
import type { Connection } from '../../lib/libvirt';
import { PrivateLibvirtd } from '../../lib/testing';
import { run } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { BareDomain } from './bare-domain';

jest.setTimeout(120_000);

let daemon: PrivateLibvirtd;
let directory: string;
const at = (name: string) => join(directory, name);

beforeAll(async () => {
  daemon = await PrivateLibvirtd.start();
});
afterAll(() => daemon.close());
beforeEach(async () => {
  directory = await temporaryDirectory('read-killed');
});
afterEach(() => rm(directory, { recursive: true }));

describe('a reader that is killed before qemu-nbd listens', () => {
  let conn: Connection;
  let vm: BareDomain;
  /** A socket's path would be longer in it than one may be. */
  const temporary = () => at(`tmp-${'x'.repeat(90)}`);

  beforeEach(async () => {
    conn = await daemon.connect();
    vm = await BareDomain.define(conn, at('vm'));
    await snapshotDisks(vm.domain, { name: 'cut', quiesce: 'never' });
    await mkdir(temporary());
    jest.spyOn(os, 'tmpdir').mockReturnValue(temporary());
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await vm.remove();
    await conn.close();
  });

  /** What its qemu-nbd has open, to the end. */
  async function killReader(): Promise<ReadStream> {
    await run('mkfifo', [at('open')]);
    // One that never listens.
    await mkdir(at('bin'));
    const tool = `#!/bin/sh\nexec 9>${at('open')}\necho it runs >&9\nexec sleep 600\n`;
    await writeFile(at('bin/qemu-nbd'), tool, { mode: 0o755 });
    const reader = spawn(process.execPath, [join(__dirname, 'reader.cjs'), daemon.uri, 'vm', 'cut'], {
      env: { ...process.env, TMPDIR: temporary(), PATH: `${at('bin')}:${process.env.PATH}` },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ended = once(reader, 'exit');
    const open = createReadStream(at('open'));
    await once(open, 'data');
    reader.kill('SIGKILL');
    await ended;
    return open;
  }

  test('takes it along', async () => {
    await finished(await killReader());
  });

  test.each([
    ['the next reader', async () => void (await (await findDiskSnapshot(vm.domain, 'cut'))?.read('vda').toArray())],
    ['recovery', async () => void (await recoverDiskSnapshots(vm.domain))],
  ])('leaves a folder, which goes with %s; nobody else’s does', async (_who, come) => {
    await killReader();
    const [left = '', ...more] = await readdir(temporary());
    expect([left, more]).toEqual([expect.stringMatching(/^libvirt-disksnapshot-nbd-/), []]);
    const [, namespace, started] = /-nbd-(\d+)\.\d+\.(\d+)-/.exec(left) ?? [];
    const { pid, started: mine } = thisProcess();
    const others = [
      left.replace(/-nbd-.*-/, `-nbd-${namespace}.${pid}.${mine}-`), // of one that lives
      left.replace(`-nbd-${namespace}`, '-nbd-1'), // of another container
      'libvirt-disksnapshot-nbd-mine',
    ];
    for (const name of others) await mkdir(join(temporary(), name));
    const trap = left.replace(`${started}`, '1');
    await symlink(at('vm'), join(temporary(), trap));
    await come();
    expect((await readdir(temporary())).sort()).toEqual([...others, trap].sort());
    expect(await vm.files()).toContain('vda.qcow2');
  });
});

test('a temporary directory that is not there is told, with what to do', async () => {
  const conn = await daemon.connect();
  const vm = await BareDomain.define(conn, at('vm'));
  const set = await snapshotDisks(vm.domain, { name: 'cut', quiesce: 'never' });
  jest.spyOn(os, 'tmpdir').mockReturnValue(at('none'));
  const told = {
    name: 'DiskSnapshotError',
    code: 'NOT_FOUND',
    disk: 'vda',
    message: expect.stringMatching(/set TMPDIR/),
  };
  await expect(set.read('vda').toArray()).rejects.toMatchObject(told);
  expect(await recoverDiskSnapshots(vm.domain)).toMatchObject({ undone: [] });
  jest.restoreAllMocks();
  await vm.remove();
  await conn.close();
});
