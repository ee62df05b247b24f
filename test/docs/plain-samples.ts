/** Samples that are no code: lines of shells, and data. What is done with each, or why nothing is. */
import type { Block } from './markdown';

/** Where one of them is looked at, or why nowhere. */
export interface Plain {
  in: string;
  /** What it alone in that file holds. */
  holds?: string;
  /** The test that runs or reads it. */
  by?: string;
  notRun?: string;
}

const FIRST_STEPS = 'test/package/first-steps.test.ts';

/** Of lines in `sh` blocks: those that test/docs/shell.test.ts does not run as they stand. */
export const LINES: readonly Plain[] = [
  { in: 'README.md', holds: 'npm install libvirt-disksnapshot', by: FIRST_STEPS },
  { in: 'README.md', holds: 'npm run demo', notRun: 'takes the machine for itself: .ci/run runs it last' },
  { in: 'README.md', holds: 'npm test', notRun: 'it is these tests' },
  { in: 'docs/quick-start.md', holds: 'npm install libvirt-disksnapshot', by: FIRST_STEPS },
  { in: 'docs/quick-start.md', holds: 'npm install --save-dev typescript', by: FIRST_STEPS },
  { in: 'docs/quick-start.md', holds: 'npx tsc', by: FIRST_STEPS },
  { in: 'docs/versions.md', notRun: 'makes a release; test/package packs and installs one' },
  {
    in: 'CONTRIBUTING.md',
    notRun: 'runs tests, takes minutes to hours; links.test.ts looks that there is such a script',
  },
  {
    in: 'examples/manager/README.md',
    notRun: 'installs and starts the service; its own tests do, after npm run setup',
  },
];

/** Of blocks that are data, or a session. */
export const DATA: readonly Plain[] = [
  { in: 'docs/cli.md', holds: '"exitCode": 4 } }', by: 'test/docs/data.test.ts' },
  { in: 'docs/cli.md', holds: '$ disksnap plan', by: 'test/guest/cli.test.ts' },
  { in: 'docs/quick-start.md', holds: 'compilerOptions', by: FIRST_STEPS },
  { in: 'docs/consistency.md', holds: '<channel', by: 'test/docs/data.test.ts' },
  { in: 'docs/methods.md', holds: '<diskSnapshot', by: 'test/docs/data.test.ts' },
  { in: 'examples/vendor-array/README.md', holds: '<array', by: 'test/docs/data.test.ts' },
  { in: 'examples/manager/README.md', holds: '"nightly"', by: 'examples/manager/test/config.test.ts' },
  { in: 'CONTRIBUTING.md', holds: 'FN(', by: 'test/docs/data.test.ts' },
];

export const isCode = ({ language }: Block) => /^(ts|mts|js|mjs|javascript|typescript)$/.test(language);
export const isShell = ({ language }: Block) => /^(sh|bash|shell)$/.test(language);

/** The commands of a block, without comments; what `\` continues is one. */
export const linesOf = ({ text }: Block): string[] =>
  text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*/, '').trimEnd())
    .filter((line) => line.trim() !== '');

export const isAbout = ({ in: file, holds = '' }: Plain, where: string, text: string): boolean =>
  where.startsWith(`${file}:`) && text.includes(holds);
