// A plan touches nothing, and leaves nothing open, also where it is given up half way.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { planSnapshot, registerSnapshotMethod, type SnapshotMethod } from '../../lib';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { BareDomain } from '../guest/bare-domain';
import { FarDaemon } from './far';

jest.setTimeout(60_000);

class Aborting implements SnapshotMethod {
  readonly method = 'aborting';
  readonly interfaceVersion = 1;
  readonly needs = 'any';
  readonly controller = new AbortController();
  parse = () => ({});
  plan = async (): Promise<never> => {
    this.controller.abort(new Error('enough'));
    throw this.controller.signal.reason;
  };
  prepare = async () => ({});
  cut = async () => ({});
  undo = async () => undefined;
  exists = async () => false;
  delete = async () => undefined;
  revert = async () => undefined;
  backupSource = async () => ({ source: '<source/>', format: 'raw', modifiedDisk: null });
}

test('aborted when a pool of the moment is open: that pool is ended', async () => {
  const method = new Aborting();
  using _registration = registerSnapshotMethod(method);
  const directory = await temporaryDirectory('plan');
  await using far = await FarDaemon.start();
  await using connection = await far.connect();
  const vm = await BareDomain.define(connection, join(directory, 'vm'), { disks: 2 });
  await vm.domain.create(); // of one that is off, headers are read as well, and whoever does so ends that pool
  const pools = async () => (await connection.listAllStoragePools()).map((pool) => pool.getName());
  const disks = { vda: 'qemu', vdb: 'aborting' };
  await expect(planSnapshot(vm.domain, { disks, signal: method.controller.signal })).rejects.toThrow('enough');
  expect(await pools()).toEqual([]);
  await vm.remove();
  await rm(directory, { recursive: true });
});
