// What a handle that JavaScript holds costs in memory: libvirt's object, ours around it, and JavaScript's.
import { join } from 'node:path';
import { root, run } from '../scripts/process.mjs';

/** A sentence about it, for a host with many guests. */
export async function heldHandles(uri) {
  const { handles, bytes, heapBytes } = JSON.parse(
    await run(process.execPath, ['--expose-gc', join(root, 'bench', 'clients', 'holder.mjs'), uri]),
  );
  const each = (total) => Math.round(total / handles);
  return `Memory of each handle that is held, of ${handles.toLocaleString('en')}: ${each(bytes)} bytes, of which ${each(heapBytes)} in the heap of JavaScript.`;
}
