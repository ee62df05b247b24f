// Every link of every Markdown file leads somewhere, and every command in it exists.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Block, pages, root } from './markdown';
import { isShell, linesOf } from './plain-samples';

const anchorsOf = new Map(pages.map(({ file, anchors }) => [file, anchors]));

/** Why a link leads nowhere; null where it does not. */
function broken(from: string, link: string): string | null {
  if (/^(https?|mailto):/.test(link)) return URL.canParse(link) ? null : 'no URL';
  const [path = '', anchor] = link.split('#');
  const file = path === '' ? from : join(dirname(from), decodeURIComponent(path));
  if (!existsSync(join(root, file))) return `${file} does not exist`;
  if (anchor === undefined) return null;
  return anchorsOf.get(file)?.has(anchor) ? null : `${file} has no heading #${anchor}`;
}

describe.each(pages.filter(({ links }) => links.length > 0))('$file', ({ file, links }) => {
  test.each([...new Set(links)])('%s', (link) => {
    expect(broken(file, link)).toBeNull();
  });
});

test('a missing file and a missing heading are noticed', () => {
  expect(broken('README.md', 'docs/nowhere.md')).not.toBeNull();
  expect(broken('README.md', 'CONTRIBUTING.md#nowhere')).not.toBeNull();
});

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
const OF_NPM = ['ci', 'install', 'pack', 'rebuild', 'install-scripts', 'init'];
/** Programs of others. */
const KNOWN = [
  'apt-get',
  'sudo',
  'virsh',
  'virt-xml',
  'qemu-img',
  'lvremove',
  'node',
  'npx',
  'git',
  'cd',
  'cat',
  'mkdir',
  'eval',
  'export',
  'cp',
];

/** Why a line of a shell cannot be meant; null where it can. */
function unknownCommand(line: string, own: Record<string, string> = {}): string | null {
  const words = line.replace(/^\s*(\$\s+)?((\w+=\S*|sudo)\s+)*/, '').split(/\s+/);
  const [program = '', first = '', second = ''] = words;
  if (program !== 'npm') return program === 'disksnap' || KNOWN.includes(program) ? null : `${program} is not known`;
  const script = first === 'run' ? second : first;
  return script in scripts || script in own || (first !== 'run' && OF_NPM.includes(first))
    ? null
    : `there is no npm script ${script}`;
}

const shells = pages.flatMap(({ blocks }) => blocks).filter(isShell);

/** Of the example that the page belongs to. */
function ownScripts({ where }: Block): Record<string, string> {
  const path = join(root, dirname(where), 'package.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')).scripts ?? {}) : {};
}

describe.each(shells)('$where', (block) => {
  test.each(linesOf(block))('%s', (line) => {
    expect(unknownCommand(line, ownScripts(block))).toBeNull();
  });
});

test('a script that does not exist is noticed', () => {
  expect(unknownCommand('npm run nothing')).not.toBeNull();
});
