// What a guest that is off "has written": a block of a file that it keeps for this, changed in its image from outside, so that
// what is merged, reverted or kept can be told apart without booting it.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';
import { type Base, FOLDERS, type Laboratory } from './laboratory';

const BLOCK = 1024;

/** In the guest: a file of one block on each disk. */
export async function makeSpare(lab: Laboratory): Promise<void> {
  for (const folder of FOLDERS) await lab.sh(`head -c ${BLOCK} /dev/zero >${folder}/spare && sync ${folder}/spare`);
}

export async function writeSpare(lab: Laboratory, byte: number): Promise<void> {
  for (const { file } of await images(lab)) {
    await run('qemu-io', ['-c', `write -P ${byte} ${await placeOf(lab, { file })} ${BLOCK}`, file]);
  }
}

/** What the block of each disk is full of. */
export async function readSpare(lab: Laboratory): Promise<number[]> {
  const bytes: number[] = [];
  for (const { file } of await images(lab)) {
    const place = await placeOf(lab, { file });
    const { stdout } = await run('qemu-io', ['-r', '-c', `read -v ${place} ${BLOCK}`, file]);
    bytes.push(Number.parseInt(/^[0-9a-f]+:\s+([0-9a-f]{2})/m.exec(stdout)?.[1] ?? '', 16));
  }
  return bytes;
}

async function images(lab: Laboratory): Promise<{ file: string }[]> {
  const sources = await lab.sources();
  return sources.flatMap((source) => ('file' in source ? [source] : []));
}

/** In bytes, from the disk's begin. */
async function placeOf(lab: Laboratory, image: Base): Promise<number> {
  const directory = await temporaryDirectory('spare');
  const raw = join(directory, 'disk.raw');
  try {
    await lab.copyOut(image, null, raw);
    const { stdout: header } = await run('dumpe2fs', ['-h', raw]);
    const { stdout: blocks } = await run('debugfs', ['-R', 'blocks /spare', raw]);
    const size = Number(/^Block size:\s+(\d+)$/m.exec(header)?.[1]);
    const place = Number(blocks.trim()) * size;
    if (!(place > 0)) throw new Error(`no block of /spare in ${JSON.stringify(image)}: ${blocks}`);
    return place;
  } finally {
    await rm(directory, { recursive: true });
  }
}
