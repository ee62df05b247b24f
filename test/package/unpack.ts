// After the tests of the package.
import { rmSync } from 'node:fs';
import { delimiter } from 'node:path';

export default function unpack(): void {
  const folders = process.env.PACKAGE_FOLDERS?.split(delimiter) ?? [];
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
