// npm test: setup, then Jest, under a process that reaps what guests leave. Without arguments all kinds of tests, one kind
// after the other: those that measure time should not run beside those that boot guests.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { heading } from './console.mjs';
import { dependency, root, runNodeReaped } from './process.mjs';
import { setup, TEST_PACKAGES } from './setup.mjs';

const jest = (args) => runNodeReaped([dependency('jest', 'bin', 'jest.js'), ...args]);

try {
  const args = process.argv.slice(2);
  heading('Set-up');
  await setup({ packages: TEST_PACKAGES, examples: true });
  if (args.length > 0) {
    process.exitCode = await jest(args);
  } else {
    const { projects } = createRequire(import.meta.url)(join(root, 'jest.config.js'));
    for (const { displayName } of projects) {
      heading(`Tests: ${displayName}`);
      process.exitCode = (await jest(['--selectProjects', displayName])) || process.exitCode;
    }
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
