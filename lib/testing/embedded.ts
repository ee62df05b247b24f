// QEMU without a daemon: one connection to the embedded driver, shared by all guests of this process.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Connection, connect } from '../libvirt';
import { QEMU_CONF } from './qemu-conf';
import { scratchDirectory } from './scratch';

let shared: Promise<Connection> | undefined;
let users = 0;

/** The shared connection, opened by the first user. Each call is matched by one `releaseEmbedded`. */
export async function acquireEmbedded(): Promise<Connection> {
  users += 1;
  shared ??= openEmbedded();
  try {
    return await shared;
  } catch (error) {
    await releaseEmbedded();
    throw error;
  }
}

/** The last user closes the connection. */
export async function releaseEmbedded(): Promise<void> {
  users -= 1;
  if (users > 0) return;
  const connection = shared;
  shared = undefined;
  await connection?.then(
    (open) => open.close(),
    () => {}, // never opened
  );
}

async function openEmbedded(): Promise<Connection> {
  const root = join(await scratchDirectory(), 'embed');
  await mkdir(join(root, 'etc'), { recursive: true });
  await writeFile(join(root, 'etc', 'qemu.conf'), QEMU_CONF);
  return connect(`qemu:///embed?root=${encodeURIComponent(root)}`);
}
