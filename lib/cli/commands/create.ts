import { Command } from 'commander';
import { type DiskSnapshotSet, type Domain, type Progress, snapshotDisks } from '../../index';
import { recordTimeline } from '../../picture';
import type { Frame } from '../action';
import { addCreationOptions, type CreationOptions, creationOptionsOf } from '../options';
import { reportOption, reportTo } from '../report';
import type { Session } from '../session';
import { describeSet } from '../set-text';

export const createCommand = (frame: Frame): Command =>
  addCreationOptions(new Command('create').argument('<guest>', 'name, UUID or id'))
    .summary('a snapshot of several disks at one instant: all of them, or none')
    .addOption(reportOption())
    .action(
      frame<[string], CreationOptions & { report?: string }>(async (session, [named], options) => {
        const request = creationOptionsOf(options);
        const report = reportTo(options.report);
        const timeline = recordTimeline();
        const set = await createSnapshot(session, await session.guest(named), request, timeline.onProgress);
        await report(timeline.finish(set));
        session.output.result(set, () => describeSet(session.output, set));
        return undefined;
      }),
    );

/** Also what was interrupted when the disks had switched already is taken back: the library finishes it first. */
export async function createSnapshot(
  session: Session,
  guest: Domain,
  options: ReturnType<typeof creationOptionsOf>,
  listener: (progress: Progress) => void = () => {},
): Promise<DiskSnapshotSet> {
  const name = guest.getName();
  session.begin({
    guest: name,
    leaves: `A snapshot of ${name} may be half made, and ${name} frozen for a moment more`,
  });
  const { signal, onProgress } = session.operation;
  const both = (progress: Progress) => {
    listener(progress);
    onProgress?.(progress);
  };
  const set = await snapshotDisks(guest, { ...options, signal, onProgress: both });
  if (!signal.aborted) return set;
  await set.delete(session.cleanup);
  throw signal.reason;
}
