// The time line as SVG: labels, bars on a common scale, a band behind those for which the guest stands still.
import { element, type XmlElement } from '../xml/document';
import { svgText } from './drawing';
import type { Bar, TimelinePicture, Window } from './timeline-model';
import { shorten } from './words';

const WIDTH = 760;
const MARGIN = 24;
const LEFT = 190;
const TRACK = 400;
/** A plan's words need the room more than its bars, which are not to scale. */
const PLAN_TRACK = 150;
const ROW = 28;
const COLUMN = 7.6;

export const BAR_RULES =
  '.work{fill:var(--line);background:var(--line)}.freeze{fill:var(--snapshot);background:var(--snapshot)}.pause{fill:var(--missing);background:var(--missing)}.cut{fill:var(--live);background:var(--live)}';
const RULES =
  `${BAR_RULES}.title{font-size:20px;font-weight:600;fill:var(--ink)}.label{font-size:12.5px;fill:var(--ink)}.detail{font-size:12px;fill:var(--quiet)}` +
  '.frozen{fill:var(--window)}.paused{fill:none;stroke:var(--missing);stroke-dasharray:4 3}.words{font-size:12.5px;font-weight:600;fill:var(--ink)}';

export function timelineSvg({ title, subtitle, wholeMs, bars, windows }: TimelinePicture): string {
  const text = (x: number, y: number, kind: string, words: string, right = WIDTH - MARGIN, size = COLUMN) =>
    element('text', { x, y, class: `${kind} mono` }, shorten(words, Math.max(1, Math.floor((right - x) / size))));
  const track = wholeMs === null ? PLAN_TRACK : TRACK;
  const top = 88 + windows.length * 22;
  const height = top + bars.length * ROW;
  const bands = windows.flatMap((window, at) => bandOf(window, track, 88 + at * 22, height, text));
  const rows = bars.flatMap((bar, at) => rowOf(bar, track, top + at * ROW, text));
  return svgText(
    {
      width: WIDTH,
      height: height + 20,
      title,
      description: [subtitle, ...windows.map(({ words }) => words)].join(', '),
      rules: RULES,
    },
    text(MARGIN, 40, 'title', title, WIDTH - MARGIN, 12.6),
    text(MARGIN, 62, 'detail', subtitle),
    ...bands,
    ...rows,
  );
}

type Text = (x: number, y: number, kind: string, words: string, right?: number) => XmlElement;

function bandOf(
  { kind, words, from, to }: Window,
  track: number,
  top: number,
  bottom: number,
  text: Text,
): XmlElement[] {
  const x = LEFT + from * track;
  const width = Math.max(3, (to - from) * track);
  const label = Math.min(x, WIDTH - MARGIN - words.length * COLUMN - 8);
  const band = element('rect', { class: kind, x, y: top, width, height: bottom - top + 4, rx: 4 });
  return [band, text(label, top - 6, 'words', words)];
}

function rowOf({ label, kind, from, to, words }: Bar, track: number, y: number, text: Text): XmlElement[] {
  const x = LEFT + from * track;
  const width = Math.max(3, (to - from) * track);
  return [
    text(MARGIN, y + 18, 'label', label, LEFT - 8),
    element('rect', { class: kind, x, y: y + 7, width, height: 14, rx: 3 }),
    text(LEFT + track + 12, y + 18, 'detail', words),
  ];
}
