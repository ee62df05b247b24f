// npm run demo: setup, then the demonstration on a real guest, then a look at what it left behind. Leaves nothing.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { heading, note, style } from './console.mjs';
import { root, runNodeReaped } from './process.mjs';
import { setup } from './setup.mjs';

const start = performance.now();
// Everything temporary of the demonstration goes here, so that what is left can be seen. Short: a socket's path holds 107 bytes.
const folder = mkdtempSync(join(tmpdir(), 'demo-'));
try {
  heading('Set-up');
  await setup();
  const environment = { ...process.env, TMPDIR: folder };
  const code = await runNodeReaped([join(root, 'scripts', 'demo-guest.mjs')], { env: environment });
  heading('What is left');
  const left = await settled();
  if (left.length > 0) throw new Error(`The demonstration left something behind:\n  ${left.join('\n  ')}`);
  note('no file, no process, no guest');
  if (code !== 0) throw new Error('The demonstration failed.');
  console.log(style('green', `\nDone in ${((performance.now() - start) / 1000).toFixed(0)} s.`));
} catch (error) {
  console.error(`\n${style('red', error.message)}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Files in the folder, and processes that name it. */
function traces() {
  const processes = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(`${folder}/`) ? [`process ${pid}: ${command}`] : [];
      } catch {
        return []; // it has just ended
      }
    });
  return [...readdirSync(folder).map((name) => join(folder, name)), ...processes];
}

/** The last of it goes a moment after the process whose it was: that is waited for, but not for long. */
async function settled() {
  const deadline = performance.now() + 5000;
  for (;;) {
    const left = traces();
    if (left.length === 0 || performance.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
