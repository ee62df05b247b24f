// The daemon dies while a revert starts the guest again: everything is done but that, and whoever recovers does it.
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { findDiskSnapshot, recoverDiskSnapshots } from '../../lib';
import { installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { PrivateLibvirtd } from '../../lib/testing';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { qemuOf } from '../faults/running';
import { inFolder } from '../in-folder';
import { BareDomain } from './bare-domain';

jest.setTimeout(120_000);

test('what ran before runs again after recovery', async () => {
  await using daemon = await PrivateLibvirtd.start();
  await using watching = await daemon.connect();
  const connection = await daemon.connect();
  const directory = await temporaryDirectory('revert-daemon');
  const vm = await BareDomain.define(connection, join(directory, 'vm'));
  await vm.layers(1);
  await vm.domain.create();
  const set = await findDiskSnapshot(vm.domain, 's1');
  const seen = await watching.domainLookupByName(vm.domain.getName());
  const isOnlyToStart = async () => (await readJournal(seen)).intents.every(({ revert }) => revert?.stage === 'done');
  let died: Promise<void> | undefined;
  installFaultHook((point) => {
    if (point !== 'revert.cleaned') return;
    died = (async () => {
      while (!(await isOnlyToStart()));
      await daemon.kill();
    })();
  });
  await set?.revert({ force: true }).catch(() => undefined); // the daemon may have been too slow, or too quick
  installFaultHook(null);
  await died;
  await connection.close();
  await daemon.restart();

  await using again = await daemon.connect();
  const domain = await again.domainLookupByName(seen.getName());
  await recoverDiskSnapshots(domain);
  expect(await domain.isActive()).toBe(true);
  expect(await readJournal(domain)).toMatchObject({ intents: [], claims: [], damaged: [] });
  await domain.destroy();
  await domain.undefine();
  await rm(directory, { recursive: true });
});

test('the connection ends while the guest is being started again: the error says so, and who starts it', async () => {
  await using daemon = await PrivateLibvirtd.start();
  const connection = await daemon.connect();
  const directory = await temporaryDirectory('revert-starting');
  const vm = await BareDomain.define(connection, join(directory, 'vm'));
  const name = vm.domain.getName();
  await vm.layers(1);
  await vm.domain.create();
  const set = await findDiskSnapshot(vm.domain, 's1');
  const start = vm.domain.createWithFlags.bind(vm.domain);
  const late = jest.spyOn(vm.domain, 'createWithFlags').mockImplementationOnce(async (flags) => {
    await daemon.kill();
    return start(flags);
  });
  const message = expect.stringContaining('recoverDiskSnapshots(domain), which starts it');
  const told = { code: 'CONNECTION_LOST', outcome: 'unknown', message };
  await expect(set?.revert({ force: true })).rejects.toMatchObject(told);
  late.mockRestore();
  await connection.close();
  await daemon.restart();

  await using again = await daemon.connect();
  const domain = await again.domainLookupByName(name);
  expect(await domain.isActive()).toBe(false);
  expect(await recoverDiskSnapshots(domain)).toMatchObject({ finished: ['s1'] });
  expect(await domain.isActive()).toBe(true);
  await domain.destroy();
  await domain.undefine();
  await rm(directory, { recursive: true });
});

test('the daemon dies while QEMU starts: back, it calls the guest active, then gives it up, and it runs again after recovery', async () => {
  await using daemon = await PrivateLibvirtd.start();
  const connection = await daemon.connect();
  const directory = await temporaryDirectory('revert-given-up');
  const [emulator, stops] = [join(directory, 'emulator'), join(directory, 'stops')];
  const script = `#!/bin/sh\nif [ -e ${stops} ]; then\n  rm ${stops}\n  exec sleep 4\nfi\nexec /usr/bin/qemu-system-x86_64 "$@"\n`;
  await writeFile(emulator, script, { mode: 0o755 });
  const vm = await BareDomain.define(connection, join(directory, 'vm'), { emulator });
  const name = vm.domain.getName();
  await vm.layers(1);
  await vm.domain.create();
  const set = await findDiskSnapshot(vm.domain, 's1');
  installFaultHook(async (point) => {
    if (point !== 'revert.cleaned') return;
    await writeFile(stops, '');
    died = inFolder(directory, () => !existsSync(stops)).then(() => daemon.kill());
  });
  let died: Promise<void> | undefined;
  await expect(set?.revert({ force: true })).rejects.toMatchObject({ code: 'CONNECTION_LOST', outcome: 'unknown' });
  installFaultHook(null);
  await died;
  await connection.close();
  await daemon.restart();

  await using again = await daemon.connect();
  const domain = await again.domainLookupByName(name);
  expect(await domain.isActive()).toBe(true);
  expect(await recoverDiskSnapshots(domain)).toMatchObject({ finished: ['s1'] });
  expect(await domain.isActive()).toBe(true);
  expect(await readJournal(domain)).toMatchObject({ intents: [], claims: [], damaged: [] });
  await domain.destroy();
  await domain.undefine();
  await rm(directory, { recursive: true });
});

test('the daemon dies while a revert stops the guest: its end is found crashed, and it runs again after recovery', async () => {
  await using daemon = await PrivateLibvirtd.start();
  const connection = await daemon.connect();
  const directory = await temporaryDirectory('revert-stopping');
  const vm = await BareDomain.define(connection, join(directory, 'vm'));
  const name = vm.domain.getName();
  await vm.layers(1);
  await vm.domain.create();
  const qemu = await qemuOf(name);
  const set = await findDiskSnapshot(vm.domain, 's1');
  installFaultHook(async (point) => {
    if (point !== 'revert.layer-made') return;
    await daemon.kill();
    process.kill(qemu, 'SIGTERM'); // as the daemon would have done just before
  });
  await expect(set?.revert({ force: true })).rejects.toMatchObject({ code: 'RECOVERY_NEEDED', outcome: 'unknown' });
  installFaultHook(null);
  await connection.close();
  await daemon.restart();

  await using again = await daemon.connect();
  const domain = await again.domainLookupByName(name);
  expect(await recoverDiskSnapshots(domain)).toMatchObject({ undone: ['s1'] });
  expect(await domain.isActive()).toBe(true);
  expect(await readJournal(domain)).toMatchObject({ intents: [], claims: [], damaged: [] });
  await domain.destroy();
  await domain.undefine();
  await rm(directory, { recursive: true });
});
