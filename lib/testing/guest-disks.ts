// The guest's disks: small ext4 images, made once per size and format, then copied for each guest.
import { constants } from 'node:fs';
import { copyFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type OptionNames, refuseUnknown } from '../libvirt/options';
import { cachedDirectory } from './cache';
import { run } from './command';

/** One disk of a test guest. */
export interface GuestDisk {
  /** Default `'qcow2'`. A guest with a raw disk has no `restore()` in place: it boots anew. */
  format?: 'qcow2' | 'raw';
  /** Default 64, or as large as `image`. */
  sizeMiB?: number;
  /** `'block'`: a loop device, which needs root. `'cdrom'`: empty, read-only, not mounted. Default `'file'`. */
  type?: 'file' | 'block' | 'cdrom';
  /** Where the file lies. Default: the guest's own folder. */
  directory?: string;
  /** False: no file system on it. Default true; an `image` holds what it holds. */
  ext4?: boolean;
  /** An image of your own, of any format of qemu-img: it is only read, a qcow2 disk is a layer over it. */
  image?: string;
}

const DISK_OPTIONS: OptionNames<GuestDisk> = {
  format: true,
  sizeMiB: true,
  type: true,
  directory: true,
  ext4: true,
  image: true,
};

/** A disk as the domain XML needs it. */
export interface PreparedDisk {
  type: 'file' | 'block';
  device: 'disk' | 'cdrom';
  format: 'qcow2' | 'raw';
  /** The file, or the loop device. */
  source: string;
  /** The image file. */
  file: string;
  target: string;
}

/** Makes the images in `directory`, or in the folder that a disk names. */
export async function createDisks(
  wanted: readonly GuestDisk[],
  directory: string,
  name: string,
): Promise<PreparedDisk[]> {
  for (const disk of wanted) refuseUnknown(disk, DISK_OPTIONS, 'a disk of TestGuest.boot');
  const disks: PreparedDisk[] = [];
  try {
    for (const disk of wanted)
      disks.push(await createDisk(disk, targetOf(disk, disks), disk.directory ?? directory, name));
    return disks;
  } catch (error) {
    await removeDisks(disks);
    throw error;
  }
}

/** Detaches loop devices and removes the images. */
export async function removeDisks(disks: readonly PreparedDisk[]): Promise<void> {
  for (const disk of disks) {
    if (disk.type === 'block') await run('losetup', ['--detach', disk.source]);
    await rm(disk.file, { force: true });
  }
}

/** vda, vdb, … and, on their own bus, sda, sdb, … for the CD drives. */
function targetOf(disk: GuestDisk, before: readonly PreparedDisk[]): string {
  const prefix = disk.type === 'cdrom' ? 'sd' : 'vd';
  const index = before.filter((other) => other.target.startsWith(prefix)).length;
  return prefix + String.fromCharCode('a'.charCodeAt(0) + index);
}

async function createDisk(disk: GuestDisk, target: string, directory: string, name: string): Promise<PreparedDisk> {
  const { type = 'file', sizeMiB = 64, ext4 = type !== 'cdrom' } = disk;
  const format = type === 'cdrom' ? 'raw' : (disk.format ?? 'qcow2');
  const file = join(directory, `${name}-${target}.${format === 'raw' ? 'img' : format}`);
  if (disk.image === undefined) {
    const exclusive = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE;
    await copyFile(await pristineImage(format, sizeMiB, ext4), file, exclusive);
  } else {
    await takeImage(disk.image, format, disk.sizeMiB, file);
  }
  const device = type === 'cdrom' ? 'cdrom' : 'disk';
  if (type !== 'block') return { type: 'file', device, format, source: file, file, target };
  // A qcow2 image grows in a file; a device must have the room from the start, for saved states too. It stays a hole.
  await truncate(file, (sizeMiB + 1024) * 1024 * 1024);
  const { stdout } = await run('losetup', ['--find', '--show', file]);
  return { type: 'block', device, format, source: stdout.trim(), file, target };
}

async function takeImage(image: string, format: 'qcow2' | 'raw', sizeMiB: number | undefined, file: string) {
  const { stdout } = await run('qemu-img', ['info', '--output=json', '--', image]);
  const base = JSON.parse(stdout) as { format: string };
  if (format === 'raw') {
    await run('qemu-img', ['convert', '-f', base.format, '-O', 'raw', image, file]);
    if (sizeMiB !== undefined) await run('qemu-img', ['resize', '-q', '-f', 'raw', file, `${sizeMiB}M`]);
    return;
  }
  const size = sizeMiB === undefined ? [] : [`${sizeMiB}M`];
  const backing = ['-F', base.format, '-b', resolve(image)];
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', ...backing, file, ...size]);
}

async function pristineImage(format: 'qcow2' | 'raw', sizeMiB: number, ext4: boolean): Promise<string> {
  const directory = await cachedDirectory(`disk-${sizeMiB}m-${ext4 ? 'ext4' : 'empty'}`, async (folder) => {
    const raw = join(folder, 'disk.raw');
    await writeFile(raw, '');
    await truncate(raw, sizeMiB * 1024 * 1024);
    // Lazy initialisation would go on writing in the guest, in the middle of what a test measures.
    const eager = 'lazy_itable_init=0,lazy_journal_init=0';
    if (ext4) await run('mke2fs', ['-q', '-t', 'ext4', '-E', eager, raw]);
    await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, join(folder, 'disk.qcow2')]);
  });
  return join(directory, `disk.${format}`);
}
