// A process of its own that freezes or pauses a guest, says so, and does no more: tests kill it. It runs what was built.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ConnectOptions } from '../../lib';

export const ROOT = join(__dirname, '..', '..');

const PROGRAM = `
  const { connect, quiesceStorage } = require('./dist');
  const { lookAtGuest } = require('./dist/disk-snapshot/guest');
  const { pauseGuest } = require('./dist/disk-snapshot/pause');
  const [uri, name, what] = process.argv.slice(1);
  process.stdin.once('data', async (options) => {
    const conn = await connect(uri, JSON.parse(options));
    const dom = await conn.domainLookupByName(name);
    if (what === 'freeze') await quiesceStorage(dom, { maxFreezeMs: 600_000 });
    else await pauseGuest(await lookAtGuest(dom, {}), { guard: true, report: () => undefined });
    setInterval(() => undefined, 1000);
    console.log('held');
  });
`;

/** Resolves while it holds the guest. */
export async function holder(
  uri: string,
  name: string,
  what: 'freeze' | 'pause',
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

/** SIGKILL, and its end. */
export async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
