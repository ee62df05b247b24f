// Image files that we can reach ourselves: qemu-img for the format, the file system for the rest.
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, type FileHandle, lstat, open, stat, statfs, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { CallOptions } from '../../libvirt/options';
import { DiskSnapshotError } from '../errors';
import { errno, fail } from '../system-error';
import type { ImageInfo, Images, NewOverlay } from './image';

const run = promisify(execFile);

/** A storage that does not answer must not hold a caller for ever who gave no limit of its own. */
const DEFAULT_TIMEOUT_MS = 60_000;

export class LocalImages implements Images {
  readonly through = 'this process';

  async inspect(path: string, options: CallOptions & { format?: string | undefined } = {}): Promise<ImageInfo | null> {
    // Not followed: a link that leads nowhere is something all the same, and qemu-img says what is wrong with it.
    const found = await absentIsNull(lstat(path), path, 'read');
    if (found === null) return null;
    const format = options.format === undefined ? [] : ['-f', options.format];
    // -U: a guest may be writing to the image. What is read here, a snapshot of it does not change.
    const { stdout } = await qemuImg(['info', '-U', '--output=json', ...format, path], path, options);
    return readInfo(JSON.parse(stdout) as QemuImgInfo, found.size);
  }

  async createOverlay({ path, backing, virtualSize }: NewOverlay, options: CallOptions = {}): Promise<void> {
    // Owning the name first makes overwriting impossible, however many callers try; qemu-img then fills our own file.
    const file = await open(path, 'wx', 0o600).catch((e: unknown) => fail('create', path, e));
    try {
      const base = ['-o', 'compat=1.1', '-b', backing.path, '-F', backing.format];
      // -u: the base is locked by the guest that writes to it, and need not be opened to be named.
      await qemuImg(['create', '-q', '-u', '-f', 'qcow2', ...base, path, String(virtualSize)], path, options);
      await giveToOwnerOf(backing.path, file, path);
      await file.sync();
      await syncFolder(dirname(path));
    } catch (e) {
      await unlink(path).catch(() => {
        // The first error says why; a file that cannot be deleted now is found by its intent record.
      });
      throw e;
    } finally {
      await file.close();
    }
  }

  async remove(path: string): Promise<void> {
    const found = await absentIsNull(lstat(path), path, 'delete');
    if (found === null) return;
    if (!found.isFile()) {
      throw new DiskSnapshotError('INVALID_ARGUMENT', `${path} is not a regular file, so it was not deleted`);
    }
    await absentIsNull(unlink(path), path, 'delete');
    await syncFolder(dirname(path));
  }

  async folderExists(folder: string): Promise<boolean> {
    return (await absentIsNull(stat(folder), folder, 'read'))?.isDirectory() ?? false;
  }

  async freeSpace(folder: string): Promise<number | null> {
    const found = await absentIsNull(statfs(folder), folder, 'read');
    return found && found.bavail * found.bsize;
  }

  async close(): Promise<void> {
    // Nothing is held between calls.
  }
}

/** Whether we could work in this folder. One that does not exist is ours to say so. */
export async function localFolder(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (e) {
    if (errno(e) !== 'ENOENT') return false;
  }
  qemuImgFound ||= await run('qemu-img', ['--version']).then(
    () => true,
    () => false,
  );
  return qemuImgFound;
}

/** Looked for again while it is missing, as it may be installed meanwhile. */
let qemuImgFound = false;

interface QemuImgInfo {
  format: string;
  'virtual-size': number;
  'actual-size'?: number;
  'full-backing-filename'?: string;
  'backing-filename'?: string;
  'backing-filename-format'?: string;
  'dirty-flag'?: boolean;
  snapshots?: { name: string }[];
  'format-specific'?: { data?: { corrupt?: boolean } };
}

function readInfo(info: QemuImgInfo, length: number): ImageInfo {
  const below = info['full-backing-filename'] ?? info['backing-filename'];
  return {
    format: info.format,
    virtualSize: info['virtual-size'],
    actualSize: info['actual-size'] ?? 0,
    length,
    backing: below === undefined ? null : { path: below, format: info['backing-filename-format'] ?? null },
    internalSnapshots: (info.snapshots ?? []).map((s) => s.name),
    damaged: info['dirty-flag'] === true || info['format-specific']?.data?.corrupt === true,
  };
}

async function qemuImg(args: readonly string[], path: string, { signal, timeoutMs = DEFAULT_TIMEOUT_MS }: CallOptions) {
  const limit = AbortSignal.timeout(timeoutMs);
  const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  try {
    return await run('qemu-img', [...args], {
      signal: either,
      killSignal: 'SIGKILL',
      env: { ...process.env, LC_ALL: 'C' },
      maxBuffer: 16 * 1024 * 1024,
    });
  } catch (e) {
    if (either.aborted) throw either.reason;
    const said = (e as { stderr?: string }).stderr?.trim() || (e as Error).message;
    const code = /No space left|quota exceeded/i.test(said)
      ? 'NO_SPACE'
      : /Permission denied/i.test(said)
        ? 'PERMISSION_DENIED'
        : 'OPERATION_FAILED';
    throw new DiskSnapshotError(code, `qemu-img ${args[0]} of ${path} failed: ${said}`, { cause: e });
  }
}

/** QEMU that may open the base may open the overlay: same owner, same mode, but writable and never executable. */
async function giveToOwnerOf(base: string, file: FileHandle, path: string): Promise<void> {
  const { uid, gid, mode } = await stat(base).catch((e: unknown) => fail('read', base, e));
  await file.chown(uid, gid).catch((e: unknown) => {
    // A user who is not root cannot give files away. libvirt does it where it runs QEMU as another user.
    if (errno(e) !== 'EPERM') fail('set the owner of', path, e);
  });
  await file.chmod((mode & 0o664) | 0o600).catch((e: unknown) => fail('set the mode of', path, e));
}

/** A name is only safe from a power failure when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch((e: unknown) => fail('open', folder, e));
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function absentIsNull<T>(pending: Promise<T>, path: string, what: string): Promise<T | null> {
  try {
    return await pending;
  } catch (e) {
    return errno(e) === 'ENOENT' ? null : fail(what, path, e);
  }
}
