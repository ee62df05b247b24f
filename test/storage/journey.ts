// What every method that keeps its snapshots inside the guest's own image must do, whatever the guest is doing meanwhile;
// judged from outside.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { findDiskSnapshot, listDiskSnapshots, type Method, type Quiesce, snapshotDisks } from '../../lib';
import { readJournal } from '../../lib/disk-snapshot/records/journal';
import { readFileFromImage, type TestGuest, verifyConsistency } from '../../lib/testing';
import { start, stop } from './ceph-guest';

export interface Subject {
  /** Persistent; running. */
  guest: TestGuest;
  disk: string;
  /** Where the guest has it mounted. */
  folder: string;
  /** Null: by default. */
  method: Method | null;
  /** The snapshots in the image, as the storage's own tool lists them. */
  names(): Promise<string[]>;
  /** What the storage's own tool reads out of a snapshot, as a raw file. */
  copyOut(name: string, to: string): Promise<void>;
}

export type State = 'running, quiesced' | 'running, not quiesced' | 'off';
export const STATES: readonly State[] = ['running, quiesced', 'running, not quiesced', 'off'];

const sh = async (guest: TestGuest, script: string) => {
  const { exitCode, stdout, stderr } = await guest.exec(['sh', '-c', script]);
  if (exitCode !== 0) throw new Error(`${script}: ${stderr}`);
  return stdout;
};

/** Creates, lists, reverts twice and deletes; the guest runs before and after. */
export async function journey(subject: Subject, state: State): Promise<void> {
  const { guest, disk, folder, method } = subject;
  const { domain } = guest;
  const name = `at ${state.replaceAll(/\W+/g, '-')}`;
  const files = async () =>
    (await sh(guest, `ls ${folder}`)).split('\n').filter((file) => /^(before|after)/.test(file));
  const wasThere = await subject.names();
  await sh(guest, `rm -f ${folder}/after*; echo 1 > ${folder}/before; sync`);
  if (state === 'off') await stop(guest);
  else await sh(guest, `echo dirty > ${folder}/dirty`);

  const quiesce: Quiesce = state === 'running, quiesced' ? 'required' : 'never';
  const set = await snapshotDisks(domain, { disks: method ? { [disk]: method } : [disk], name, quiesce });
  expect(set).toMatchObject({ consistency: state === 'running, quiesced' ? 'filesystem' : 'crash', pausedMs: 0 });
  expect(set.disks[0]).toMatchObject({ disk, modifiedDisk: null, virtualSize: 64 << 20 });
  expect(await subject.names()).toEqual([...wasThere, name]);

  if (state === 'off') await start(guest);
  await sh(guest, `echo 2 > ${folder}/after; sync`);
  const raw = join(guest.directory, 'copy.raw');
  await subject.copyOut(name, raw);
  const clean = state !== 'running, not quiesced';
  expect(await verifyConsistency(raw)).toMatchObject({ sound: true, clean, needsRecovery: !clean });
  expect(await readFileFromImage(raw, '/before')).toBe('1\n');
  await expect(readFileFromImage(raw, '/after')).rejects.toThrow('holds no file');
  const listed = await findDiskSnapshot(domain, name);
  const exported = join(guest.directory, 'exported.qcow2');
  await rm(exported, { force: true });
  await listed?.disks[0]?.export(exported);
  expect(await verifyConsistency(exported)).toMatchObject({ sound: true, clean });
  expect(Buffer.concat((await listed?.read(disk).toArray()) ?? []).equals(await readFile(raw))).toBe(true);
  expect(listed?.disks.map((one) => one.state)).toEqual(['present']);

  for (const time of ['first', 'second']) {
    expect(await files()).toContain('after');
    await stop(guest);
    expect((await findDiskSnapshot(domain, name))?.disks[0]?.state).toBe('present');
    await listed?.revert();
    await start(guest);
    expect(await files()).toEqual(['before']);
    await sh(guest, `echo ${time} > ${folder}/after; sync`);
  }
  const again = join(guest.directory, 'again.raw');
  await subject.copyOut(name, again);
  expect((await readFile(again)).equals(await readFile(raw))).toBe(true);
  await listed?.delete();
  await listed?.delete();
  expect(await subject.names()).toEqual(wasThere);
  expect(await files()).toEqual(['after', 'before']);
  expect(await listDiskSnapshots(domain)).toEqual([]);
  expect(await readJournal(domain)).toMatchObject({ sets: [], intents: [], claims: [], damaged: [] });
  const domains = (await guest.connection.listAllDomains()).map((one) => one.getName());
  expect(domains.filter((one) => one.startsWith('libvirt-disksnapshot'))).toEqual([]);
}
