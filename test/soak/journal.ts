// What the guest wrote, and what it had been told was safe: a chain of checksums on each disk, each link synced.
import { createHash } from 'node:crypto';
import type { Domain } from '../../lib';
import { guestExec } from '../../lib/testing/agent';

const PADDING = '0'.repeat(960);

// A link is counted in memory when all disks have it on stable storage: from then on it must never be missing.
const WRITER = `#!/bin/sh
# journal-writer COUNT SUM DIRECTORY...: appends links to the file journal in each directory, after that one, syncs, and counts
# each in /run/journal.
exec 9<>/run/never
count=$1
sum=$2
shift 2
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

// A guest that has been booted anew, perhaps on other disks, goes on where the shortest journal ends: they are equal again.
// Asked again, by somebody whom the answer did not reach, it says the same.
const RESUME = `#!/bin/sh
# journal-resume DIRECTORY...
set -e
if ! mkdir /run/resumed 2>/dev/null; then
  until [ -s /run/journal ]; do usleep 10000; done
  exec cat /run/found
fi
least=
for directory; do
  [ -e "$directory/journal" ] || : >"$directory/journal"
  links=$(wc -l <"$directory/journal")
  echo "$links" >>/run/found
  [ -n "$least" ] && [ "$least" -le "$links" ] || least=$links
done
sum=start
for directory; do
  head -n "$least" "$directory/journal" >"$directory/journal.new"
  mv "$directory/journal.new" "$directory/journal"
  [ "$least" = 0 ] || { last=$(tail -n 1 "$directory/journal"); sum=\${last#* }; sum=\${sum%% *}; }
done
sync
journal-writer "$least" "$sum" "$@" </dev/null >/dev/null 2>&1 &
echo $! >/run/journal.pid
until [ -s /run/journal ]; do usleep 10000; done
cat /run/found
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

/**
 * In a guest that has just been booted: the journals are continued, from the shortest on.
 *
 * @returns how many whole links each held
 */
export async function startJournal(domain: Domain, directories: readonly string[]): Promise<number[]> {
  await shell(domain, 'cat >/bin/new && chmod +x /bin/new && mv /bin/new /bin/journal-writer', WRITER);
  await shell(domain, 'cat >/bin/new && chmod +x /bin/new && mv /bin/new /bin/journal-resume', RESUME);
  const found = await shell(domain, `journal-resume ${directories.join(' ')}`);
  return found.split('\n').map(Number);
}

/** False in a guest that was booted since. */
export async function hasJournal(domain: Domain): Promise<boolean> {
  return (await shell(domain, '[ -s /run/journal ] && echo yes || echo no')) === 'yes';
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
