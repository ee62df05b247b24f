/** The code samples: of the Markdown files, and of the docstrings. A sample that imports is a program; others are pieces of one. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { pages, root } from './markdown';
import { isCode } from './plain-samples';

export interface Sample {
  /** Where a reader finds it: the file and line, or whose docstring. */
  where: string;
  language: string;
  /** As it stands there. */
  text: string;
}

const inPages = pages
  .flatMap(({ blocks }) => blocks)
  .filter(isCode)
  .map(({ where, language, text }): Sample => ({ where, language, text }));

/** Modules whose exports a piece may use without saying where they are from. */
const MODULES = { 'libvirt-disksnapshot': 'lib/index.ts', 'libvirt-disksnapshot/testing': 'lib/testing/index.ts' };
const files = Object.values(MODULES).map((file) => join(root, file));
const { config } = ts.readConfigFile(join(root, 'tsconfig.build.json'), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
// Symbols and docstrings alone: what the standard library and others declare is not asked for.
const program = ts.createProgram(files, { ...options, noEmit: true, noLib: true, types: [] });
const checker = program.getTypeChecker();

const exported = new Map(
  Object.entries(MODULES).map(([name, file]) => {
    const source = program.getSourceFile(join(root, file));
    const symbol = source && checker.getSymbolAtLocation(source);
    return [name, symbol ? checker.getExportsOfModule(symbol) : []];
  }),
);

/** The `@example`s of all exports and their members. */
function inDocstrings(): Sample[] {
  return [...exported.values()].flat().flatMap((symbol) => {
    const own = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return [own, ...(own.members?.values() ?? [])].flatMap((each) =>
      each
        .getJsDocTags(checker)
        .filter(({ name }) => name === 'example')
        .map(({ text }) => ({
          where: `@example of ${own.name}${each === own ? '' : `.${each.name}`}`,
          language: 'ts',
          text: ts.displayPartsToString(text),
        })),
    );
  });
}

/** A sample that boots guests of its own needs none of ours. */
export const bootsGuests = ({ text }: Sample) => /\b(TestGuest\.boot|guestForTests)\(/.test(text);

export const docstrings: readonly Sample[] = inDocstrings();
export const samples: readonly Sample[] = [...inPages, ...docstrings];

/** Of all sources: how many `@example`s there are, found or not. */
export function countExamples(): number {
  return readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(root, 'lib', file), 'utf8').match(/^\s*\* @example\b/gm)?.length ?? 0)
    .reduce((sum, count) => sum + count, 0);
}

export const isCommonJs = (text: string) => /\brequire\(/.test(text);
export const isProgram = (text: string) => /^import /m.test(text) || isCommonJs(text);

/** CommonJS is compiled as the module that it would be: in a script without types, `require` gives anything. */
export const asModule = (text: string) =>
  text.replaceAll(/^const (\{.*\}) = require\((.*)\);$/gm, 'import $1 from $2;');

/** What a piece takes for granted: the exports that it names. */
export function importsFor(text: string): string {
  return [...exported]
    .map(([module, symbols]) => {
      const used = symbols
        .map(({ name }) => name)
        .filter((name) => new RegExp(`(?<![.'\\w-])${name}\\b(?!['-])`).test(text));
      return used.length > 0 ? `import { ${used.join(', ')} } from '${module}';` : '';
    })
    .join(' ');
}
