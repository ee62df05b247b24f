// Checks of what readers leave that were killed: the copies that libvirt made for them, beside the images that they read.
import { readdir } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { parseXml } from '../../xml/document';
import { isLocal } from '../images/images-for';
import { withFolderPool } from '../images/pool-images';
import { readerOf } from '../read/copy-name';
import { lifeOf } from '../records/process';
import type { Case, Check, Found } from './diagnosis';

export const leftCopies: Check = async (look) => {
  const found: Found[] = [];
  for (const folder of foldersOf(look)) {
    for (const name of await namesIn(look, folder)) {
      const reader = readerOf(name);
      const life = reader && lifeOf(reader);
      if (reader === null || life === 'alive') continue;
      const path = join(folder, name);
      const made = `libvirt made ${path} for process ${reader.pid} on ${reader.host} to read`;
      found.push(
        life === 'gone'
          ? { code: 'LEFT_COPY', message: `${made}, which is gone`, fix: () => remove(look, path) }
          : { code: 'LEFT_COPY', message: `${made}: whether that still runs can be told only there` },
      );
    }
  }
  return found;
};

function remove({ guest: { domain }, call }: Case, path: string): Promise<boolean> {
  return withFolderPool(domain.connection, dirname(path), call, async (pool) => {
    await pool?.remove(path, call);
    return pool !== null;
  });
}

/** Of the images that the guest and its snapshots name. */
function foldersOf({ guest: { document }, journal }: Case): Set<string> {
  const used = document.disks.flatMap((disk) => [disk, ...disk.backingChain].map(({ sourcePath }) => sourcePath));
  const kept = journal.sets.flatMap((set) =>
    set.disks.map(({ backupSource }) => backupSource && parseXml(backupSource).attributes.file),
  );
  const paths = [...used, ...kept].flatMap((path) => (path && isAbsolute(path) ? [path] : []));
  return new Set(paths.map((path) => dirname(path)));
}

/** A pool is made for the moment only where the folder cannot be looked into without one. */
async function namesIn({ guest: { domain }, call }: Case, folder: string): Promise<string[]> {
  const conn = domain.connection;
  const names = (await isLocal(conn, call)) ? await readdir(folder).catch(() => null) : null;
  return names ?? withFolderPool(conn, folder, call, async (pool) => (await pool?.names(call)) ?? []);
}
