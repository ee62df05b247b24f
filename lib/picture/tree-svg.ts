// The tree as SVG: a panel for each disk, a rail of lanes with a shape for each image, names at its right.
import { element, type XmlElement } from '../xml/document';
import { svgText } from './drawing';
import { besideWords, markWords, STATE_WORDS } from './tree-legend';
import type { DiskPicture, ImageRow, ImageState, TreePicture } from './tree-model';
import { shorten, widthOf } from './words';

const WIDTH = 760;
const MARGIN = 24;
const LANE = 22;
const ROW = 44;
const MARK = 20;
const HEAD = 44;
/** What a column of monospace text takes at 13 px, with some room for fonts that are wide. */
const COLUMN = 8.1;

const RULES =
  '.name{font-size:13px;fill:var(--ink)}.detail{font-size:12px;fill:var(--quiet)}.head{font-size:15px;font-weight:600;fill:var(--ink)}' +
  '.title{font-size:20px;font-weight:600;fill:var(--ink)}.panel{fill:var(--panel)}.rail{fill:none;stroke:var(--line);stroke-width:2}' +
  '.live{fill:var(--live);stroke:var(--live)}.below{fill:var(--panel);stroke:var(--quiet)}.branch{fill:var(--panel);stroke:var(--branch);stroke-dasharray:3 2}' +
  '.missing{fill:none;stroke:var(--missing)}.shape{stroke-width:2.5}.word{font-size:12px;font-weight:600;stroke:none}' +
  '.word.live{fill:var(--live)}.word.branch{fill:var(--branch)}.word.missing{fill:var(--missing)}.mark{font-size:12.5px;fill:var(--snapshot)}.mark.gone{fill:var(--missing)}';

export function treeSvg({ guest, uri, disks }: TreePicture): string {
  const within = (text: string, x: number, size = 1) =>
    shorten(text, Math.floor((WIDTH - MARGIN - 16 - x) / (COLUMN * size)));
  const text = (x: number, y: number, kind: string, words: string) =>
    element('text', { x, y, class: kind }, within(words, x, kind.startsWith('title') ? 1.55 : 1));
  const parts: XmlElement[] = [text(MARGIN, 40, 'title mono', guest), text(MARGIN, 62, 'detail mono', uri)];
  let top = 84;
  for (const disk of disks) {
    const height = heightOf(disk);
    const panel = element('g', { transform: `translate(0 ${top})` });
    panel.children.push(
      element('rect', { class: 'panel', x: MARGIN / 2, width: WIDTH - MARGIN, height, rx: 10 }),
      text(MARGIN + 4, 28, 'head mono', headOf(disk)),
    );
    let y = HEAD;
    for (const row of disk.rows) {
      panel.children.push(...rowOf(disk, row, y, text));
      y += rowHeight(row);
    }
    for (const mark of disk.beside) {
      panel.children.push(text(MARGIN + 4, y + 14, `mark mono${mark.isPresent ? '' : ' gone'}`, besideWords(mark)));
      y += MARK;
    }
    parts.push(panel);
    top += height + 14;
  }
  const description = `Disks of ${guest}, the images of each and the snapshots on them`;
  return svgText(
    { width: WIDTH, height: top + 6, title: `${guest}: disks and snapshots`, description, rules: RULES },
    ...parts,
  );
}

const headOf = ({ disk, virtualSize, policy, rows }: DiskPicture): string =>
  [disk, virtualSize, ...(policy === null ? [] : [`method ${policy}`]), ...(rows.length === 0 ? ['empty'] : [])].join(
    ' · ',
  );

const rowHeight = (row: ImageRow): number => ROW + row.snapshots.length * MARK;

const heightOf = ({ rows, beside }: DiskPicture): number =>
  HEAD + rows.reduce((sum, row) => sum + rowHeight(row), 0) + beside.length * MARK + 12;

type Text = (x: number, y: number, kind: string, words: string) => XmlElement;

function rowOf(disk: DiskPicture, row: ImageRow, top: number, text: Text): XmlElement[] {
  const at = (lane: number) => MARGIN + 14 + lane * LANE;
  const centre = top + 14;
  const bottom = top + rowHeight(row);
  const line = (d: string) => element('path', { class: 'rail', d });
  const x = at(row.lane);
  const lines = row.passing.map((lane) => line(`M${at(lane)} ${top}V${bottom}`));
  if (row.isRestedOn) lines.push(line(`M${x} ${top}V${centre}`));
  if (row.hasParent) lines.push(line(`M${x} ${centre}V${bottom}`));
  for (const lane of row.joining) lines.push(line(`M${at(lane)} ${top}Q${at(lane)} ${centre} ${x} ${centre}`));
  const left = at(disk.lanes);
  const state = STATE_WORDS[row.state];
  const words = [text(left, centre + 5, 'name mono', row.source), text(left, centre + 22, 'detail mono', row.detail)];
  if (state !== '')
    words.push(text(left + (widthOf(row.detail) + 2) * COLUMN, centre + 22, `word mono ${row.state}`, state));
  const marks = row.snapshots.map((mark, index) =>
    text(left, centre + 42 + index * MARK, `mark mono${mark.isPresent ? '' : ' gone'}`, markWords(mark)),
  );
  return [...lines, shapeOf(row.state, x, centre), ...words, ...marks];
}

function shapeOf(state: ImageState, x: number, y: number): XmlElement {
  if (state !== 'missing') return element('circle', { class: `shape ${state}`, cx: x, cy: y, r: 7 });
  return element('path', {
    class: 'shape missing',
    d: `M${x - 6} ${y - 6}L${x + 6} ${y + 6}M${x + 6} ${y - 6}L${x - 6} ${y + 6}`,
  });
}
