// npm test: setup, then Jest with the given arguments, under a process that reaps what guests leave.
import { dependency, runNodeReaped } from './process.mjs';
import { setup, TEST_PACKAGES } from './setup.mjs';

try {
  await setup({ packages: TEST_PACKAGES });
  process.exitCode = await runNodeReaped([dependency('jest', 'bin', 'jest.js'), ...process.argv.slice(2)]);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
