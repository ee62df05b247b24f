// Programs in the guest that make freezing and consistency measurable from inside.
import type { TestGuest } from './test-guest';

/** Whatever runs programs in a guest. */
export type Shell = Pick<TestGuest, 'exec'>;

/** Of {@link startWriter} and {@link startInstantWriter}. */
export interface WriterOptions {
  /** Folders in the guest. Default `['/mnt/a']`; give every disk that is to be watched. */
  directories?: readonly string[];
}

/** A program that runs in the guest until it is stopped, or the guest is restored. */
export class GuestWriter {
  readonly #guest: Shell;
  readonly #pid: string;

  /** @internal */
  constructor(guest: Shell, pid: string) {
    this.#guest = guest;
    this.#pid = pid;
  }

  /** Ends it; what it wrote stays. */
  async stop(): Promise<void> {
    await shell(this.#guest, 'kill "$1"', this.#pid);
  }
}

/** Appends a counter and the guest's clock to each folder, again and again: what is frozen shows as a gap. */
export class TickWriter extends GuestWriter {
  readonly #guest: Shell;
  readonly #log: string;
  #from = 0;

  /** @internal */
  constructor(guest: Shell, pid: string, log: string) {
    super(guest, pid);
    this.#guest = guest;
    this.#log = log;
  }

  /** How many ticks there are. */
  async count(): Promise<number> {
    return Number(await shell(this.#guest, 'wc -l <"$1"', this.#log));
  }

  /** `largestGapMs` then looks only at what follows. */
  async mark(): Promise<void> {
    this.#from = await this.count();
  }

  /** The longest time between two ticks since `mark()`, by the guest's own clock. */
  async largestGapMs(): Promise<number> {
    const program =
      'NR > from { if (last && $2 - last > gap) gap = $2 - last } { last = $2 } END { printf "%.3f", gap / 1e6 }';
    return Number(await shell(this.#guest, 'awk -v from="$1" "$2" "$3"', String(this.#from), program, this.#log));
  }
}

/** Starts a writer that appends to the file `ticks` in each folder every `periodMs` (default 10), without syncing. */
export async function startWriter(
  guest: Shell,
  options: WriterOptions & { periodMs?: number } = {},
): Promise<TickWriter> {
  const { directories = ['/mnt/a'], periodMs = 10 } = options;
  const pid = await start(guest, ['tick-writer', String(periodMs / 1000), ...directories]);
  const log = `${directories[0]}/ticks`;
  await shell(guest, 'until [ -s "$1" ]; do usleep 5000; done', log);
  return new TickWriter(guest, pid, log);
}

/**
 * Starts a writer of numbers: n into the file `instant` of the first folder, synced, then n into the next, synced; then n + 1.
 * Whatever one instant saw of them differs by at most 1, and the first is never behind.
 */
export async function startInstantWriter(guest: Shell, options: WriterOptions = {}): Promise<GuestWriter> {
  const { directories = ['/mnt/a', '/mnt/b'] } = options;
  return new GuestWriter(guest, await start(guest, ['instant-writer', ...directories]));
}

function start(guest: Shell, argv: readonly string[]): Promise<string> {
  return shell(guest, '"$@" </dev/null >/dev/null 2>&1 & echo $!', ...argv);
}

async function shell(guest: Shell, script: string, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await guest.exec(['sh', '-c', script, 'sh', ...args]);
  if (exitCode !== 0) throw new Error(`in the guest, ${script} failed with exit code ${exitCode}: ${stderr.trim()}`);
  return stdout.trim();
}
