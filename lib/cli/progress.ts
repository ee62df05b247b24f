// Bars on a terminal while an operation runs, gone when it has ended; in a pipe none.
import { MultiBar, type SingleBar } from 'cli-progress';
import type { Phase, Progress } from '../index';
import { formatBytes } from './format';
import { type OutputStream, printable } from './output';

const DOING: Readonly<Record<Phase, string>> = {
  plan: 'looking',
  record: 'recording',
  prepare: 'preparing',
  quiesce: 'freezing',
  pause: 'pausing',
  cut: 'cutting',
  resume: 'resuming',
  thaw: 'thawing',
  verify: 'verifying',
  commit: 'merging',
  copy: 'copying',
  clean: 'cleaning up',
};
/** Their `done` and `total` are bytes. */
const OF_BYTES: ReadonlySet<Phase> = new Set(['commit', 'copy']);
const STEP = '{doing}';
const BAR = '{doing} [{bar}] {percentage}% {amount}';

export class Bars {
  readonly #stream: OutputStream;
  readonly #wanted: boolean;
  readonly #shown = new Map<string, SingleBar>();
  #bars: MultiBar | undefined;

  constructor(stream: OutputStream, wanted: boolean) {
    this.#stream = stream;
    this.#wanted = wanted && stream.isTTY === true;
  }

  readonly show = ({ phase, disk, done, total }: Progress): void => {
    if (!this.#wanted) return;
    // Signals are ours: cli-progress would take them for the end.
    this.#bars ??= new MultiBar({ stream: this.#stream, barsize: 30, clearOnComplete: true, gracefulExit: false });
    const doing = printable(disk === undefined ? DOING[phase] : `${DOING[phase]} ${disk}`);
    const amount = OF_BYTES.has(phase) ? `${formatBytes(done)} of ${formatBytes(total)}` : '';
    const key = total > 0 ? doing : '';
    let bar = this.#shown.get(key);
    if (!bar) {
      bar = this.#bars.create(Math.max(total, 1), done, { doing, amount }, { format: total > 0 ? BAR : STEP });
      this.#shown.set(key, bar);
    }
    if (total > 0) bar.setTotal(total);
    bar.update(done, { doing, amount });
  };

  /** Before anything else is written to the terminal: what is drawn goes, and the cursor is where it was. */
  clear(): void {
    this.#bars?.stop();
    this.#bars = undefined;
    this.#shown.clear();
  }
}
