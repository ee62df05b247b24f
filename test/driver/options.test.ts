// An option that does not exist is refused, by every function but libvirt's own, before anything is touched: a misspelt one would be
// ignored.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  adoptDiskSnapshots,
  type Connection,
  connect,
  type Domain,
  defineDomain,
  describeDomain,
  diagnose,
  diskSnapshotCreate,
  diskTree,
  findDiskSnapshot,
  listDiskSnapshots,
  planSnapshot,
  quiesceStorage,
  recoverDiskSnapshots,
  snapshotDisks,
  unquiesceStorage,
  updateDisk,
} from '../../lib';
import type { Freeze } from '../../lib/disk-snapshot/freeze/freeze';
import { HeldStorage } from '../../lib/disk-snapshot/freeze/held-storage';
import { OPTIONS, type OptionsOf } from '../../lib/disk-snapshot/option-names';
import { setOf } from '../../lib/disk-snapshot/result';
import { PrivateLibvirtd, TestGuest, withSnapshot } from '../../lib/testing';
import { guestExec } from '../../lib/testing/agent';
import { SET } from './set-record';

let conn: Connection;
let dom: Domain;
let before: string;

beforeAll(async () => {
  conn = await connect('test:///default');
  dom = await conn.domainLookupByName('test');
  before = await dom.getXMLDesc();
});

afterAll(async () => {
  const after = await dom.getXMLDesc();
  await conn.close();
  expect(after).toBe(before);
});

const set = () =>
  setOf(dom, {
    ...SET,
    disks: [
      {
        disk: 'vda',
        method: 'rbd',
        state: { data: null, state: null },
        backupSource: null,
        internalSnapshot: 'monday',
        format: 'raw',
        modifiedDisk: null,
        virtualSize: 1,
        backingChain: [],
      },
    ],
  });
const neverFrozen: Freeze = {
  filesystems: [],
  signal: new AbortController().signal,
  thaw: () => Promise.reject(new Error('thawed')),
};

/** As JavaScript may call them. */
const CALLS: Record<OptionsOf, (options: object) => unknown> = {
  snapshotDisks: (options) => snapshotDisks(dom, options),
  diskSnapshotCreate: (options) => diskSnapshotCreate(dom, 'vda', options),
  planSnapshot: (options) => planSnapshot(dom, options),
  quiesceStorage: (options) => quiesceStorage(dom, options),
  unquiesceStorage: (options) => unquiesceStorage(dom, options),
  unquiesce: (options) => new HeldStorage(neverFrozen, { name: 'test', uuid: '', mounts: [] }).unquiesce(options),
  listDiskSnapshots: (options) => listDiskSnapshots(dom, options),
  findDiskSnapshot: (options) => findDiskSnapshot(dom, 'monday', options),
  adoptDiskSnapshots: (options) => adoptDiskSnapshots(dom, options),
  recoverDiskSnapshots: (options) => recoverDiskSnapshots(dom, options),
  diskTree: (options) => diskTree(dom, options),
  diagnose: (options) => diagnose(dom, options),
  defineDomain: (options) => defineDomain(conn, before, options),
  describeDomain: (options) => describeDomain(dom, options),
  updateDisk: (options) => updateDisk(dom, "<disk><target dev='vda'/></disk>", options),
  delete: (options) => set().delete(options),
  revert: (options) => set().revert(options),
  read: async (options) => set().read('vda', options).toArray(),
  export: (options) => set().disks[0]?.export('/tmp/never', options),
};

const refusal = (where: string, option: string) => ({
  name: 'TypeError',
  code: 'ERR_INVALID_ARG_VALUE',
  message: expect.stringContaining(`${where} has no option '${option}'; its options are `),
});

describe.each(Object.keys(OPTIONS) as OptionsOf[])('%s', (name) => {
  test('names the option that does not exist, and those that do', async () => {
    const error = await Promise.resolve(CALLS[name]({ quiesced: true })).catch((e: unknown) => e);
    expect(error).toMatchObject(refusal(name, 'quiesced'));
    for (const known of Object.keys(OPTIONS[name])) expect((error as Error).message).toContain(known);
  });
});

test.each<[where: string, option: string, call: () => Promise<unknown>]>([
  ['connect', 'readOnly', () => connect('test:///default', { readOnly: true } as object)],
  ['subscribe', 'queuesize', () => conn.subscribe('lifecycle', { queuesize: 3 } as object)],
  ['TestGuest.boot', 'disk', () => TestGuest.boot({ disk: 2 } as object)],
  ['a disk of TestGuest.boot', 'size', () => TestGuest.boot({ disks: [{ size: 2 } as object], connection: conn })],
  ['exec', 'timeout', () => guestExec(dom, ['true'], { timeout: 2 } as object)],
  ['withSnapshot', 'timeout', () => withSnapshot(dom, () => Promise.resolve(), { timeout: 2 } as object)],
  ['PrivateLibvirtd.start', 'arguments', () => PrivateLibvirtd.start({ arguments: [] } as object)],
])('%s: %s', async (where, option, call) => {
  await expect(call()).rejects.toMatchObject(refusal(where, option));
});

test.each<[where: string, call: () => Promise<unknown>]>([
  ['connect', () => connect('test:///default', null as never)],
  ['connect', () => connect('test:///default', { keepAlive: null as never })],
  ['subscribe', () => conn.subscribe('lifecycle', null as never)],
])('%s: null is no object of options', async (where, call) => {
  const message = expect.stringMatching(`${where} must be an object`);
  await expect(call()).rejects.toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message });
});

test('an option that is undefined says nothing', async () => {
  await expect(listDiskSnapshots(dom, { timeout: undefined } as object)).resolves.toEqual([]);
});
