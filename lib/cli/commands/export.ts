import { pipeline } from 'node:stream/promises';
import { Command, Option } from 'commander';
import type { DiskSnapshot } from '../../index';
import type { Frame } from '../action';
import { disksOf } from '../chosen-disks';
import { exportAll, type Format, listFiles, placesFor } from '../export-files';
import { usageError } from '../failure';
import { addDiskOption } from '../options';
import type { Session } from '../session';

export const formatOption = () =>
  new Option('--format <format>', 'of the new files').choices(['qcow2', 'raw']).default('qcow2');

interface Options {
  disk?: string[];
  format: Format;
}

export const exportCommand = (frame: Frame): Command =>
  addDiskOption(new Command('export'))
    .summary('a snapshot as files of its own: what the guest saw at that moment')
    .argument('<guest>', 'name, UUID or id')
    .argument('<snapshot>', 'its name')
    .argument('<path>', 'a folder; for one disk also a new file, or - for its raw bytes on stdout')
    .addOption(formatOption())
    .action(
      frame<[string, string, string], Options>(async (session, [named, name, path], { disk, format }) => {
        const set = await session.snapshot(await session.guest(named), name);
        const disks = disksOf(set, disk);
        if (path === '-') return writeToStdout(session, disks);
        const files = await placesFor(path, disks, format);
        session.begin({
          guest: set.guest,
          leaves: `Hidden files .${name}… with part of a disk may lie beside ${path}`,
        });
        await exportAll(session, disks, files);
        session.output.result({ guest: set.guest, snapshot: name, files }, () => listFiles(session.output, files));
        return undefined;
      }),
    );

async function writeToStdout({ world, output, signal }: Session, disks: readonly DiskSnapshot[]): Promise<undefined> {
  const [only, second] = disks;
  if (!only || second) throw usageError('one disk alone goes to stdout: name it with --disk');
  if (output.json) throw usageError('--json and the bytes of a disk cannot both go to stdout');
  if (world.stdout.isTTY) throw usageError('the bytes of a disk do not belong on a terminal: redirect stdout');
  await pipeline(only.read({ signal }), world.stdout, { signal, end: false });
  return undefined;
}
