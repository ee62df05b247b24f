// What the LVM host's own tools say about an image or a volume there. It is only read.
import type { LvmHost } from './host';

export interface RemoteVerdict {
  /** As in `verifyConsistency` of lib/testing. */
  clean: boolean;
  needsRecovery: boolean;
  sound: boolean;
  /** Reads a file of its ext4, as a mount would show it; '' where there is none. */
  files: Readonly<Record<string, string>>;
}

const COPY = '/tmp/verdict.raw';

/** @param wanted paths in its file system */
export async function verdictOn(
  host: LvmHost,
  image: { source: string; format: string },
  wanted: readonly string[] = [],
): Promise<RemoteVerdict> {
  await host.run('qemu-img', 'convert', '-U', '-f', image.format, '-O', 'raw', image.source, COPY);
  const check = await host.exec(['e2fsck', '-fn', COPY]);
  const header = await host.run('dumpe2fs', '-h', COPY);
  await host.exec(['e2fsck', '-y', '-E', 'journal_only', COPY]);
  const afterwards = await host.exec(['e2fsck', '-fn', COPY]);
  const files: Record<string, string> = {};
  for (const path of wanted) files[path] = await host.run('debugfs', '-R', `cat ${path}`, COPY);
  await host.run('rm', COPY);
  return {
    clean: check.exitCode === 0 && !`${check.stderr}${check.stdout}`.includes('skipping journal recovery'),
    needsRecovery: /^Filesystem features:.*\bneeds_recovery\b/m.test(header),
    sound: afterwards.exitCode === 0,
    files,
  };
}
