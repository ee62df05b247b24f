// The file system that an image of this machine lies on.
import { statfs } from 'node:fs/promises';

/** By the number that statfs(2) gives it; those that images are kept on. */
const NAMES: Readonly<Record<number, string>> = {
  16914836: 'tmpfs',
  18225520: 'GFS2',
  801189825: 'ZFS',
  1481003842: 'XFS',
  1702057286: 'FUSE',
  26985: 'NFS',
  2035054128: 'overlayfs',
  1952539503: 'OCFS2',
  2240043254: 'ramfs',
  2435016766: 'btrfs',
  12805120: 'CephFS',
  3393526350: 'bcachefs',
  61267: 'ext4',
  4076150800: 'F2FS',
  4266872130: 'SMB',
};

/** Its usual name, or its number where it has none here; null where we cannot look. */
export async function fileSystemOf(path: string): Promise<string | null> {
  const found = await statfs(path).catch(() => null);
  if (found === null) return null;
  const type = found.type >>> 0; // signed on some platforms
  return NAMES[type] ?? `file system 0x${type.toString(16)}`;
}
