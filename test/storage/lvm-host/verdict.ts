// What an LVM host's own tools say about an image or a volume there. It is only read.
import type { LvmHost } from './host';

export interface HostVerdict {
  /** As in `verifyConsistency` of lib/testing. */
  clean: boolean;
  needsRecovery: boolean;
  sound: boolean;
  /** Reads a file of its ext4, as a mount would show it; '' where there is none. */
  files: Readonly<Record<string, string>>;
}

/** @param wanted paths in its file system */
export async function verdictOn(
  host: LvmHost,
  image: { source: string; format: string },
  wanted: readonly string[] = [],
): Promise<HostVerdict> {
  const copy = `${host.folder}/verdict.raw`;
  await host.run('qemu-img', 'convert', '-U', '-f', image.format, '-O', 'raw', image.source, copy);
  const check = await host.exec(['e2fsck', '-fn', copy]);
  const header = await host.run('dumpe2fs', '-h', copy);
  await host.exec(['e2fsck', '-y', '-E', 'journal_only', copy]);
  const afterwards = await host.exec(['e2fsck', '-fn', copy]);
  const files: Record<string, string> = {};
  for (const path of wanted) files[path] = await host.run('debugfs', '-R', `cat ${path}`, copy);
  await host.run('rm', copy);
  return {
    clean: check.exitCode === 0 && !`${check.stderr}${check.stdout}`.includes('skipping journal recovery'),
    needsRecovery: /^Filesystem features:.*\bneeds_recovery\b/m.test(header),
    sound: afterwards.exitCode === 0,
    files,
  };
}
