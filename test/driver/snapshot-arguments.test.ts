// Whatever disks, methods, flags and options a snapshot is asked with: a plan of exactly those disks, or a typed error; and nothing
// was touched. A failure names the seed and the path that repeat it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type Connection,
  connect,
  DiskSnapshotError,
  type Domain,
  diskSnapshotCreate,
  planSnapshot,
  type SnapshotPlan,
  snapshotDisks,
} from '../../lib';
import { installFaultHook } from '../../lib/disk-snapshot/fault-point';
import { isTrap } from './hostile-values';
import { type Images, oneDisk, planOptions, selections, snapshotOptions } from './snapshot-arguments';

const folder = mkdtempSync(join(tmpdir(), 'snapshot-arguments-'));
const pathOf = (target: string) => join(folder, `${target}.qcow2`);
const WRITABLE = ['vda', 'vdb', 'vdc'];
const images: Images = {
  writable: new Map(WRITABLE.map((target) => [target, pathOf(target)])),
  others: ['vdr', 'sda'],
};
const disk = (target: string, more = '') =>
  `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${pathOf(target)}'/><target dev='${target}' bus='virtio'/>${more}</disk>`;
const GUEST = `<domain type='test'><name>asked</name><memory>1024</memory><os><type>hvm</type></os><devices>
  ${WRITABLE.map((target) => disk(target)).join('')}${disk('vdr', '<readonly/>')}
  <disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk></devices></domain>`;

let conn: Connection;
let dom: Domain;
let steps: string[];
beforeAll(async () => {
  for (const target of [...WRITABLE, 'vdr']) execFileSync('qemu-img', ['create', '-qf', 'qcow2', pathOf(target), '1M']);
  conn = await connect('test:///default');
  dom = await conn.domainDefineXML(GUEST);
  installFaultHook((point) => void steps.push(point));
});
afterAll(async () => {
  installFaultHook(null);
  if (await dom.isActive()) await dom.destroy();
  await dom.undefine();
  await conn.close();
  rmSync(folder, { recursive: true });
});

/** The domain and its storage. libvirt keeps an empty element where metadata was. */
const world = async () => ({
  xml: (await dom.getXMLDesc()).replace(/\s*<metadata\/>/, ''),
  files: readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('base64')]),
});

/** What a call gave, or the error that it may reject with. */
async function outcomeOf<T>(call: () => Promise<T>): Promise<{ value: T } | { error: Error }> {
  const before = await world();
  steps = [];
  try {
    return { value: await call() };
  } catch (error) {
    if (error instanceof DiskSnapshotError) return { error };
    if ((error instanceof TypeError || error instanceof RangeError) && 'code' in error) return { error };
    if (isTrap(error)) return { error: error as Error };
    throw error;
  } finally {
    expect(await world()).toEqual(before);
  }
}

/** Refused before the first step. */
function expectRefusal(outcome: { value: unknown } | { error: Error }): void {
  expect(outcome).toHaveProperty('error');
  if ('error' in outcome && outcome.error instanceof DiskSnapshotError) expect(outcome.error.outcome).toBe('unchanged');
  expect(steps).toEqual([]);
}

function expectPlan(plan: SnapshotPlan, targets: readonly string[]): void {
  const planned = plan.disks.map((one) => one.disk);
  const refused = plan.problems.flatMap((problem) => problem.disk ?? []);
  expect(plan.ok).toBe(plan.problems.length === 0);
  if (plan.ok) expect(planned).toEqual(targets);
  expect(targets.filter((target) => planned.includes(target))).toEqual(planned);
  if (planned.length > 0) expect(new Set([...planned, ...refused])).toEqual(new Set(targets));
  expect(steps).toEqual([]);
}

test('a collection that is no list is named', async () => {
  const plan = (disks: unknown) => Reflect.apply(planSnapshot, null, [dom, { disks }]);
  await expect(plan(new Set(['vda']))).rejects.toThrow(/not a Set$/);
  await expect(plan(new Map([['vda', 'qemu']]))).rejects.toThrow(/not a Map$/);
});

const RUNS = { numRuns: 150 };

describe.each(['off', 'running'])('of a guest that is %s', (state) => {
  beforeAll(async () => {
    if (state === 'running') await dom.create();
  });

  test('planSnapshot plans exactly the disks that were selected, or refuses', async () => {
    const attempt = async ({ disks, targets }: { disks: unknown; targets: readonly string[] | null }, more: object) => {
      const outcome = await outcomeOf<SnapshotPlan>(() => Reflect.apply(planSnapshot, null, [dom, { ...more, disks }]));
      if (targets === null) return expectRefusal(outcome);
      if ('error' in outcome) throw outcome.error;
      expectPlan(outcome.value, targets);
    };
    await fc.assert(fc.asyncProperty(selections(images), fc.constantFrom({}, { strict: true }), attempt), RUNS);
  });

  test('planSnapshot refuses every wrong or misspelt option', async () => {
    const attempt = fc.asyncProperty(planOptions, async ({ options, isRight }) => {
      const outcome = await outcomeOf(() => Reflect.apply(planSnapshot, null, [dom, { disks: ['vda'], ...options }]));
      if (!isRight) return expectRefusal(outcome);
      if ('error' in outcome) throw outcome.error;
    });
    await fc.assert(attempt, RUNS);
  });

  // The test driver cuts nothing: what is right fails at the cut, and is taken back.
  test('snapshotDisks does nothing where anything is wrong, and takes back the rest', async () => {
    const attempt = fc.asyncProperty(selections(images), snapshotOptions, async ({ disks, targets }, asked) => {
      const outcome = await outcomeOf(() => Reflect.apply(snapshotDisks, null, [dom, { ...asked.options, disks }]));
      if (targets === null || !asked.isRight) expectRefusal(outcome);
      else expect(outcome).toHaveProperty('error.name', 'DiskSnapshotError');
    });
    await fc.assert(attempt, RUNS);
  });

  test('diskSnapshotCreate, too', async () => {
    const attempt = fc.asyncProperty(oneDisk(images), snapshotOptions, async (one, asked) => {
      const options = { ...asked.options, ...(one.method === undefined ? {} : { method: one.method }) };
      const outcome = await outcomeOf(() => Reflect.apply(diskSnapshotCreate, null, [dom, one.disk, options]));
      if (!asked.isRight || (!one.isRight && one.method !== undefined)) expectRefusal(outcome);
      else expect(outcome).toHaveProperty('error');
    });
    await fc.assert(attempt, RUNS);
  });
});
