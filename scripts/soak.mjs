// npm run test:soak -- --minutes 30 --seed 7: random operations and deaths on several guests. The seed is printed: given
// again, it brings the same operations and faults.
import { parseArgs } from 'node:util';
import { heading } from './console.mjs';
import { dependency, runNodeReaped } from './process.mjs';
import { setup, TEST_PACKAGES } from './setup.mjs';

try {
  const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } });
  for (const [name, value] of Object.entries(values)) {
    if (!/^\d+$/.test(value)) throw new Error(`--${name} is a whole number, not ${value}`);
    process.env[`LIBVIRT_DISKSNAPSHOT_SOAK_${name.toUpperCase()}`] = value;
  }
  heading('Set-up');
  await setup({ packages: TEST_PACKAGES });
  process.exitCode = await runNodeReaped([dependency('jest', 'bin', 'jest.js'), '--selectProjects', 'soak']);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
