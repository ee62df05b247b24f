// npm run demo: setup, then the demonstration on a real guest, then a look at what it left behind. Leaves nothing.
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { heading, note, step, style } from './console.mjs';
import { root, runNodeReaped } from './process.mjs';
import { setup } from './setup.mjs';

const start = performance.now();
try {
  heading('Set-up');
  await setup();
  const before = traces();
  const code = await runNodeReaped([join(root, 'scripts', 'demo-guest.mjs')]);
  heading('What is left');
  const left = await step('files and processes of the demonstration', () => settled(before));
  if (left.length > 0) throw new Error(`The demonstration left something behind:\n  ${left.join('\n  ')}`);
  note('No file, no process, no guest.');
  if (code !== 0) throw new Error('The demonstration failed.');
  console.log(style('green', `\nDone in ${((performance.now() - start) / 1000).toFixed(0)} s.`));
} catch (error) {
  console.error(`\n${style('red', error.message)}`);
  process.exitCode = 1;
}

/** Folders of test guests, and processes that name them. */
function traces() {
  const folders = readdirSync(tmpdir()).filter((name) => name.startsWith('disksnapshot-'));
  const processes = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(`${tmpdir()}/disksnapshot-`) ? [`process ${pid}: ${command}`] : [];
      } catch {
        return []; // it has just ended
      }
    });
  return [...folders.map((name) => join(tmpdir(), name)), ...processes];
}

/** What is there now and was not before. The folder goes a moment after its process, so it is looked at until it is gone. */
async function settled(before) {
  const deadline = performance.now() + 5000;
  for (;;) {
    const left = traces().filter((trace) => !before.includes(trace));
    if (left.length === 0 || performance.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
