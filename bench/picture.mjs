// The engine's figures as a picture: one group of bars for each row, the longest bar of a group is its slowest client.
import { availableParallelism } from 'node:os';
import { XMLBuilder } from 'fast-xml-parser';
import { OURS } from './rows.mjs';

const BAR = 18;
const STEP = BAR + 3;
const HEAD = 44; // of a group: its title, and room above it
const NAMES = 170;
const LONGEST = 420;
const TITLE = 'What a call costs';

/** @param {{ title: string, microseconds: Record<string, number> }[]} results */
export function picture(results) {
  let end = 0;
  const groups = results.map((result) => {
    const top = end + HEAD;
    end = top + Object.keys(result.microseconds).length * STEP;
    return { ...result, top };
  });
  const height = end + 40;
  const note = `Median microseconds, shorter is better. All in turn, in one run, on ${availableParallelism()} cores, ${process.platform} ${process.arch}, Node ${process.versions.node}.`;
  const svg = {
    '@xmlns': 'http://www.w3.org/2000/svg',
    '@viewBox': `0 0 ${NAMES + LONGEST + 110} ${height}`,
    '@font-family': 'sans-serif',
    '@font-size': 12,
    title: TITLE,
    rect: [{ '@width': '100%', '@height': '100%', '@fill': '#ffffff' }, ...groups.flatMap(bars)],
    text: [...groups.flatMap(texts), { '@x': 10, '@y': height - 14, '@fill': '#666666', '#text': note }],
  };
  return new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', format: true }).build({ svg });
}

const rows = ({ microseconds, top }) => {
  const slowest = Math.max(...Object.values(microseconds));
  return Object.entries(microseconds).map(([name, time], at) => ({
    name,
    time,
    width: (time / slowest) * LONGEST,
    y: top + at * STEP,
  }));
};

const bars = (group) =>
  rows(group).map(({ name, width, y }) => ({
    '@x': NAMES,
    '@y': y,
    '@width': width.toFixed(1),
    '@height': BAR,
    '@fill': name === OURS ? '#2f6fde' : '#b8c2cf',
  }));

const texts = (group) => [
  { '@x': 10, '@y': group.top - 9, '@font-weight': 'bold', '#text': group.title },
  ...rows(group).flatMap(({ name, time, width, y }) => [
    { '@x': NAMES - 8, '@y': y + 13, '@text-anchor': 'end', '#text': name },
    { '@x': (NAMES + width + 6).toFixed(1), '@y': y + 13, '#text': `${time.toFixed(2)} µs` },
  ]),
];
