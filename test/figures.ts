// Figures that a test shows to whoever reads its output: measured values, beside the generous limits that it asserts.
import { Console } from 'node:console';

/** A title, and one line for each row. */
export function showFigures(title: string, rows: readonly object[]): void {
  const out = new Console(process.stdout);
  out.log(`\n${title}`);
  out.table(rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, rounded(value)]))));
}

const rounded = (value: unknown) => (typeof value === 'number' ? Math.round(value * 10) / 10 : value);
