// What every drawing shares: its colours in light and dark, and how SVG and HTML become text.
import { element, formatXml, type XmlElement, type XmlNode } from '../xml/document';

/** Of Okabe and Ito, whom people of any colour vision tell apart, darkened or lightened until text in them has contrast 4.5. */
const LIGHT = {
  paper: '#ffffff',
  panel: '#f5f6f8',
  ink: '#16202c',
  quiet: '#4d5866',
  line: '#8a94a1',
  live: '#006b4f',
  snapshot: '#00598f',
  branch: '#84476a',
  missing: '#a83a00',
  window: '#fff0cf',
} as const;
const DARK: Record<keyof typeof LIGHT, string> = {
  paper: '#12171e',
  panel: '#1b222b',
  ink: '#eef2f6',
  quiet: '#aab4c0',
  line: '#75808d',
  live: '#3fd1a4',
  snapshot: '#6fc1f2',
  branch: '#e3a3c6',
  missing: '#ff9a5c',
  window: '#453510',
};

const variables = (colours: Readonly<Record<string, string>>): string =>
  Object.entries(colours)
    .map(([name, value]) => `--${name}:${value};`)
    .join('');

const SANS = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;";
const MONO = "font-family:ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace;";

/** Rules that hold no `<`, `>` or `&`: HTML does not read references in a style. */
export function styleOf(scope: string, rules: string): XmlElement {
  const dark = `@media (prefers-color-scheme:dark){${scope}{${variables(DARK)}}}`;
  const fonts = `.sans{${SANS}}.mono{${MONO}}`;
  return element('style', {}, `${scope}{color-scheme:light dark;${variables(LIGHT)}}${dark}${fonts}${rules}`);
}

/** A picture that stands by itself: a title and a description for whoever does not see it. */
export function svgText(
  size: { width: number; height: number; title: string; description: string; rules: string },
  ...children: readonly XmlNode[]
): string {
  const { width, height, title, description, rules } = size;
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    'aria-labelledby': 'title description',
  };
  const root = element(
    'svg',
    attributes,
    element('title', { id: 'title' }, title),
    element('desc', { id: 'description' }, description),
    styleOf('svg', `svg{max-width:100%;height:auto;background:var(--paper)}${rules}`),
    element('rect', { width, height, fill: 'var(--paper)' }),
    ...children,
  );
  return `${formatXml(root, { indent: '  ' })}\n`;
}

/** One page that needs nothing else: no script, no font, no image of anybody's. */
export function htmlText(page: { title: string; rules: string }, ...children: readonly XmlNode[]): string {
  const root = element(
    'html',
    { lang: 'en' },
    element(
      'head',
      {},
      element('meta', { charset: 'utf-8' }),
      element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
      element('title', {}, page.title),
      styleOf(
        ':root',
        `*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);${SANS}}${page.rules}`,
      ),
    ),
    element('body', {}, element('main', {}, ...children)),
  );
  return `<!DOCTYPE html>\n${formatXml(root)}\n`;
}
