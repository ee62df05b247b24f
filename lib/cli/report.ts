// The time line of one snapshot as a file, in the format that its extension names.
import { writeFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { Option } from 'commander';
import { drawTimeline, type PictureFormat } from '../picture';
import { usageError } from './failure';

const FORMATS: Readonly<Record<string, PictureFormat>> = {
  '.svg': 'svg',
  '.html': 'html',
  '.txt': 'text',
  '.mmd': 'mermaid',
  '.json': 'json',
};

export const reportOption = () =>
  new Option('--report <file>', `draw the time line into that file: ${Object.keys(FORMATS).join(', ')}`);

export type Report = (timeline: Parameters<typeof drawTimeline>[0]) => Promise<void>;

/** Refuses a name that says no format, before anything is begun. */
export function reportTo(file: string | undefined): Report {
  if (file === undefined) return async () => {};
  const format = FORMATS[extname(file)];
  if (!format) throw usageError(`--report ${file}: its name ends in ${Object.keys(FORMATS).join(', ')}`);
  return (timeline) => writeFile(resolve(file), drawTimeline(timeline, { format }));
}
