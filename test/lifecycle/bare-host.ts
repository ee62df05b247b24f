// A daemon of our own for a test file, and guests without a system, which start at once.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import type { Connection, Subscription } from '../../lib/libvirt';
import { PrivateLibvirtd } from '../../lib/testing';
import { temporaryDirectory } from '../../lib/testing/scratch';

interface Host {
  daemon: PrivateLibvirtd;
  conn: Connection;
  directory: string;
  /** The path of a file that goes with the daemon. */
  at(name: string): string;
}

/** From the first to the last test of the file. */
export function host(): Host {
  const made = { at: (name: string) => join(made.directory, name) } as Host;
  beforeAll(async () => {
    made.directory = await temporaryDirectory('host');
    made.daemon = await PrivateLibvirtd.start();
    made.conn = await made.daemon.connect();
  });
  afterAll(async () => {
    await made.conn?.close();
    await made.daemon?.close();
    await rm(made.directory, { recursive: true });
  });
  return made;
}

const PORTS = [1, 2, 3, 4, 5]
  .map((index) => `<controller type='pci' index='${index}' model='pcie-root-port'/>`)
  .join('');

/** Its firmware speaks on the serial console, and finds nothing to boot from. */
export const guestXml = (name: string, devices = ''): string => `
  <domain type='qemu'><name>${name}</name><memory unit='MiB'>16</memory>
    <os><type arch='x86_64' machine='q35'>hvm</type><bios useserial='yes'/></os>
    <devices><serial type='pty'/>${PORTS}${devices}</devices>
  </domain>`;

/** The next event; the subscription ends with it. */
export async function next<E>(events: Subscription<E>): Promise<E> {
  for await (const event of events) return event;
  throw new Error('The subscription ended');
}
