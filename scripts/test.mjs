// npm test: setup, then Jest with the given arguments, under a process that reaps what guests leave.
import { dependency, runNodeReaped } from './process.mjs';
import { setup } from './setup.mjs';

try {
  await setup();
  process.exitCode = await runNodeReaped([dependency('jest', 'bin', 'jest.js'), ...process.argv.slice(2)]);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
