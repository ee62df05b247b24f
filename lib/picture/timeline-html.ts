// The time line as one page: a table, whose middle column is the scale.
import { element, type XmlElement } from '../xml/document';
import { htmlText } from './drawing';
import type { Bar, TimelinePicture, Window } from './timeline-model';
import { BAR_RULES } from './timeline-svg';

/** On a telephone a plan's words stand below their step, beside the bar: as a third column they would break at every word. */
const NARROW =
  'th{width:38%}td.words{width:4.6rem}.plan tr{display:grid;grid-template:"track label" auto "track words" auto/24% 1fr;column-gap:.75rem}' +
  '.plan th{grid-area:label;width:auto;height:auto;padding-top:.5rem}.plan td.scale{grid-area:track;height:auto}.plan td.words{grid-area:words;width:auto;height:auto;padding-bottom:.5rem}';

const RULES =
  `${BAR_RULES}main{max-width:60rem;margin:0 auto;padding:1.5rem clamp(.75rem,3vw,2rem)}h1{font-size:1.4rem;margin:0}.mono{overflow-wrap:anywhere}` +
  '.quiet{color:var(--quiet);font-size:.85rem}ul{list-style:none;padding:0;margin:1rem 0;font-weight:600}table{width:100%;border-collapse:collapse;table-layout:fixed}' +
  'th,td{padding:.2rem .4rem .2rem 0;height:1.9rem;text-align:left;font-weight:400;font-size:.85rem}th{width:32%}td.words{width:26%}td.scale{position:relative}' +
  '.track{position:absolute;inset:0 .4rem 0 0}.track span{position:absolute;min-width:3px;border-radius:3px;overflow:hidden;color:transparent}.bar{top:calc(50% - .5rem);height:1rem}.frozen{top:0;bottom:0;background:var(--window)}.paused{top:0;bottom:0;border:dashed var(--missing);border-width:0 1px}.track .frozen,.track .paused{border-radius:0}' +
  `@media (max-width:36rem){${NARROW}}`;

export function timelineHtml({ title, subtitle, wholeMs, bars, windows }: TimelinePicture): string {
  return htmlText(
    { title, rules: RULES },
    element('h1', { class: 'mono' }, title),
    element('div', { class: 'quiet mono' }, subtitle),
    ...(windows.length === 0 ? [] : [element('ul', {}, ...windows.map(({ words }) => element('li', {}, words)))]),
    element(
      'table',
      { 'aria-label': 'steps', class: wholeMs === null ? 'plan' : 'measured' },
      element('tbody', {}, ...bars.map((bar) => rowOf(bar, windows))),
    ),
  );
}

function rowOf({ label, kind, from, to, words }: Bar, windows: readonly Window[]): XmlElement {
  const place = (start: number, end: number) => `left:${percent(start)};width:${percent(end - start)}`;
  const bands = windows.map((one) => element('span', { class: one.kind, style: place(one.from, one.to) }, '\u00a0'));
  const bar = element('span', { class: `bar ${kind}`, style: place(from, to) }, '\u00a0');
  return element(
    'tr',
    {},
    element('th', { scope: 'row', class: 'mono' }, label),
    element('td', { 'aria-hidden': 'true', class: 'scale' }, element('div', { class: 'track' }, ...bands, bar)),
    element('td', { class: 'words quiet mono' }, words),
  );
}

const percent = (part: number): string => `${(part * 100).toFixed(3)}%`;
