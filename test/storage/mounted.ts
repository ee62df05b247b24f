// A real file system of its own, on a loop device.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../lib/testing/command';

export class Mounted implements AsyncDisposable {
  private constructor(
    readonly directory: string,
    private readonly image: string,
  ) {}

  static async make(type: 'btrfs' | 'xfs', root: string): Promise<Mounted> {
    const image = join(root, `${type}.img`);
    const directory = join(root, type);
    await mkdir(directory);
    await run('truncate', ['-s', '400M', image]);
    await run(`mkfs.${type}`, ['-q', image]);
    await run('mount', ['-o', 'loop', image, directory]);
    return new Mounted(directory, image);
  }

  async close(): Promise<void> {
    await run('umount', [this.directory]);
    await rm(this.image);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
