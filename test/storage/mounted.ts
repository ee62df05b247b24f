// A real file system of its own, on a loop device.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../lib/testing/command';

export class Mounted implements AsyncDisposable {
  private constructor(
    readonly directory: string,
    private readonly image: string,
  ) {}

  /** @param options of mkfs */
  static async make(type: 'btrfs' | 'xfs' | 'ext4', root: string, options: readonly string[] = []): Promise<Mounted> {
    const name = [type, ...options].join('');
    const image = join(root, `${name}.img`);
    const directory = join(root, name);
    await mkdir(directory);
    await run('truncate', ['-s', '400M', image]);
    await run(`mkfs.${type}`, ['-q', ...options, image]);
    await run('mount', ['-o', 'loop', image, directory]);
    return new Mounted(directory, image);
  }

  /** As after a power failure. */
  async remount(): Promise<void> {
    await run('umount', [this.directory]);
    await run('mount', ['-o', 'loop', this.image, this.directory]);
  }

  async close(): Promise<void> {
    await run('umount', [this.directory]);
    await rm(this.image);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
