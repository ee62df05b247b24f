import { Command } from 'commander';
import { type DiskSnapshotSet, type Domain, snapshotDisks } from '../../index';
import type { Frame } from '../action';
import { addCreationOptions, type CreationOptions, creationOptionsOf } from '../options';
import type { Session } from '../session';
import { describeSet } from '../set-text';

export const createCommand = (frame: Frame): Command =>
  addCreationOptions(new Command('create').argument('<guest>', 'name, UUID or id'))
    .summary('a snapshot of several disks at one instant: all of them, or none')
    .action(
      frame<[string], CreationOptions>(async (session, [named], options) => {
        const request = creationOptionsOf(options);
        const set = await createSnapshot(session, await session.guest(named), request);
        session.output.result(set, () => describeSet(session.output, set));
        return undefined;
      }),
    );

/** Also what was interrupted when the disks had switched already is taken back: the library finishes it first. */
export async function createSnapshot(
  session: Session,
  guest: Domain,
  options: ReturnType<typeof creationOptionsOf>,
): Promise<DiskSnapshotSet> {
  const name = guest.getName();
  session.begin({
    guest: name,
    leaves: `A snapshot of ${name} may be half made, and ${name} frozen for a moment more`,
  });
  const set = await snapshotDisks(guest, { ...options, ...session.operation });
  if (!session.signal.aborted) return set;
  await set.delete(session.cleanup);
  throw session.signal.reason;
}
