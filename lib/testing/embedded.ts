// QEMU without a daemon: libvirt's embedded driver, in this process.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Connection, connect } from '../libvirt';
import { qemuConf } from './qemu-conf';
import { scratchDirectory } from './scratch';

let shared: Promise<Connection> | undefined;

/**
 * The connection to the embedded driver that all guests of this process share. It is opened once and stays: libvirt enters
 * the driver into a small table with each open, and after about a dozen refuses with "Too many drivers".
 */
export function embeddedConnection(): Promise<Connection> {
  if (shared !== undefined) return shared;
  const opening = openEmbedded();
  const forget = () => {
    if (shared === opening) shared = undefined;
  };
  opening.then((connection) => connection.closed.then(forget), forget);
  shared = opening;
  return opening;
}

async function openEmbedded(): Promise<Connection> {
  // One root per process, for as long as it lives.
  const root = join(await scratchDirectory(), 'embed');
  await mkdir(join(root, 'etc'), { recursive: true });
  await writeFile(join(root, 'etc', 'qemu.conf'), qemuConf());
  return connect(`qemu:///embed?root=${encodeURIComponent(root)}`);
}
