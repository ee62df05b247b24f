// The daemon dies while a revert starts the guest again: everything is done but that, and whoever recovers does it.
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type Connection, type DiskSnapshotSet, type Domain, recoverDiskSnapshots } from '../../lib';
import { installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { PrivateLibvirtd } from '../../lib/testing';
import { run } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { qemuOf } from '../faults/running';
import { inFolder } from '../in-folder';
import { BareDomain } from './bare-domain';

jest.setTimeout(120_000);

let daemon: PrivateLibvirtd;
let connection: Connection;
let directory: string;
const NAME = `revert-daemon-${process.pid}`;

beforeEach(async () => {
  daemon = await PrivateLibvirtd.start();
  connection = await daemon.connect();
  directory = await temporaryDirectory('revert-daemon');
});
afterEach(async () => {
  installFaultHook(null);
  const domain = await connection.domainLookupByName(NAME);
  if (await domain.isActive()) await domain.destroy();
  await domain.undefine();
  await connection.close();
  await daemon.close();
  await rm(directory, { recursive: true });
});

/** A guest that runs, with a snapshot to go back to. */
async function started(options: { emulator?: string } = {}): Promise<{ domain: Domain; set: DiskSnapshotSet }> {
  const vm = await BareDomain.define(connection, join(directory, NAME), options);
  const [set] = await vm.layers(1);
  await vm.domain.create();
  return { domain: vm.domain, set: set as DiskSnapshotSet };
}

/** The same guest, of the daemon that is back. */
async function backAgain(): Promise<Domain> {
  installFaultHook(null);
  await connection.close();
  await daemon.restart();
  connection = await daemon.connect();
  return connection.domainLookupByName(NAME);
}

async function expectGoesOn(domain: Domain): Promise<void> {
  expect(await domain.isActive()).toBe(true);
  expect(await readJournal(domain)).toMatchObject({ intents: [], claims: [], damaged: [] });
}

test('what ran before runs again after recovery', async () => {
  await using watching = await daemon.connect();
  const { set } = await started();
  const seen = await watching.domainLookupByName(NAME);
  const isOnlyToStart = async () => (await readJournal(seen)).intents.every(({ revert }) => revert?.stage === 'done');
  let died: Promise<void> | undefined;
  installFaultHook((point) => {
    if (point !== 'revert.cleaned') return;
    died = (async () => {
      while (!(await isOnlyToStart()));
      await daemon.kill();
    })();
  });
  await set.revert({ force: true }).catch(() => undefined); // the daemon may have been too slow, or too quick
  await died;
  const domain = await backAgain();
  await recoverDiskSnapshots(domain);
  await expectGoesOn(domain);
});

test('the connection ends while the guest is being started again: the error says so, and who starts it', async () => {
  const { domain: first, set } = await started();
  const start = first.createWithFlags.bind(first);
  const late = jest.spyOn(first, 'createWithFlags').mockImplementationOnce(async (flags) => {
    await daemon.kill();
    return start(flags);
  });
  const message = expect.stringContaining('recoverDiskSnapshots(domain), which starts it');
  const told = { code: 'CONNECTION_LOST', outcome: 'unknown', message };
  await expect(set.revert({ force: true })).rejects.toMatchObject(told);
  late.mockRestore();
  const domain = await backAgain();
  expect(await domain.isActive()).toBe(false);
  expect(await recoverDiskSnapshots(domain)).toMatchObject({ finished: ['s1'] });
  await expectGoesOn(domain);
});

test('the daemon dies while QEMU starts: back, it calls the guest active, then gives it up, and it runs again after recovery', async () => {
  const at = (name: string) => join(directory, name);
  // Once, where `stops` is there, it says nothing, until somebody writes to `ends`.
  const script = `#!/bin/sh\nif [ -e ${at('stops')} ]; then\n  rm ${at('stops')}\n  exec cat ${at('ends')}\nfi\nexec /usr/bin/qemu-system-x86_64 "$@"\n`;
  await run('mkfifo', [at('ends')]);
  await writeFile(at('emulator'), script, { mode: 0o755 });
  const { set } = await started({ emulator: at('emulator') });
  let died: Promise<void> | undefined;
  installFaultHook(async (point) => {
    if (point !== 'revert.cleaned') return;
    await writeFile(at('stops'), '');
    died = inFolder(directory, () => !existsSync(at('stops'))).then(() => daemon.kill());
  });
  await expect(set.revert({ force: true })).rejects.toMatchObject({ code: 'CONNECTION_LOST', outcome: 'unknown' });
  await died;

  const domain = await backAgain();
  expect(await domain.isActive()).toBe(true);
  const write = domain.setMetadata.bind(domain);
  jest.spyOn(domain, 'setMetadata').mockImplementationOnce(async (...record) => {
    await Promise.all([write(...record), writeFile(at('ends'), '')]);
  });
  expect(await recoverDiskSnapshots(domain)).toMatchObject({ finished: ['s1'] });
  await expectGoesOn(domain);
});

test('the daemon dies while a revert stops the guest: its end is found crashed, and it runs again after recovery', async () => {
  const { set } = await started();
  const qemu = await qemuOf(NAME);
  installFaultHook(async (point) => {
    if (point !== 'revert.layer-made') return;
    await daemon.kill();
    process.kill(qemu, 'SIGTERM'); // as the daemon would have done just before
  });
  await expect(set.revert({ force: true })).rejects.toMatchObject({ code: 'RECOVERY_NEEDED', outcome: 'unknown' });
  const domain = await backAgain();
  expect(await recoverDiskSnapshots(domain)).toMatchObject({ undone: ['s1'] });
  await expectGoesOn(domain);
});
