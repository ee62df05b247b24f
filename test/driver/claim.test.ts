// One operation per domain at a time: of several that come at once at most one works, and a dead owner holds nobody up.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Connection, connect, type Domain } from '../../lib';
import { withClaim } from '../../lib/disk-snapshot/records/claim';
import { readJournal, removeRecord, writeRecord } from '../../lib/disk-snapshot/records/journal';
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
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  await writeRecord(first(), 'claim', foreign({ host: hostname(), boot, pid, started: '12345' }));
  expect(await withClaim(second(), 'test', {}, async () => 'done')).toBe('done');
  expect(await claims()).toEqual([]);
});

test('the claim of another host holds until its lease is long over', async () => {
  await writeRecord(first(), 'claim', foreign({}));
  await expect(withClaim(second(), 'test', {}, async () => 0)).rejects.toMatchObject({ code: 'OPERATION_IN_PROGRESS' });
  await writeRecord(first(), 'claim', foreign({ expiresAt: new Date(Date.now() - 600_000).toISOString() }));
  expect(await withClaim(second(), 'test', {}, async () => 'done')).toBe('done');
  await removeRecord(first(), 'claim', 'foreign');
});
