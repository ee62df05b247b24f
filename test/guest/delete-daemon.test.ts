// A merge whose libvirtd dies, or whose caller, goes on in QEMU: a second delete takes it to its end. The children run what
// `npm run build:ts` made.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { findDiskSnapshot, listDiskSnapshots, planSnapshot, recoverDiskSnapshots } from '../../lib';
import { deleteSnapshots } from '../../lib/disk-snapshot/merge/delete-by-method';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
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
    const advice = new RegExp(`deletion of snapshot ${left?.name}: delete that one again`);
    for (const method of ['qemu', 'reflink'] as const) {
      const { problems } = await planSnapshot(domain, { disks: { vda: { method } } });
      expect(problems).toMatchObject([{ code: 'DISK_BUSY', disk: 'vda', message: expect.stringMatching(advice) }]);
    }
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

/** Deletes a snapshot in a process of its own, which dies by SIGKILL when it comes to `phase`. */
const CHILD = `
  const { connect, findDiskSnapshot } = require('./dist');
  const [uri, guest, name, phase] = process.argv.slice(1);
  (async () => {
    const conn = await connect(uri);
    const set = await findDiskSnapshot(await conn.domainLookupByName(guest), name);
    await set.delete({
      bandwidth: phase === 'commit' ? 1 : 0,
      onProgress: (p) => { if (p.phase === phase && (p.done > 0 || phase === 'clean')) process.kill(process.pid, 'SIGKILL'); },
    });
  })();
`;

describe.each(['running', 'off'])('the caller is killed, of a guest that is %s,', (state) => {
  test.each([
    ['commit', 'newest', 's2'],
    ['commit', 'inner', 's1'],
    ['clean', 'newest', 's2'],
    ['clean', 'inner', 's1'],
  ])('in the phase %s of the %s layer', async (phase, _, name) => {
    const daemon = await PrivateLibvirtd.start();
    const directory = await temporaryDirectory('killed');
    try {
      const conn = await daemon.connect();
      const vm = await BareDomain.define(conn, directory);
      await vm.layers(2, 20);
      if (state === 'running') await vm.domain.create();

      const child = spawn(process.execPath, ['-e', CHILD, daemon.uri, basename(directory), name, phase], {
        cwd: join(__dirname, '..', '..'),
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
      // As from a handle that somebody else still has.
      const { sets } = await readJournal(vm.domain);
      const id = sets.find((set) => set.name === name)?.id;
      await deleteSnapshots(vm.domain, id ?? 'gone', null, {});

      const left = name === 's2' ? 's1' : 's2';
      const top = join(directory, `vda.${left}`);
      expect(await vm.files()).toEqual(['vda.qcow2', `vda.${left}`]);
      expect(await vm.source('vda')).toBe(top);
      expect(await vm.definedSource('vda')).toBe(top);
      const [set, ...more] = await listDiskSnapshots(vm.domain);
      expect(set).toMatchObject({ name: left, disks: [{ state: 'present' }] });
      expect(more).toEqual([]);
      expect((await readJournal(vm.domain)).claims).toEqual([]);
      await expectPattern(top, 1, 1, 1);
      await expectPattern(top, 2, 2, 20);
      expect((await conn.listAllDomains()).length).toBe(1);
      await conn.close();
    } finally {
      await daemon.close();
      await rm(directory, { recursive: true });
    }
  });
});

test('the caller is killed when the layer is merged and its file gone: recovery ends it, and the layer above can be deleted', async () => {
  const daemon = await PrivateLibvirtd.start();
  const directory = await temporaryDirectory('merged');
  try {
    const conn = await daemon.connect();
    const vm = await BareDomain.define(conn, directory);
    await vm.layers(3, 20);
    await vm.domain.create();
    const child = spawn(
      process.execPath,
      ['-e', AT_POINT, daemon.uri, basename(directory), 's2', 'delete.file-removed'],
      {
        cwd: join(__dirname, '..', '..'),
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);

    expect(await recoverDiskSnapshots(vm.domain)).toMatchObject({ finished: ['s2'], undone: [] });

    expect((await listDiskSnapshots(vm.domain)).map(({ name }) => name)).toEqual(['s1', 's3']);
    expect(await recoverDiskSnapshots(vm.domain)).toMatchObject({ finished: [], undone: [] });
    await (await findDiskSnapshot(vm.domain, 's3'))?.delete();
    expect(await vm.files()).toEqual(['vda.qcow2', 'vda.s1']);
    for (const n of [1, 2, 3]) await expectPattern(join(directory, 'vda.s1'), n, n, n === 3 ? 20 : 1);
    await conn.close();
  } finally {
    await daemon.close();
    await rm(directory, { recursive: true });
  }
});

const AT_POINT = `
  const { connect, findDiskSnapshot } = require('./dist');
  const { installFaultHook } = require('./dist/disk-snapshot/fault-point');
  const [uri, guest, name, at] = process.argv.slice(1);
  installFaultHook((point) => { if (point === at) process.kill(process.pid, 'SIGKILL'); });
  (async () => {
    const conn = await connect(uri);
    await (await findDiskSnapshot(await conn.domainLookupByName(guest), name)).delete();
  })();
`;
