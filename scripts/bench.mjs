// npm run bench, npm run bench:NAME: setup, then bench/engine.mjs or bench/NAME.mjs with the further arguments, under a process that reaps what guests leave.
import { join } from 'node:path';
import { root, runNodeReaped } from './process.mjs';
import { STORAGE_PACKAGES, setup } from './setup.mjs';

/** What each compares with, or measures on. */
const PACKAGES = { engine: ['gcc', 'python3-libvirt'], freeze: STORAGE_PACKAGES };

const [name, ...args] = process.argv.slice(2);
try {
  await setup({ packages: PACKAGES[name] ?? [] });
  process.exitCode = await runNodeReaped([join(root, 'bench', `${name}.mjs`), ...args]);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
