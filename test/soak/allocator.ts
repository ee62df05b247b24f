// Builds allocations.c, by the compiler that also builds the addon.
import { join } from 'node:path';
import { run } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';

/** @returns what a process loads with `require` */
export async function buildAllocator(): Promise<string> {
  const library = join(await temporaryDirectory('allocations'), 'allocations.node');
  await run('cc', ['-shared', '-fPIC', '-o', library, join(__dirname, 'allocations.c')]);
  return library;
}
