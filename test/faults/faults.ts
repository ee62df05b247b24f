// What befalls an operation at a point, and how the world is put right afterwards: never the operation itself.
import { expect } from '@jest/globals';
import { DiskSnapshotError, findDiskSnapshot, quiesceStorage, snapshotDisks } from '../../lib';
import { agentFault } from './agent-fault';
import type { Fault } from './fault';
import type { Laboratory } from './laboratory';
import { type Column, notedAfter, type Row } from './matrix';
import type { RunningOperation } from './running';

export const FAULTS: Readonly<Record<Column, Fault>> = {
  'process killed': { strike: (_, running) => running.kill() },
  'libvirtd killed': {
    strike: async (lab, running) => {
      await lab.killDaemon();
      running.go();
      await lab.restartDaemon();
    },
  },
  'driver forgets': {
    strike: async (lab, running) => {
      await lab.killDaemon();
      running.go();
      await lab.keepsNotes();
      await lab.restartDaemon();
    },
  },
  'QEMU killed': {
    strike: async (lab, running) => {
      await lab.killQemu();
      running.go();
    },
  },
  'agent killed': agentFault('killall -KILL qemu-ga', 'start-agent'),
  'agent stopped': agentFault('killall -STOP qemu-ga', 'killall -CONT qemu-ga'),
  'no space': {
    strike: async (lab, running) => {
      await lab.space.fill();
      running.go();
    },
    mend: (lab) => lab.makeRoom(),
  },
  'second caller': {
    strike: async (lab, running, row) => {
      await secondCall(lab, row).finally(() => running.go());
    },
  },
  deadline: { strike: async (_, running) => running.go('deadline') },
};

/** The operation runs to the point, with what has to be prepared on the way. */
export async function runTo(running: RunningOperation, lab: Laboratory, row: Row, column: Column) {
  const { point } = row;
  const before = column === 'driver forgets' ? notedAfter(row) : null;
  if (before) {
    await running.runTo(before);
    if (before === 'delete.job-ready') await lab.hasNoted("state='ready'");
    await lab.losesNotes();
    const there = running.runTo(point);
    running.go();
    return there;
  }
  return running.runTo(point);
}

// ---- the second caller ----------------------------------------------------------------------------------------------

/** Is refused, and told so; or, where it comes between, has its turn. */
async function secondCall({ domain }: Laboratory, { operation }: Row): Promise<void> {
  if (operation.does === 'freeze') {
    const answer = await quiesceStorage(domain, { maxFreezeMs: 5_000 }).catch((error: unknown) => error);
    if (answer instanceof Error) expect(answer).toBeInstanceOf(DiskSnapshotError);
    else await (answer as Awaited<ReturnType<typeof quiesceStorage>>).unquiesce();
    return;
  }
  const call =
    operation.does === 'snapshot'
      ? snapshotDisks(domain, { name: 'second', quiesce: 'never' })
      : findDiskSnapshot(domain, 'cell').then((set) =>
          operation.does === 'revert' ? set?.revert({ force: true }) : set?.delete(),
        );
  await expect(call).rejects.toMatchObject({ code: 'OPERATION_IN_PROGRESS', outcome: 'unchanged' });
}
