// Every bound function with arguments that nobody should give: a TypeError, a RangeError or a LibvirtError; never a crash,
// never a hang. The guest is one of the test driver's, and a new one for each function.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  connect,
  Domain,
  type DomainSnapshot,
  LibvirtError,
  type StoragePool,
  type StorageVol,
} from '../../lib/libvirt';
import { memberName } from '../../lib/libvirt/member-name';
import { native } from '../../lib/native';

// Some functions write files, and a hostile string is a relative path.
const home = process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
beforeAll(() => process.chdir(folder));
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

const HOSTILE: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 31,
  2 ** 53,
  -(2n ** 63n) - 1n,
  2n ** 64n,
  '',
  '\0',
  '\ud800',
  'x'.repeat(100_000),
  '<domain/>',
  Symbol('s'),
  () => {},
  {},
  { flags: 'x' },
  { toString: null },
  Object.create(null),
  new Proxy({}, { get: () => 1 }),
  new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('trap');
      },
    },
  ),
  [],
  [null],
  ['a\0'],
  [[[]]],
  new Array(1000).fill('x'),
  new Uint8Array(16),
  new Uint8Array(15),
  new Date(),
  Object.create(Domain.prototype),
  new Error('x'),
];

/** A small generator of its own, so that a failure can be repeated. */
function* choices(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state;
  }
}

/** What ends the guest or the pool is fine; what stops this very test is not: these block by design. */
const attempts = 40;

test.each(native.functions.map((line, i) => [line.name, line, i] as const))('%s', async (name, line, seed) => {
  await using connection = await connect('test:///default');
  const domain = await connection.domainCreateXML(
    "<domain type='test'><name>victim</name><memory>1024</memory><os><type>hvm</type></os></domain>",
  );
  const snapshot: DomainSnapshot = await domain.snapshotCreateXML('<domainsnapshot/>');
  const pool: StoragePool = await connection.storagePoolLookupByName('default-pool');
  const volume: StorageVol = await pool.storageVolCreateXML('<volume><name>v</name><capacity>1024</capacity></volume>');
  const receivers: Record<string, unknown> = {
    Connection: connection,
    Domain: domain,
    DomainSnapshot: snapshot,
    StoragePool: pool,
    StorageVol: volume,
  };
  const receiver = receivers[line.receiver] as Record<string, (...args: unknown[]) => unknown>;
  const values = [...HOSTILE, ...Object.values(receivers)];
  const random = choices(seed + 1);
  for (let i = 0; i < attempts; i++) {
    const args = Array.from({ length: line.positions.length + 1 }, () => values[random.next().value % values.length]);
    try {
      await receiver[memberName(name, line.receiver)]?.(...args);
    } catch (error) {
      const expected =
        error instanceof TypeError ||
        error instanceof RangeError ||
        error instanceof LibvirtError ||
        (error instanceof Error && error.message === 'trap');
      if (!expected) throw error;
    }
  }
  await volume.delete().catch(() => {});
  await pool.create().catch(() => {});
  await domain.destroy().catch(() => {});
  expect(await connection.isAlive()).toBe(true);
});
