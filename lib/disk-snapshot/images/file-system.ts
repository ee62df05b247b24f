// The file system that an image of this machine lies on.
import { statfs } from 'node:fs/promises';

/** By the number that statfs(2) gives it (linux/magic.h); those that images are kept on. */
const NAMES: Readonly<Record<number, string>> = {
  61267: 'ext4',
  1481003842: 'XFS',
  2435016766: 'btrfs',
  3393526350: 'bcachefs',
  4076150800: 'F2FS',
  801189825: 'ZFS',
  18225520: 'GFS2',
  1952539503: 'OCFS2',
  26985: 'NFS',
  4266872130: 'SMB',
  12805120: 'CephFS',
  1702057286: 'FUSE',
  2035054128: 'overlayfs',
  16914836: 'tmpfs',
  2240043254: 'ramfs',
};

/** Its usual name, or its number where it has none here; null where we cannot look. */
export async function fileSystemOf(path: string): Promise<string | null> {
  const found = await statfs(path).catch(() => null);
  if (found === null) return null;
  const type = found.type >>> 0; // signed on some platforms
  return NAMES[type] ?? `file system 0x${type.toString(16)}`;
}
