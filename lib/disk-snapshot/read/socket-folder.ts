// Where a reader's qemu-nbd listens: a folder that only we can look into. It goes when both are connected; that of a reader who
// was killed before goes with the next one, and by recovery.
import { constants, lstat, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lifeOf, thisProcess } from '../records/process';
import { failInTemporary } from '../system-error';

/** Processes are numbered anew in each namespace. */
const PATTERN = /^libvirt-disksnapshot-nbd-(\d+)\.(\d+)\.(\d+)-\w+$/;
const namespaceOf = ({ boot }: { boot: string }) => boot.split('-').at(-1) ?? '';

export interface SocketFolder {
  /** By which it is named: a socket's whole path has room for a hundred bytes, which the temporary directory's alone may have. */
  fd: number;
  remove(): Promise<void>;
}

export async function makeSocketFolder(): Promise<SocketFolder> {
  await removeLeftSocketFolders();
  const maker = thisProcess();
  const name = [namespaceOf(maker), maker.pid, maker.started].join('.');
  const prefix = join(tmpdir(), `libvirt-disksnapshot-nbd-${name}-`);
  const path = await mkdtemp(prefix).catch((error) => failInTemporary('make the folder of a socket in', error));
  const remove = () => rm(path, { recursive: true, force: true });
  try {
    const handle = await open(path, constants.O_DIRECTORY);
    return { fd: handle.fd, remove: () => handle.close().then(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Of processes of this user that are gone. What cannot be removed stays: nobody who reads or recovers is to fail by that. */
export async function removeLeftSocketFolders(): Promise<void> {
  const here = thisProcess();
  for (const name of await readdir(tmpdir()).catch(() => [])) {
    const [, namespace, pid, started] = PATTERN.exec(name) ?? [];
    if (namespace !== namespaceOf(here) || started === undefined) continue;
    if (lifeOf({ ...here, pid: Number(pid), started }) !== 'gone') continue;
    const path = join(tmpdir(), name);
    // What is another user's may be a trap; what is ours they cannot replace.
    const found = await lstat(path).catch(() => null);
    if (!found?.isDirectory() || found.uid !== process.geteuid?.()) continue;
    await rm(path, { recursive: true }).catch(() => undefined);
  }
}
