/** The repository's Markdown files, as a parser sees them: code blocks, links and headings. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import MarkdownIt from 'markdown-it';

export const root = resolve(__dirname, '../..');
const SKIPPED = new Set(['node_modules', 'dist', 'build', 'build-cmake', 'prebuilds', 'coverage', 'api', '.git']);

export interface Block {
  /** Path from the root, and line: where a reader finds it. */
  where: string;
  /** What follows the fence: the language, then our own words. */
  language: string;
  words: readonly string[];
  text: string;
}

export interface Page {
  file: string;
  blocks: readonly Block[];
  links: readonly string[];
  anchors: ReadonlySet<string>;
}

const parser = new MarkdownIt({ html: true });

export const pages: readonly Page[] = markdownFiles(root).map((path) => readPage(path));

function markdownFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : markdownFiles(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

function readPage(path: string): Page {
  const file = relative(root, path);
  const tokens = parser.parse(readFileSync(path, 'utf8'), {});
  const blocks = tokens
    .filter(({ type }) => type === 'fence')
    .map(({ info, content, map }) => {
      const [language = '', ...words] = info.trim().split(/\s+/);
      return { where: `${file}:${(map?.[0] ?? 0) + 1}`, language, words, text: content };
    });
  const inline = tokens.flatMap(({ children }) => children ?? []);
  const links = inline.flatMap((token) => token.attrGet('href') ?? token.attrGet('src') ?? []);
  return { file, blocks, links, anchors: anchorsOf(tokens) };
}

/** As GitHub makes them. */
function anchorsOf(tokens: ReturnType<typeof parser.parse>): Set<string> {
  const anchors = new Set<string>();
  for (const [index, { type }] of tokens.entries()) {
    if (type !== 'heading_open') continue;
    const children = tokens[index + 1]?.children ?? [];
    const text = children.map(({ content }) => content).join('');
    const slug = text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}
