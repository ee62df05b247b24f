// The time line as a Mermaid Gantt chart. A plan takes one second: only the order of its steps is known.
import type { Bar, BarKind, TimelinePicture } from './timeline-model';
import { shorten } from './words';

const TAGS: Readonly<Record<BarKind, string>> = {
  work: 'done, ',
  freeze: 'active, ',
  pause: 'active, ',
  cut: 'crit, ',
};
const PLAN_MS = 1000;

export function timelineMermaid({ title, subtitle, wholeMs, bars, windows }: TimelinePicture): string {
  const heads = [title, subtitle, ...windows.map(({ words }) => words)];
  const lines = [
    'gantt',
    `  title ${plain(heads.join(' · '))}`,
    '  dateFormat x',
    '  axisFormat %L',
    '  section steps',
  ];
  return `${[...lines, ...bars.map((bar) => taskOf(bar, wholeMs ?? PLAN_MS))].join('\n')}\n`;
}

function taskOf({ label, kind, from, to, words }: Bar, whole: number): string {
  const start = Math.round(from * whole);
  return `  ${plain(`${label} · ${words}`)} :${TAGS[kind]}${start}, ${Math.max(start + 1, Math.round(to * whole))}`;
}

/** A task's name knows no quotes: what the grammar would read is left out. */
const plain = (text: string): string => shorten(text.replace(/[^\p{L}\p{M}\p{N} ./·…_-]/gu, ' ').trim(), 80);
