// A file without a name: it goes with its descriptor, whatever becomes of us.
import { constants, type FileHandle, open } from 'node:fs/promises';

/** Of open(2); Node does not name it. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/** @throws Error of the system; not every file system can */
export const openNameless = (folder: string): Promise<FileHandle> => open(folder, O_TMPFILE | constants.O_RDWR, 0o600);

/** The path of a descriptor for whoever has it open, this process or a child. */
export const pathOf = (descriptor: number): string => `/proc/self/fd/${descriptor}`;
