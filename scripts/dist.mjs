// npm run build:ts: dist, as the package brings it. The implementation is CommonJS; beside each module that package.json
// exports stand a .mjs and a .d.mts that name the same things, so that `import` and `require` share one copy of them.
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { step } from './console.mjs';
import { filesIn, newest } from './files.mjs';
import { dependency, root, run } from './process.mjs';

const require = createRequire(import.meta.url);
const source = join(root, 'lib');
const target = join(root, 'dist');

/** Builds dist where it is not what the sources say. It asks the addon for what it exports: that one is built first. */
export async function dist() {
  if (isCurrent()) return;
  await step('dist', async () => {
    await rm(target, { recursive: true, force: true });
    await run(process.execPath, [dependency('typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json']);
    for (const entry of entries()) nameExports(entry);
  });
}

/** Whether it is complete, younger than its sources, and holds nothing that has lost its source. */
function isCurrent() {
  const modules = entries().map((entry) => join(root, entry.import.default));
  if (!modules.every((path) => existsSync(path))) return false;
  const sources = newest(source, ...['tsconfig.build.json', 'tsconfig.json'].map((name) => join(root, name)));
  const hasSource = (path) => existsSync(join(source, path.replace(/(\.d)?\.m?[jt]s$/, '.ts')));
  return modules.every((path) => statSync(path).mtimeMs >= sources) && filesIn(target).every(hasSource);
}

function entries() {
  return Object.values(require('../package.json').exports).filter((entry) => typeof entry !== 'string');
}

function nameExports(entry) {
  const names = Object.keys(require(join(root, entry.require.default))).sort();
  const implementation = `./${basename(entry.require.default)}`;
  const list = names.map((name) => `  ${name},\n`).join('');
  writeFileSync(join(root, entry.import.default), `export {\n${list}} from '${implementation}';\n`);
  writeFileSync(join(root, entry.import.types), `export * from '${implementation}';\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await dist();
