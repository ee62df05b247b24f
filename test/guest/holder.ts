// A process of its own that freezes or pauses a guest, says so, and does no more: tests kill it. It runs what was built. And the
// guard that it has started.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectOptions } from '../../lib';

export const ROOT = join(__dirname, '..', '..');

const PROGRAM = `
  const { connect, quiesceStorage } = require('./dist');
  const { lookAtGuest } = require('./dist/disk-snapshot/guest');
  const { armGuard } = require('./dist/disk-snapshot/guard/guard');
  const { Pause } = require('./dist/disk-snapshot/pause');
  const [uri, name, what] = process.argv.slice(1);
  process.stdin.once('data', async (options) => {
    const conn = await connect(uri, JSON.parse(options));
    const dom = await conn.domainLookupByName(name);
    if (what === 'freeze') await quiesceStorage(dom, { maxFreezeMs: 600_000 });
    else if (what === 'nothing') await armGuard(dom, 'pause', 600_000);
    else {
      const pause = await Pause.watched(await lookAtGuest(dom, {}), () => undefined, { guard: true, earlierMs: 0 });
      await pause.begin();
    }
    setInterval(() => undefined, 1000);
    console.log('held');
  });
`;

/** Resolves while it holds the guest. `'nothing'`: its guard expects a pause that does not come. */
export async function holder(
  uri: string,
  name: string,
  what: 'freeze' | 'pause' | 'nothing',
  options: Pick<ConnectOptions, 'auth'> = {},
): Promise<ChildProcess> {
  const argv = ['-e', PROGRAM, uri, name, what];
  const child = spawn(process.execPath, argv, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.write(JSON.stringify(options));
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the holder ended by itself')));
  await Promise.race([once(child.stdout, 'data'), ended]);
  ended.catch(() => undefined);
  return child;
}

/** As {@link holder}, in a container: it and its guard see no process but their own. Kills it, and leaves the guard. */
export async function containedHolder(
  uri: string,
  name: string,
): Promise<{ killHolder(): Promise<void>; end(): void }> {
  // What a shell starts in the background reads nothing, unless it is told to.
  const shell = 'mount -t proc proc /proc; exec 3<&0; "$@" <&3 & wait; sleep 3600';
  const argv = ['-p', '-m', '-f', 'sh', '-c', shell, 'sh', process.execPath, '-e', PROGRAM, uri, name, 'freeze'];
  const container = spawn('unshare', argv, { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'] });
  container.stdin.write('{}');
  await once(container.stdout, 'data');
  const [first = ''] = await childrenOf(container.pid);
  return {
    killHolder: async () => {
      const [node = ''] = await childrenOf(first);
      process.kill(Number(node), 'SIGKILL');
      await ended(node);
    },
    end: () => process.kill(Number(first), 'SIGKILL'),
  };
}

async function childrenOf(parent: string | number | undefined): Promise<string[]> {
  const text = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8');
  return text.split(' ').filter((pid) => pid !== '');
}

/** SIGKILL, and its end. */
export async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** Guards that a process has started. */
export async function guardsOf(parent: number | undefined): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const isOurs = /^PPid:\s+(\d+)$/m.exec(status)?.[1] === String(parent);
    if (isOurs && line.includes(join('disk-snapshot', 'guard'))) found.push(pid);
  }
  return found;
}

/** Resolves when a process, which is no child of ours, has ended. */
export async function ended(pid: string): Promise<void> {
  while (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) await delay(20);
}
