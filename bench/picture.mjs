// The engine's figures as a picture: one group of bars for each row, the longest bar of a group is its slowest client.
import { availableParallelism } from 'node:os';
import { XMLBuilder } from 'fast-xml-parser';
import { OURS } from './clients.mjs';

const BAR = 18;
const GROUP = 120;
const NAMES = 170;
const LONGEST = 420;

/** @param {{ title: string, microseconds: Record<string, number> }[]} results */
export function picture(results) {
  const height = results.length * GROUP + 40;
  const note = `Median microseconds per call, shorter is better. All in turn, in one run, on ${availableParallelism()} cores, ${process.platform} ${process.arch}, Node ${process.versions.node}.`;
  const svg = {
    '@xmlns': 'http://www.w3.org/2000/svg',
    '@viewBox': `0 0 ${NAMES + LONGEST + 110} ${height}`,
    '@font-family': 'sans-serif',
    '@font-size': 12,
    rect: [{ '@width': '100%', '@height': '100%', '@fill': '#ffffff' }, ...results.flatMap(bars)],
    text: [...results.flatMap(texts), { '@x': 10, '@y': height - 14, '@fill': '#666666', '#text': note }],
  };
  return new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', format: true }).build({ svg });
}

const rows = ({ microseconds }) => {
  const slowest = Math.max(...Object.values(microseconds));
  return Object.entries(microseconds).map(([name, time]) => ({ name, time, width: (time / slowest) * LONGEST }));
};
const top = (group, bar) => group * GROUP + 30 + bar * (BAR + 3);

const bars = (result, group) =>
  rows(result).map(({ name, width }, bar) => ({
    '@x': NAMES,
    '@y': top(group, bar),
    '@width': width.toFixed(1),
    '@height': BAR,
    '@fill': name === OURS ? '#2f6fde' : '#b8c2cf',
  }));

const texts = (result, group) => [
  { '@x': 10, '@y': top(group, 0) - 9, '@font-weight': 'bold', '#text': result.title },
  ...rows(result).flatMap(({ name, time, width }, bar) => [
    { '@x': NAMES - 8, '@y': top(group, bar) + 13, '@text-anchor': 'end', '#text': name },
    { '@x': (NAMES + width + 6).toFixed(1), '@y': top(group, bar) + 13, '#text': `${time.toFixed(1)} µs` },
  ]),
];
