// What must not be left: files, processes, domains and pools. Asked of the system, not of ourselves.
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { MARK } from './worker';

const GONE_MS = 30_000;

export async function filesBelow(directories: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(
    directories.map(async (directory) =>
      (await readdir(directory, { recursive: true })).map((name) => `${directory}/${name}`),
    ),
  );
  return lists.flat().sort();
}

/** Whatever the workers started and what that started, by its environment; guards end a moment after their owner. */
export async function processesLeft(mark: string): Promise<string[]> {
  const end = performance.now() + GONE_MS;
  for (;;) {
    const left = await marked(mark);
    if (left.length === 0 || performance.now() > end) return left;
    await delay(100);
  }
}

async function marked(mark: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (!environment.split('\0').includes(`${MARK}=${mark}`)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    found.push(`${pid} ${line.replaceAll('\0', ' ')}`);
  }
  return found;
}
