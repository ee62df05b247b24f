// A small file system that can be filled up. It holds the images of a guest, and nothing else.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { run, toolEnvironment } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';

// Whoever mounts it unmounts it: when the pipe from us closes, by our will or by our death.
const keeper = (mount: string) => `trap '' HUP INT TERM
${mount} && echo mounted && read -r _
umount -l "$1"
rm -rf -- "$1" "$1.img"
`;
const KEEPERS = {
  tmpfs: keeper('mount -t tmpfs -o size=300m,mode=711 tmpfs "$1"'),
  btrfs: keeper(
    'truncate -s 400M "$1.img" && mkfs.btrfs -q "$1.img" >/dev/null && mount -o loop "$1.img" "$1" && chmod 711 "$1"',
  ),
} as const;

export class SmallSpace {
  private constructor(
    readonly directory: string,
    private readonly keeper: ChildProcess,
  ) {}

  static async mount(type: keyof typeof KEEPERS = 'tmpfs'): Promise<SmallSpace> {
    const directory = await temporaryDirectory('space');
    const keeper = spawn('sh', ['-c', KEEPERS[type], 'sh', directory], {
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: toolEnvironment(),
    });
    const [mounted] = await Promise.race([once(keeper.stdout, 'data'), once(keeper, 'exit')]);
    if (!String(mounted).startsWith('mounted')) {
      keeper.stdin.end();
      throw new Error(`no ${type} could be mounted: it needs root`);
    }
    return new SmallSpace(directory, keeper);
  }

  async fill(): Promise<void> {
    // The guest writes beside us: what was free a moment ago may be taken. And btrfs keeps some for itself.
    for (let taken = 0, piece = Number.POSITIVE_INFINITY; ; ) {
      const { bavail, bsize } = await statfs(this.directory);
      if (bavail === 0) return;
      piece = Math.min(piece, Math.max(1, Math.floor(bavail / 2)) * bsize);
      const got = await run('fallocate', ['-o', String(taken), '-l', String(piece), this.#filler], { accept: [0, 1] });
      if (got.exitCode === 0) {
        taken += piece;
        piece = Number.POSITIVE_INFINITY;
      } else if (piece <= bsize) return;
      else piece = Math.max(1, Math.floor(piece / bsize / 2)) * bsize;
    }
  }

  async empty(): Promise<void> {
    await rm(this.#filler, { force: true });
  }

  async close(): Promise<void> {
    const gone = once(this.keeper, 'exit');
    this.keeper.stdin?.end();
    await gone;
  }

  get #filler(): string {
    return join(this.directory, 'filler');
  }
}
