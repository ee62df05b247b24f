// One operation per domain at a time: of several that come at once at most one works, and a dead owner holds nobody up.
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Connection, connect, type Domain } from '../../lib';
import { withClaim } from '../../lib/disk-snapshot/records/claim';
import { readJournal, removeRecord, writeRecord } from '../../lib/disk-snapshot/records/journal';
import { thisProcess } from '../../lib/disk-snapshot/records/process';
import type { ClaimRecord } from '../../lib/disk-snapshot/records/record';

jest.setTimeout(60_000);
let connections: Connection[];
let domains: Domain[];
beforeAll(async () => {
  connections = await Promise.all([1, 2, 3].map(() => connect('test:///default')));
  domains = await Promise.all(connections.map((conn) => conn.domainLookupByName('test')));
});
afterAll(() => Promise.all(connections.map((conn) => conn.close())));

const [first, second] = [() => domains[0] as Domain, () => domains[1] as Domain];
const claims = async () => (await readJournal(first())).claims;

function foreign(over: Partial<ClaimRecord>): ClaimRecord {
  return {
    version: 1,
    id: 'foreign',
    what: 'snapshot',
    host: 'elsewhere',
    boot: 'b',
    pid: 1,
    started: '1',
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
    ...over,
  };
}

test('of three that come at once, never two are at work, in sixty rounds', async () => {
  let inside = 0;
  let most = 0;
  let worked = 0;
  for (let round = 0; round < 60; round++) {
    const ended = await Promise.allSettled(
      domains.map((domain) =>
        withClaim(domain, 'test', {}, async () => {
          most = Math.max(most, ++inside);
          await domain.getXMLDesc();
          inside--;
          worked++;
        }),
      ),
    );
    for (const one of ended) {
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'OPERATION_IN_PROGRESS' });
    }
  }
  expect(most).toBe(1);
  expect(worked).toBeGreaterThan(0);
  expect(await claims()).toEqual([]);
});

test('while one works, another is told who it is, and nothing is changed', async () => {
  await withClaim(first(), 'backup', {}, async () => {
    await expect(withClaim(second(), 'test', {}, async () => 0)).rejects.toMatchObject({
      code: 'OPERATION_IN_PROGRESS',
      outcome: 'unchanged',
      message: expect.stringContaining(`process ${process.pid}`),
    });
    expect(await claims()).toHaveLength(1);
  });
});

test('a claim is given back also when the work fails', async () => {
  const failure = new Error('on purpose');
  await expect(withClaim(first(), 'test', {}, () => Promise.reject(failure))).rejects.toBe(failure);
  expect(await claims()).toEqual([]);
});

test('the claim of a process that has died is swept', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '0']);
  await writeRecord(first(), 'claim', foreign({ ...thisProcess(), pid, started: '12345' }));
  expect(await withClaim(second(), 'test', {}, async () => 'done')).toBe('done');
  expect(await claims()).toEqual([]);
});

test.each([
  ['host', 'f3a1c2d4-0000-4000-8000-000000000000-4026531836'],
  ['container', thisProcess().boot.replace(/\d+$/, '4026532999')],
])(
  'a %s of the same name may have a process there that is not one of ours: it is not taken for dead',
  async (_, boot) => {
    await writeRecord(first(), 'claim', foreign({ ...thisProcess(), boot, pid: 4_000_000, started: '1' }));
    await expect(withClaim(second(), 'test', {}, async () => 0)).rejects.toMatchObject({
      code: 'OPERATION_IN_PROGRESS',
    });
    expect(await claims()).toHaveLength(1);
    await removeRecord(first(), 'claim', 'foreign');
  },
);

test('a process that stood still for longer than its claim holds does nothing that cannot be taken back', async () => {
  const { now } = Date;
  await withClaim(first(), 'test', {}, async (claim) => {
    claim.check();
    Date.now = () => now() + 61_000;
    expect(() => claim.check()).toThrow(
      expect.objectContaining({ code: 'OPERATION_IN_PROGRESS', outcome: 'unchanged' }),
    );
  }).finally(() => {
    Date.now = now;
  });
});

test('the claim of another host holds until its lease is long over', async () => {
  await writeRecord(first(), 'claim', foreign({}));
  await expect(withClaim(second(), 'test', {}, async () => 0)).rejects.toMatchObject({ code: 'OPERATION_IN_PROGRESS' });
  await writeRecord(first(), 'claim', foreign({ expiresAt: new Date(Date.now() - 600_000).toISOString() }));
  expect(await withClaim(second(), 'test', {}, async () => 'done')).toBe('done');
  await removeRecord(first(), 'claim', 'foreign');
});
