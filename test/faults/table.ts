// The matrix as text: one line for each step, one column for each fault.
import { COLUMNS, type Column, ROWS, type Row } from './matrix';

export type Verdict = { kind: 'holds'; as: string } | { kind: 'broken' } | { kind: 'senseless'; why: string };

const keyOf = ({ operation, point }: Row, column: Column) => `${operation}/${point}/${column}`;

export class Table {
  readonly #verdicts = new Map<string, Verdict>();

  set(row: Row, column: Column, verdict: Verdict): void {
    this.#verdicts.set(keyOf(row, column), verdict);
  }

  toString(): string {
    const head = ['step', ...COLUMNS];
    const lines = ROWS.map((row) => [
      `${row.operation}: ${row.point}`,
      ...COLUMNS.map((column) => textOf(this.#verdicts.get(keyOf(row, column)))),
    ]).filter(([, ...cells]) => cells.some((cell) => cell !== ''));
    const widths = head.map((title, index) => Math.max(title.length, ...lines.map((line) => line[index]?.length ?? 0)));
    const format = (line: readonly string[]) =>
      line
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd();
    return [format(head), format(widths.map((width) => '-'.repeat(width))), ...lines.map(format)].join('\n');
  }
}

function textOf(verdict: Verdict | undefined): string {
  if (!verdict) return '';
  if (verdict.kind === 'broken') return 'BROKEN';
  return verdict.kind === 'holds' ? verdict.as : `(${verdict.why})`;
}
