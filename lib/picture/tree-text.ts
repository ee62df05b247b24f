// The tree in the characters of a terminal.
import { styleText } from 'node:util';
import { besideWords, markWords, SHAPES, STATE_WORDS } from './tree-legend';
import type { DiskPicture, ImageRow, ImageState, TreePicture } from './tree-model';

type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;
const STYLES: Readonly<Record<ImageState, Parameters<typeof styleText>[0]>> = {
  live: ['green', 'bold'],
  below: 'reset',
  branch: 'dim',
  missing: ['red', 'bold'],
};

export function treeText({ guest, uri, disks }: TreePicture, colour: boolean): string {
  const paint: Paint = (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text);
  const lines = [`${paint('bold', guest)}  ${paint('dim', uri)}`];
  for (const disk of disks) lines.push('', ...linesOf(disk, paint));
  return `${lines.join('\n')}\n`;
}

function linesOf({ disk, policy, virtualSize, lanes, rows, beside }: DiskPicture, paint: Paint): string[] {
  const head = [virtualSize, ...(policy === null ? [] : [`method ${policy}`]), ...(rows.length === 0 ? ['empty'] : [])];
  const lines = [`${paint('bold', disk)}  ${head.join(' · ')}`];
  for (const row of rows) {
    if (row.joining.length > 0) lines.push(`  ${joint(row, lanes)}`);
    const state = STATE_WORDS[row.state];
    const text = [row.source, row.detail, ...(state === '' ? [] : [paint(STYLES[row.state], state)])];
    const shape = paint(STYLES[row.state], SHAPES[row.state]);
    lines.push(`  ${rail(row, lanes, shape)} ${text.join('  ')}`);
    const below = rail(row, lanes, row.hasParent ? '│' : ' ');
    for (const mark of row.snapshots)
      lines.push(`  ${below}   ${paint(mark.isPresent ? 'cyan' : 'red', markWords(mark))}`);
  }
  for (const mark of beside) lines.push(`  ${paint(mark.isPresent ? 'cyan' : 'red', besideWords(mark))}`);
  return lines;
}

function rail(row: ImageRow, lanes: number, own: string): string {
  return Array.from({ length: lanes }, (_, lane) =>
    lane === row.lane ? own : row.passing.includes(lane) ? '│' : ' ',
  ).join(' ');
}

/** Where the lines of branches come back to the one they left: ├─┴─╯ */
function joint(row: ImageRow, lanes: number): string {
  const last = row.joining.at(-1) ?? row.lane;
  return Array.from({ length: lanes }, (_, lane) => {
    if (lane === row.lane) return '├─';
    if (lane === last) return '╯ ';
    if (lane > row.lane && lane < last) return '┴─';
    return row.passing.includes(lane) ? '│ ' : '  ';
  })
    .join('')
    .trimEnd();
}
