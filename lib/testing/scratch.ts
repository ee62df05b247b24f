// One folder per process for everything temporary, and a keeper that cleans it up however this process ends.
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Waits for our end of the pipe to close, by exit or by SIGKILL. Guests of ours name the folder on their command line; loop
// devices of theirs name files in it.
const KEEPER = `trap '' HUP INT TERM
read -r _
for process in $(grep -lsaF "$1/" /proc/[0-9]*/cmdline); do
  case $(readlink "\${process%/cmdline}/exe") in
    */qemu-system-*) pid=\${process#/proc/}; kill -KILL "\${pid%/cmdline}" ;;
  esac
done
losetup --noheadings --list --output NAME,BACK-FILE 2>/dev/null | while read -r device file; do
  case $file in "$1"/*) losetup --detach "$device" ;; esac
done
rm -rf -- "$1"
`;

let base: Promise<string> | undefined;

/**
 * The folder of this process below `os.tmpdir()`. It goes, with every guest whose files lie in it, when the process ends.
 *
 * Its name follows from the process alone, because copies of this module (Jest loads one per test file) must agree on it:
 * libvirt allows one root of the embedded driver per process, for as long as the process lives.
 */
export function scratchDirectory(): Promise<string> {
  base ??= createScratchDirectory();
  return base;
}

/** A new folder in it. Names stay short: the path of a socket holds 107 bytes. */
export async function temporaryDirectory(purpose: string): Promise<string> {
  const directory = await mkdtemp(join(await scratchDirectory(), `${purpose}-`));
  // Another user's QEMU (qemu:///system) must get through to the files that libvirt hands over to it.
  await chmod(directory, 0o711);
  return directory;
}

async function createScratchDirectory(): Promise<string> {
  const path = join(tmpdir(), `disksnapshot-${process.pid}-${await startTime()}`);
  try {
    await mkdir(path, { mode: 0o711 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return path;
    throw error;
  }
  // A session of its own: Ctrl-C on the terminal must not end it before it has cleaned up.
  const keeper = spawn('sh', ['-c', KEEPER, 'sh', path], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  keeper.unref();
  // A pipe of a child is a socket, which holds the process unless told not to.
  (keeper.stdin as unknown as { unref(): void }).unref();
  return path;
}

/** In clock ticks since boot: with it a process id is never taken for that of an earlier process. */
async function startTime(): Promise<string> {
  const stat = await readFile('/proc/self/stat', 'utf8');
  // The second field is the name in brackets and may hold spaces; the 22nd is the time.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
}
