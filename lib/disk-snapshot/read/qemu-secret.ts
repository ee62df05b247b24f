// A secret on its way to one of QEMU's tools: in a file without a name, since anybody can read a process's arguments, and a
// file with a name stays when we are killed.
import { randomUUID } from 'node:crypto';
import { open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failInTemporary } from '../system-error';

/** The id by which an image's node refers to it. */
export const SECRET = 'key';

/** What a tool is started with. */
export interface HandedSecret {
  options: readonly string[];
  /** Of the child, from 3 on. */
  descriptors: readonly number[];
  /** When the child has been started. */
  close(): Promise<void>;
}

const NONE: HandedSecret = { options: [], descriptors: [], close: async () => undefined };

export async function handSecret(secret: Uint8Array | null): Promise<HandedSecret> {
  if (!secret) return NONE;
  const path = join(tmpdir(), `libvirt-disksnapshot-${randomUUID()}`);
  const file = await open(path, 'wx', 0o600).catch((error) => failInTemporary('hand over a secret through', error));
  try {
    await unlink(path);
    await file.write(secret);
  } catch (error) {
    await file.close();
    throw error;
  }
  const options = ['--object', `secret,id=${SECRET},file=/dev/fd/3`];
  return { options, descriptors: [file.fd], close: () => file.close() };
}
