import { Command } from 'commander';
import { planSnapshot, type SnapshotPlan } from '../../index';
import type { Frame } from '../action';
import { EXIT } from '../exit-codes';
import { formatBytes } from '../format';
import { addSnapshotOptions, planOptionsOf, type SnapshotOptions } from '../options';
import type { Cell, Output } from '../output';
import { reportOption, reportTo } from '../report';
import { consistencyCell } from '../set-text';

export const planCommand = (frame: Frame): Command =>
  addSnapshotOptions(new Command('plan').argument('<guest>', 'name, UUID or id'))
    .summary('what create would do, and all that stands against it; touches nothing')
    .addOption(reportOption())
    .action(
      frame<[string], SnapshotOptions & { report?: string }>(async (session, [named], options) => {
        const request = planOptionsOf(options);
        const report = reportTo(options.report);
        const guest = await session.guest(named);
        const plan = await planSnapshot(guest, { ...request, signal: session.signal });
        await report(plan);
        session.output.result(plan, () => describe(session.output, plan));
        return plan.ok ? EXIT.DONE : EXIT.FINDINGS;
      }),
    );

function describe(output: Output, plan: SnapshotPlan): string {
  const problems = plan.problems.map(({ code, message }): Cell[] => [{ text: code, colour: 'red' }, message]);
  const disks = plan.disks.map((disk): Cell[] => [
    disk.disk,
    disk.method,
    disk.creates.join(', '),
    formatBytes(disk.bytes),
    disk.because,
  ]);
  const steps = plan.steps.map(({ phase, disk = '', what }): Cell[] => [phase, disk, what]);
  return [
    plan.ok ? output.columns([['Consistency', consistencyCell(plan)]]) : output.columns(problems),
    ...(disks.length === 0 ? [] : [output.table(['Disk', 'Method', 'Makes', 'Needs', 'Because'], disks)]),
    ...(plan.ok ? [output.table(['Step', 'Disk', 'What'], steps)] : []),
  ].join('\n\n');
}
