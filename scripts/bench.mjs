// npm run bench, npm run bench:NAME: setup, then bench/engine.mjs or bench/NAME.mjs with the further arguments, under a process that reaps what guests leave.
import { join } from 'node:path';
import { root, runNodeReaped } from './process.mjs';
import { setup } from './setup.mjs';

const [name, ...args] = process.argv.slice(2);
try {
  await setup({ packages: ['gcc', 'python3-libvirt'] });
  process.exitCode = await runNodeReaped([join(root, 'bench', `${name}.mjs`), ...args]);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
