// What others say about an image: qemu-img reads it, e2fsprogs judge the file system in it. Nothing of ours takes part.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command';
import { temporaryDirectory } from './scratch';

/** What others say of an image's file system. */
export interface ImageVerdict {
  /** `e2fsck -fn` found nothing to do, not even a journal to replay. */
  clean: boolean;
  /** `dumpe2fs -h` lists `needs_recovery`: the file system was in use when the image was cut. */
  needsRecovery: boolean;
  /** After the journal was replayed, as a mount does, `e2fsck -fn` found no error. True of every honest cut. */
  sound: boolean;
  /** What e2fsck said at first: its version, then its findings. */
  output: string;
}

/** The verdict on an ext4 image of any format, with its backing chain. The image is only read. */
export function verifyConsistency(image: string): Promise<ImageVerdict> {
  return withRawCopy(image, async (raw) => {
    const check = await run('e2fsck', ['-fn', raw], { accept: [0, 1, 4, 8, 12] });
    const { stdout: header } = await run('dumpe2fs', ['-h', raw]);
    await replayJournal(raw);
    const afterwards = await run('e2fsck', ['-fn', raw], { accept: [0, 1, 4, 8, 12] });
    const output = `${check.stderr}${check.stdout}`;
    return {
      clean: check.exitCode === 0 && !output.includes('skipping journal recovery'),
      needsRecovery: /^Filesystem features:.*\bneeds_recovery\b/m.test(header),
      sound: afterwards.exitCode === 0,
      output,
    };
  });
}

/** The content of one file in an ext4 image, as a mount would show it. Rejects where there is no such file. */
export function readFileFromImage(image: string, path: string): Promise<string> {
  return withRawCopy(image, async (raw) => {
    await replayJournal(raw);
    const { stdout, stderr } = await run('debugfs', ['-R', `cat "${path}"`, raw]);
    if (stderr.includes('File not found')) throw new Error(`${image} holds no file ${path}`);
    return stdout;
  });
}

async function replayJournal(raw: string): Promise<void> {
  await run('e2fsck', ['-y', '-E', 'journal_only', raw], { accept: [0, 1] });
}

async function withRawCopy<T>(image: string, use: (raw: string) => Promise<T>): Promise<T> {
  const directory = await temporaryDirectory('check');
  try {
    const raw = join(directory, 'disk.raw');
    await run('qemu-img', ['convert', '-O', 'raw', image, raw]);
    return await use(raw);
  } finally {
    await rm(directory, { recursive: true });
  }
}
