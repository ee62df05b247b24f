import { resolve } from 'node:path';
import { Command } from 'commander';
import type { DiskSnapshotSet } from '../../index';
import type { Frame } from '../action';
import { exportAll, type Format, isFolder, listFiles, placesFor } from '../export-files';
import { usageError } from '../failure';
import { addCreationOptions, type CreationOptions, creationOptionsOf } from '../options';
import type { Session } from '../session';
import { createSnapshot } from './create';
import { formatOption } from './export';

export const backupCommand = (frame: Frame): Command =>
  addCreationOptions(new Command('backup').argument('<guest>', 'name, UUID or id'))
    .argument('<folder>', 'for the new files GUEST-SNAPSHOT-DISK.FORMAT')
    .summary('snapshot, export, delete the snapshot, whatever happens')
    .addOption(formatOption())
    .action(
      frame<[string, string], CreationOptions & { format: Format }>(async (session, [named, folder], options) => {
        const request = creationOptionsOf(options);
        if (!(await isFolder(resolve(folder)))) throw usageError(`${folder} is no folder`);
        const set = await createSnapshot(session, await session.guest(named), request);
        const files = await exportAndDelete(session, set, folder, options.format);
        session.output.result({ snapshot: set, files }, () => listFiles(session.output, files));
        return undefined;
      }),
    );

async function exportAndDelete(session: Session, set: DiskSnapshotSet, folder: string, format: Format) {
  const { guest, name } = set;
  session.begin({
    guest,
    leaves: `The snapshot ${name} of ${guest} is still there, and hidden files .${guest}-${name}-…`,
  });
  try {
    const files = await placesFor(folder, set.disks, format);
    await exportAll(session, set.disks, files);
    return files;
  } finally {
    await set.delete(session.cleanup); // without the signal: that is what an interrupt asks for
  }
}
