// The vendor's storage in small: a folder of volumes, `ID.img`, and of their snapshots, `ID@SNAPSHOT.img`. A real array is
// asked over its network interface; what is asked of it is the same.
import { constants, existsSync } from 'node:fs';
import { copyFile, lstat, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** What makes a folder an array. */
const MARK = 'array.json';
/** Of volumes and snapshots. An identifier never leads out of the array. */
const IDENTIFIER = /^[^/@\0]+$/;

export class VendorArray {
  /** @throws RangeError for a folder that is no array */
  constructor(readonly folder: string) {
    if (!VendorArray.is(folder)) throw new RangeError(`${folder} is no array: it has no ${MARK}`);
  }

  static is(folder: string): boolean {
    return existsSync(join(folder, MARK));
  }

  /** Where hosts find a volume, or a snapshot of it. */
  image(volume: string, snapshot?: string): string {
    const identifiers = snapshot === undefined ? [volume] : [volume, snapshot];
    const wrong = identifiers.find((one) => !IDENTIFIER.test(one));
    if (wrong !== undefined) throw new RangeError(`${JSON.stringify(wrong)} identifies no volume and no snapshot`);
    return join(this.folder, `${identifiers.join('@')}.img`);
  }

  /** In bytes; null: there is no such volume or snapshot. */
  async size(volume: string, snapshot?: string): Promise<number | null> {
    try {
      return (await lstat(this.image(volume, snapshot))).size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  take(volume: string, snapshot: string): Promise<void> {
    return this.#replace(this.image(volume, snapshot), this.image(volume));
  }

  restore(volume: string, snapshot: string): Promise<void> {
    return this.#replace(this.image(volume), this.image(volume, snapshot));
  }

  /** One that is not there is removed already. */
  async remove(volume: string, snapshot: string): Promise<void> {
    for (const suffix of ['.part', '']) await rm(this.image(volume, snapshot) + suffix, { force: true });
  }

  /** Whole or not at all, as an array does it. */
  async #replace(image: string, from: string): Promise<void> {
    await copyFile(from, `${image}.part`, constants.COPYFILE_FICLONE);
    await rename(`${image}.part`, image);
  }
}
