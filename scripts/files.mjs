// What the scripts ask of folders.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The files below a folder, by their paths in it. */
export function filesIn(folder) {
  return readdirSync(folder, { recursive: true }).filter((path) => statSync(join(folder, path)).isFile());
}

/** The time of the latest change in files and folders. */
export function newest(...paths) {
  return Math.max(
    ...paths.map((path) => {
      const stat = statSync(path);
      if (!stat.isDirectory()) return stat.mtimeMs;
      return Math.max(0, ...filesIn(path).map((file) => statSync(join(path, file)).mtimeMs));
    }),
  );
}
