// The tree as one page: a section for each disk, a list item for each image. Long names break; the rails follow their height.
import { element, type XmlElement } from '../xml/document';
import { htmlText } from './drawing';
import { besideWords, markWords, SHAPES, STATE_WORDS } from './tree-legend';
import type { DiskPicture, ImageRow, SnapshotMark, TreePicture } from './tree-model';

const RULES =
  'main{max-width:60rem;margin:0 auto;padding:1.5rem clamp(.75rem,3vw,2rem)}h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:0 0 .75rem}' +
  '.mono{overflow-wrap:anywhere}.quiet{color:var(--quiet);font-size:.85rem;font-weight:400}section{background:var(--panel);border-radius:.75rem;padding:1rem clamp(.75rem,2vw,1.25rem);margin-top:1rem}' +
  'ol,ul{list-style:none;margin:0;padding:0}li.image{display:flex}.rails{display:flex;flex:none;margin-right:.6rem}.lane{position:relative;width:1.4rem;font-style:normal}' +
  '.up::before,.down::after,.past::before{content:"";position:absolute;left:calc(50% - 1px);width:2px;background:var(--line)}.past::before{top:0;bottom:0}.up::before{top:0;height:.3rem}.down::after{top:1.25rem;bottom:0}' +
  '.join::before{content:"";position:absolute;top:0;height:.78rem;right:calc(50% - 1px);width:1.4rem;border:solid var(--line);border-width:0 2px 2px 0;border-bottom-right-radius:.7rem}.join.first::before{width:calc(1.4rem - .55rem)}' +
  '.shape{position:absolute;top:0;left:0;right:0;text-align:center;font-size:1.15rem;line-height:1.55rem}.text{min-width:0;padding-bottom:.9rem;line-height:1.55rem}' +
  '.source{font-size:.9rem}.word{font-weight:600;font-size:.85rem}.live{color:var(--live)}.branch{color:var(--branch)}.missing{color:var(--missing)}.below{color:var(--quiet)}.mark{color:var(--snapshot);font-size:.88rem;line-height:1.55rem}.mark.gone{color:var(--missing)}';

export function treeHtml({ guest, uri, disks }: TreePicture): string {
  return htmlText(
    { title: `${guest}: disks and snapshots`, rules: RULES },
    element('h1', { class: 'mono' }, guest),
    element('div', { class: 'quiet mono' }, uri),
    ...disks.map(sectionOf),
  );
}

function sectionOf(disk: DiskPicture, at: number): XmlElement {
  const { virtualSize, policy, rows, beside } = disk;
  const about = [
    virtualSize,
    ...(policy === null ? [] : [`method ${policy}`]),
    ...(rows.length === 0 ? ['empty'] : []),
  ];
  const id = `disk-${at}`;
  const head = element(
    'h2',
    { id },
    element('span', { class: 'mono' }, disk.disk),
    ' ',
    element('span', { class: 'quiet mono' }, about.join(' · ')),
  );
  const section = element('section', { 'aria-labelledby': id }, head);
  if (rows.length > 0) {
    section.children.push(
      element('ol', { 'aria-label': 'images, the live one first' }, ...rows.map((row) => itemOf(disk, row))),
    );
  }
  if (beside.length > 0) {
    const items = beside.map((mark) => markOf(mark, besideWords(mark)));
    section.children.push(element('ul', { 'aria-label': 'snapshots beside the images' }, ...items));
  }
  return section;
}

function itemOf(disk: DiskPicture, row: ImageRow): XmlElement {
  const lanes = Array.from({ length: disk.lanes }, (_, lane) => laneOf(row, lane));
  const text = element('div', { class: 'text' }, element('div', { class: 'source mono' }, row.source));
  const state = STATE_WORDS[row.state];
  const detail = element('div', { class: 'quiet mono' }, row.detail);
  if (state !== '') detail.children.push(' ', element('span', { class: `word ${row.state}` }, state));
  text.children.push(detail);
  if (row.snapshots.length > 0) {
    text.children.push(
      element('ul', { 'aria-label': 'snapshots' }, ...row.snapshots.map((mark) => markOf(mark, markWords(mark)))),
    );
  }
  return element('li', { class: 'image' }, element('div', { class: 'rails', 'aria-hidden': 'true' }, ...lanes), text);
}

/** A space within, for HTML knows no empty-element tag. */
function laneOf(row: ImageRow, lane: number): XmlElement {
  if (lane === row.lane) {
    const lines = [...(row.isRestedOn ? ['up'] : []), ...(row.hasParent ? ['down'] : [])];
    return element(
      'i',
      { class: ['lane', ...lines].join(' ') },
      element('span', { class: `shape ${row.state}` }, SHAPES[row.state]),
    );
  }
  if (row.passing.includes(lane)) return element('i', { class: 'lane past' }, '\u00a0');
  if (!row.joining.includes(lane)) return element('i', { class: 'lane' }, '\u00a0');
  return element('i', { class: lane === row.lane + 1 ? 'lane join first' : 'lane join' }, '\u00a0');
}

const markOf = (mark: SnapshotMark, words: string): XmlElement =>
  element('li', { class: `mark mono${mark.isPresent ? '' : ' gone'}` }, words);
