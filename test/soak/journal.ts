// What the guest wrote, and what it had been told was safe: a chain of checksums on each disk, each link synced.
import { createHash } from 'node:crypto';
import type { Domain } from '../../lib';
import { guestExec } from '../../lib/testing/agent';

const PADDING = '0'.repeat(960);

// A link is counted in memory when all disks have it on stable storage: from then on it must never be missing.
const WRITER = `#!/bin/sh
# journal-writer DIRECTORY...: appends a link to the file journal in each directory, syncs, and counts it in /run/journal.
exec 9<>/run/never
count=0
sum=start
while :; do
  count=$((count + 1))
  sum=$(echo "$count $sum" | md5sum)
  sum=\${sum%% *}
  for directory; do
    echo "$count $sum ${PADDING}" >>"$directory/journal" && sync "$directory/journal" || exit 1
  done
  echo "$count" >/run/journal.new && mv /run/journal.new /run/journal
  read -r -t 0.2 _ <&9
done
`;

async function shell(domain: Domain, script: string, input?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await guestExec(
    domain,
    ['sh', '-c', script],
    input === undefined ? {} : { input },
  );
  if (exitCode !== 0) throw new Error(`in the guest, ${script} ended with ${exitCode}: ${stderr}`);
  return stdout.trim();
}

export async function startJournal(domain: Domain, directories: readonly string[]): Promise<void> {
  await shell(domain, 'cat >/bin/journal-writer && chmod +x /bin/journal-writer', WRITER);
  await shell(domain, `journal-writer ${directories.join(' ')} </dev/null >/dev/null 2>&1 & echo $! >/run/journal.pid`);
  await shell(domain, 'until [ -s /run/journal ]; do usleep 10000; done');
}

/** After it, what is on the disks no longer changes. */
export async function stopJournal(domain: Domain): Promise<void> {
  await shell(domain, 'kill $(cat /run/journal.pid); sync');
}

/** How many links the guest was told are safe on every disk. */
export async function safeLinks(domain: Domain): Promise<number> {
  return Number(await shell(domain, 'cat /run/journal'));
}

/**
 * How many links a journal holds.
 *
 * @throws Error where one is missing, double or damaged; a last one that was cut off is none
 */
export function linksIn(journal: string): number {
  const lines = journal.split('\n').slice(0, -1);
  let sum = 'start';
  for (const [at, line] of lines.entries()) {
    sum = createHash('md5')
      .update(`${at + 1} ${sum}\n`)
      .digest('hex');
    if (line !== `${at + 1} ${sum} ${PADDING}`)
      throw new Error(`link ${at + 1} of ${lines.length} is damaged: ${line}`);
  }
  return lines.length;
}
