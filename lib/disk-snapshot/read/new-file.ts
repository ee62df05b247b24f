// A file that has its name when it is complete, and not before: until then, where the file system can, it has none, and nothing
// is left of it when we are killed.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, link, lstat, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DiskSnapshotError, messageOf } from '../errors';
import { openNameless, pathOf } from '../nameless-file';
import { errno, fail } from '../system-error';
import { lastWords, spawnTool } from './tool';

/** What the system says where a file system, or an old kernel, knows no files without a name. */
const UNKNOWN: ReadonlySet<string> = new Set(['ENOTSUP', 'EISDIR', 'EINVAL', 'ENOSYS']);

const NO_RIGHT = 'give this user the right to write into that folder, or choose another';
const ADVICE = { ENOENT: 'make the folder first', EACCES: NO_RIGHT, EPERM: NO_RIGHT };

export class NewFile {
  private constructor(
    private readonly path: string,
    readonly handle: FileHandle,
    /** The name that it has for the time being, where it cannot be without. */
    private readonly temporary: string | null,
  ) {}

  /** @throws DiskSnapshotError FILE_EXISTS, NOT_FOUND, PERMISSION_DENIED, NO_SPACE, LIMIT_EXCEEDED … */
  static async at(path: string): Promise<NewFile> {
    if (await exists(path)) throw taken(path);
    try {
      return new NewFile(path, await openNameless(dirname(path)), null);
    } catch (error) {
      if (!UNKNOWN.has(errno(error))) failed('create', path, error);
    }
    const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
    const handle = await open(temporary, 'wx+', 0o600).catch((error: unknown) => failed('create', path, error));
    return new NewFile(path, handle, temporary);
  }

  /**
   * Gives it its name when all of it is on stable storage. A file that appeared there meanwhile stays.
   *
   * @throws DiskSnapshotError FILE_EXISTS
   */
  async publish(): Promise<void> {
    await this.handle.sync().catch((error: unknown) => failed('write', this.path, error));
    try {
      await this.#link();
    } catch (error) {
      if (await exists(this.path)) throw taken(this.path);
      throw new DiskSnapshotError('OPERATION_FAILED', `cannot name ${this.path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
    if (this.temporary !== null) await unlink(this.temporary).catch(() => {}); // a rename took it
  }

  async #link(): Promise<void> {
    if (this.temporary === null) return linkOpen(this.handle.fd, this.path);
    await link(this.temporary, this.path).catch((error: unknown) => {
      if (errno(error) !== 'EPERM' && errno(error) !== 'ENOTSUP') throw error;
      return rename(this.temporary ?? '', this.path); // a file system without hard links
    });
  }
}

/** What linkat(2) does with AT_SYMLINK_FOLLOW, for which Node has no call. */
async function linkOpen(descriptor: number, path: string): Promise<void> {
  const args = ['--logical', '--no-target-directory', '--', pathOf(3), path];
  const child = spawnTool('ln', args, { stdio: ['ignore', 'ignore', 'pipe', descriptor] });
  const failed = once(child, 'error').then(([error]) => Promise.reject(error));
  const said = await Promise.race([lastWords(child), failed]);
  if (child.exitCode !== 0) throw new Error(said.trim());
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    return errno(error) === 'ENOENT' ? false : failed('create', path, error);
  }
}

const failed = (what: string, path: string, error: unknown): never => fail(what, path, error, ADVICE);

const taken = (path: string) =>
  new DiskSnapshotError('FILE_EXISTS', `${path} exists: choose another name, or move the file away`);
