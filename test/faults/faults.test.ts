// The fault matrix: whatever dies, hangs, fills up or comes in between, at every step of every operation. In each cell, after at
// most one call that recovers, the guest lives and writes, its disks are sound, and nothing is too many or too few.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { listDiskSnapshots, type Recovery, recoverDiskSnapshots, snapshotDisks } from '../../lib';
import { FAULTS, runTo } from './faults';
import { expectAtPeace, expectNothingLeft, expectPayload, expectSound, writePayload } from './judge';
import { Laboratory } from './laboratory';
import { COLUMNS, type Column, isAfterCut, isBegun, ROWS, type Row, SLICE, whyNot } from './matrix';
import { type Report, RunningOperation } from './running';
import { HEAD, Table } from './table';

jest.setTimeout(120_000);
const IS_WHOLE = process.env.LIBVIRT_DISKSNAPSHOT_FAULTS === 'whole';

const table = new Table();
let lab: Laboratory | null = null;
/** A cell that breaks, or leaks, leaves who knows what behind: the next one gets a laboratory of its own. */
let isBroken = false;
beforeAll(() => {
  process.stdout.write(`\n${HEAD}`);
});
beforeEach(async () => {
  isBroken = true;
  lab ??= await Laboratory.start();
});
afterEach(async () => {
  if (isBroken) await closeLab();
});
afterAll(closeLab);
async function closeLab(): Promise<void> {
  const closing = lab;
  lab = null;
  await closing?.close();
}

describe.each(IS_WHOLE ? ROWS : [...new Set(Object.values(SLICE))])('$operation, $point', (row) => {
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
      const as = await tryCell(lab, row, column);
      table.set(row, column, { kind: 'holds', as });
      isBroken = mayLeak(row, column);
    });
  }
});

/** Returns what became of the operation, in a word. */
async function tryCell(lab: Laboratory, row: Row, column: Column): Promise<string> {
  const isDelete = row.operation.startsWith('delete');
  const isRevert = row.operation.startsWith('revert');
  const files = await lab.files();
  await lab.sh('rm -f /mnt/[ab]/since*');
  await writePayload(lab, 'before');
  if (isDelete || isRevert) {
    await takeSnapshot(lab, row);
    await writePayload(lab, 'since');
  }

  const fault = FAULTS[column];
  await fault.arm?.(lab, row);
  const running = RunningOperation.start(lab.daemon.uri, lab.guest.name, row.operation);
  try {
    await runTo(running, lab, row, column);
    await fault.strike(lab, running, row);
  } catch (error) {
    await running.kill();
    throw error;
  }
  const report = await running.ended;
  await fault.mend?.(lab, row);

  // The one call: a delete is taken to its end by the same delete.
  if (isDelete) for (const set of await listDiskSnapshots(lab.domain)) await set.delete();
  const recovery = isDelete ? null : await recoverDiskSnapshots(lab.domain);

  // A guest that a revert stopped runs again, whoever stopped it in the end.
  const isOff = column === 'QEMU killed' && !isRevert;
  await expectAtPeace(lab, running, isOff);
  const sets = await listDiskSnapshots(lab.domain);
  const expected = expectedSets(row, column, report);
  const isReverted = isRevert && (await cameBack(lab, row, report, recovery));
  if (expected !== null) expect({ report, sets: sets.length }).toEqual({ report, sets: expected });
  for (const { disks } of sets) expect(disks.map(({ state }) => state)).toEqual(['present', 'present']);
  if (sets.length === 0) await expectNothingLeft(lab, files);
  await expectSound(lab, sets, isOff, mayLeak(row, column));
  if (!isOff) await expectPayload(lab);

  for (const set of sets) await set.delete();
  if (sets.length > 0) await expectNothingLeft(lab, files);
  if (isOff) await lab.startGuest();
  if (isOff || sets.length > 0) await expectPayload(lab);
  if (row.operation === 'freeze') return 'thawed';
  if (isRevert) return isReverted ? 'reverted' : 'undone';
  return sets.length > 0 ? 'finished' : isDelete ? 'deleted' : 'undone';
}

/** Whether the guest is back at its snapshot; and it says itself what it finds on its disks. */
async function cameBack(lab: Laboratory, { point }: Row, report: Report, recovery: Recovery | null): Promise<boolean> {
  const came = report.ended === 'well' || (recovery?.finished.includes('cell') ?? false);
  if (report.ended === 'killed') expect(came).toBe(isBegun(point));
  const since = await lab.sh('ls /mnt/a/since /mnt/b/since 2>/dev/null || true');
  expect(since).toBe(came ? '' : '/mnt/a/since\n/mnt/b/since\n');
  return came;
}

async function takeSnapshot(lab: Laboratory, row: Row): Promise<void> {
  const disks = !row.operation.includes('mixed') ? 'all' : { vda: 'qemu', vdb: { method: 'qemu', mode: 'internal' } };
  await snapshotDisks(lab.domain, { name: 'cell', quiesce: 'never', disks });
}

const mayLeak = ({ operation }: Row, column: Column) => column === 'no space' && operation.endsWith('mixed');

/** How many snapshots there must be then; null where it is the agent's word that nobody heard that decides. */
function expectedSets({ operation, point }: Row, column: Column, report: Report): number | null {
  if (operation.startsWith('revert')) return 1;
  if (!operation.startsWith('snapshot')) return 0;
  if (column === 'driver forgets') return 0;
  if (report.ended === 'well') return 1;
  // Who survives tells the truth.
  if (report.ended === 'badly' && report.outcome === 'done') return 1;
  if (report.ended === 'badly' && ['unchanged', 'undone'].includes(report.outcome ?? '')) return 0;
  return column.startsWith('agent') ? null : Number(isAfterCut(point));
}
