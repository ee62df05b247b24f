// The matrix as text: one line for each step, one column for each fault.
import { COLUMNS, type Column, ROWS, type Row, titleOf } from './matrix';

export type Verdict = { kind: 'holds'; as: string } | { kind: 'broken' } | { kind: 'senseless'; why: string };

const FIRST = Math.max(...ROWS.map((row) => titleOf(row).length));
const NARROWEST = Math.max(...['finished', 'no change', 'free again'].map((text) => text.length)) + 2;
const WIDTHS = [FIRST, ...COLUMNS.map((title) => Math.max(title.length, NARROWEST))];

const lineOf = (cells: readonly string[]) =>
  `${cells
    .map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0))
    .join('  ')
    .trimEnd()}\n`;

export const HEAD = lineOf(['step', ...COLUMNS]) + lineOf(WIDTHS.map((width) => '-'.repeat(width)));

export class Table {
  readonly #verdicts = new Map<Row, Map<Column, Verdict>>();

  set(row: Row, column: Column, verdict: Verdict): void {
    const cells = this.#verdicts.get(row) ?? new Map<Column, Verdict>();
    this.#verdicts.set(row, cells.set(column, verdict));
  }

  /** How many cells there are of each kind. */
  get totals(): string {
    const all = [...this.#verdicts.values()].flatMap((cells) => [...cells.values()]);
    const count = (kind: Verdict['kind']) => all.filter((verdict) => verdict.kind === kind).length;
    return `${count('holds')} cells hold, ${count('broken')} are broken, ${count('senseless')} make no sense\n`;
  }

  line(row: Row): string {
    return lineOf([titleOf(row), ...COLUMNS.map((column) => textOf(this.#verdicts.get(row)?.get(column)))]);
  }
}

function textOf(verdict: Verdict | undefined): string {
  if (!verdict) return '';
  if (verdict.kind === 'broken') return 'BROKEN';
  return verdict.kind === 'holds' ? verdict.as : `(${verdict.why})`;
}
