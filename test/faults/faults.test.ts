// The fault matrix: whatever dies, hangs, fills up or comes in between, at every step of every operation. In each cell, after at
// most one call that recovers, the guest lives and writes, its disks are sound, and nothing is too many or too few.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  listDiskSnapshots,
  type Recovery,
  recoverDiskSnapshots,
  registerSnapshotMethod,
  snapshotDisks,
} from '../../lib';
import { mountFat, unmountFat } from './fat';
import { FAULTS, runTo } from './faults';
import { expectAtPeace, expectNothingLeft, expectPayload, expectSound, writePayload } from './judge';
import { Laboratory } from './laboratory';
import {
  COLUMNS,
  type Column,
  isBegun,
  isCommitted,
  isHeldUp,
  mustFinish,
  ROWS,
  type Row,
  SLICE,
  titleOf,
  whyNot,
} from './matrix';
import type { Operation } from './operations';
import { plugIn } from './plug-in';
import { type Report, RunningOperation } from './running';
import { makeSpare, readSpare, writeSpare } from './spare';
import { HEAD, Table } from './table';

jest.setTimeout(300_000);
const IS_WHOLE = process.env.LIBVIRT_DISKSNAPSHOT_FAULTS === 'whole';
/** Where nobody knows yet how long an operation takes to its point. */
const FIRST_ARRIVAL_MS = 3_000;

registerSnapshotMethod(plugIn); // in the process that recovers, as in the one that dies
const table = new Table();
/** How long it took to each point, at most, from the process's start. */
const arrivals = new Map<Row, number>();
let lab: Laboratory | null = null;
/** A cell that breaks, or leaks, leaves who knows what behind: the next one gets a laboratory of its own. */
let isBroken = false;
beforeAll(() => {
  process.stdout.write(`\n${HEAD}`);
});
afterEach(async () => {
  if (isBroken) await closeLab();
});
afterAll(async () => {
  process.stdout.write(table.totals);
  await closeLab();
});
async function closeLab(): Promise<void> {
  const closing = lab;
  lab = null;
  await closing?.close();
}

describe.each((IS_WHOLE ? ROWS : [...new Set(Object.values(SLICE))]).map((row) => [titleOf(row), row] as const))(
  '%s',
  (_, row) => {
    const { site, isOff } = row.operation;
    beforeEach(async () => {
      if (lab && lab.site !== site) await closeLab();
      isBroken = true;
      lab ??= await Laboratory.start(site);
    });
    afterAll(() => {
      process.stdout.write(table.line(row)); // while the next one runs
    });
    for (const column of COLUMNS) {
      if (!IS_WHOLE && SLICE[column] !== row) continue;
      const why = whyNot(row, column);
      if (why !== null) {
        table.set(row, column, { kind: 'senseless', why });
        continue;
      }
      test(column, async () => {
        table.set(row, column, { kind: 'broken' });
        if (!lab) throw new Error('no laboratory');
        await prepare(lab, isOff);
        const as = await tryCell(lab, row, column);
        table.set(row, column, { kind: 'holds', as });
        isBroken = mayLeak(row, column);
      });
    }
  },
);

async function prepare(lab: Laboratory, isOff: boolean): Promise<void> {
  if (isOff && (await lab.isOff())) return writeSpare(lab, BEFORE);
  await lab.bring('on');
  await unmountFat(lab);
  await lab.sh('rm -f /mnt/[ab]/since*');
  await writePayload(lab, 'before');
  if (!isOff) return;
  await makeSpare(lab);
  await lab.bring('off');
  await writeSpare(lab, BEFORE);
}

/** What fills the spare block of a guest that is off, at its snapshot and after it. */
const [BEFORE, SINCE] = [1, 2];

/** Returns what became of the operation, in a word. */
async function tryCell(lab: Laboratory, row: Row, column: Column): Promise<string> {
  const { operation } = row;
  const [isDelete, isRevert] = [operation.does === 'delete', operation.does === 'revert'];
  const files = await lab.files();
  if (isDelete || isRevert) {
    await snapshotDisks(lab.domain, { name: 'cell', quiesce: 'never', disks: operation.disks });
    await (operation.isOff ? writeSpare(lab, SINCE) : writePayload(lab, 'since'));
  }
  if (operation.hasFat) await mountFat(lab);

  const fault = FAULTS[column];
  await fault.arm?.(lab, row);
  const limit = column === 'deadline' ? Math.ceil(3 * (arrivals.get(row) ?? FIRST_ARRIVAL_MS)) : null;
  const started = performance.now();
  const running = RunningOperation.start(lab.daemon.uri, lab.guest.name, operation, limit);
  try {
    await runTo(running, lab, row, column);
    arrivals.set(row, Math.max(arrivals.get(row) ?? 0, performance.now() - started));
    await fault.strike(lab, running, row);
  } catch (error) {
    await running.kill();
    throw error;
  }
  const report = await running.ended;
  await fault.mend?.(lab, row);
  if (column === 'deadline') expectOverdue(row, report);

  // The one call: a delete is taken to its end by the same delete.
  if (isDelete) for (const set of await listDiskSnapshots(lab.domain)) await set.delete();
  const recovery = isDelete ? null : await recoverDiskSnapshots(lab.domain);

  // A guest that a revert stopped runs again, whoever stopped it in the end.
  const hasDied = column === 'QEMU killed' && !isRevert && !operation.isOff;
  const isOff = operation.isOff || hasDied;
  await expectAtPeace(lab, running, isOff);
  const sets = await listDiskSnapshots(lab.domain);
  const expected = expectedSets(row, column, report);
  const isReverted = isRevert && (await cameBack(lab, row, report, recovery));
  if (expected !== null) expect({ report, sets: sets.length }).toEqual({ report, sets: expected });
  for (const { disks } of sets) expect(disks.map(({ state }) => state)).toEqual(['present', 'present']);
  if (sets.length === 0) await expectNothingLeft(lab, files);
  await expectSound(lab, sets, { wasCut: hasDied, mayLeak: mayLeak(row, column) });
  if (!isOff) await expectPayload(lab);

  for (const set of sets) await set.delete();
  if (sets.length > 0) await expectNothingLeft(lab, files);
  if (operation.isOff) {
    const is = isDelete || (isRevert && !isReverted) ? SINCE : BEFORE;
    expect(await readSpare(lab)).toEqual([is, is]);
  }
  if (hasDied) await lab.startGuest();
  if (hasDied || (!isOff && sets.length > 0)) await expectPayload(lab);
  if (operation.does === 'freeze') return 'thawed';
  if (isRevert) return isReverted ? 'reverted' : 'undone';
  return sets.length > 0 ? 'finished' : isDelete ? 'deleted' : 'undone';
}

/** A call whose time is over ends as such where it can still be taken back; later it is finished, as if nothing had been. */
function expectOverdue(row: Row, report: Report): void {
  const ends = report.ended === 'badly' ? report.kind : report.ended;
  if (isHeldUp(row)) expect({ report, ends }).toEqual({ report, ends: mustFinish(row) ? 'well' : 'TimeoutError' });
  else expect(['well', 'TimeoutError']).toContain(ends);
}

/** Whether the guest is back at its snapshot; and it says itself what it finds on its disks. */
async function cameBack(lab: Laboratory, row: Row, report: Report, recovery: Recovery | null): Promise<boolean> {
  const came = report.ended === 'well' || (recovery?.finished.includes('cell') ?? false);
  if (report.ended === 'killed') expect(came).toBe(isBegun(row.point));
  if (row.operation.isOff) {
    expect(await readSpare(lab)).toEqual(came ? [BEFORE, BEFORE] : [SINCE, SINCE]);
    return came;
  }
  const since = await lab.sh('ls /mnt/a/since /mnt/b/since 2>/dev/null || true');
  expect(since).toBe(came ? '' : '/mnt/a/since\n/mnt/b/since\n');
  return came;
}

const holdsSnapshots = ({ disks }: Operation) => Object.values(disks).some((method) => typeof method !== 'string');
const mayLeak = ({ operation }: Row, column: Column) =>
  (column === 'no space' || column === 'QEMU killed') && holdsSnapshots(operation);

/** How many snapshots there must be then; null where it is the agent's word that nobody heard that decides. */
function expectedSets(row: Row, column: Column, report: Report): number | null {
  const { does } = row.operation;
  if (does === 'revert') return 1;
  if (does !== 'snapshot') return 0;
  if (column === 'driver forgets') return 0;
  if (report.ended === 'well') return 1;
  // Who survives tells the truth.
  if (report.ended === 'badly' && report.outcome === 'done') return 1;
  if (report.ended === 'badly' && ['unchanged', 'undone'].includes(report.outcome ?? '')) return 0;
  return column.startsWith('agent') ? null : Number(isCommitted(row));
}
