// A guest without a system, which starts at once.
import type { Subscription } from '../../lib/libvirt';

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
