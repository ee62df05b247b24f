// Before npm packs: makes all of the tarball that git does not hold. The compiler is not installed here; `npm run setup` does.
import { dist } from './dist.mjs';
import { prebuilt } from './prebuilt.mjs';
import { npmPackages } from './setup.mjs';

try {
  await npmPackages();
  await prebuilt();
  await dist();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
