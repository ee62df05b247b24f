// The time line in the characters of a terminal: a bracket at the left holds the steps for which the guest stands still.
import { styleText } from 'node:util';
import type { Bar, BarKind, TimelinePicture, Window } from './timeline-model';
import { widthOf } from './words';

const TRACK = 48;
const BLOCKS: Readonly<Record<BarKind, string>> = { work: '░', freeze: '▒', pause: '▓', cut: '█' };
const STYLES: Readonly<Record<BarKind, Parameters<typeof styleText>[0]>> = {
  work: 'dim',
  freeze: 'cyan',
  pause: 'yellow',
  cut: 'green',
};

export function timelineText({ title, subtitle, bars, windows }: TimelinePicture, colour: boolean): string {
  const widest = Math.max(0, ...bars.map(({ label }) => widthOf(label)));
  const lines = bars.map((bar, at) => {
    const brackets = windows.map((window) => bracket(window, bars, at)).join('');
    const block = track(bar);
    const painted = colour ? styleText(STYLES[bar.kind], block, { validateStream: false }) : block;
    return `${brackets} ${bar.label}${' '.repeat(widest - widthOf(bar.label))}  ${painted}  ${bar.words}`;
  });
  return `${[title, subtitle, '', ...lines, ...windows.map(({ words }) => `└ ${words}`)].join('\n')}\n`;
}

function track({ kind, from, to }: Bar): string {
  const start = Math.min(Math.floor(from * TRACK), TRACK - 1);
  const length = Math.max(1, Math.round(to * TRACK) - start);
  return `${' '.repeat(start)}${BLOCKS[kind].repeat(length)}`.padEnd(TRACK);
}

/** By the steps that begin and end it: what it measured lies within them. */
function bracket({ kind }: Window, bars: readonly Bar[], at: number): string {
  const own: BarKind = kind === 'frozen' ? 'freeze' : 'pause';
  const first = bars.findIndex((bar) => bar.kind === own);
  const last = bars.findLastIndex((bar) => bar.kind === own);
  if (at < first || at > last) return ' ';
  return at === first ? '╭' : at === last ? '╰' : '│';
}
