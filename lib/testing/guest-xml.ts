// The domain XML of a test guest.
import { element, formatXml } from '../xml/document';
import { EMULATOR } from './accelerator';
import type { PreparedDisk } from './guest-disks';
import type { GuestImage } from './guest-image';

export interface GuestHardware {
  name: string;
  uuid: string;
  accelerator: 'kvm' | 'qemu';
  memoryMiB: number;
  vcpus: number;
  /** Undefined: the first disk's own system. */
  kernel: GuestImage | undefined;
  disks: readonly PreparedDisk[];
  /** File that receives the serial console. */
  console: string;
  /** Socket of the agent's channel; undefined: a guest without an agent. */
  agentSocket: string | undefined;
}

// panic=-1 and on_reboot destroy: a guest that fails to boot ends, instead of booting for ever. The rest is time that a
// throw-away guest gains nothing from: checks, and grace periods of RCU, of which each freeze of a file system takes several.
const COMMAND_LINE = [
  'console=ttyS0 panic=-1 quiet',
  'mitigations=off nokaslr no_timer_check cryptomgr.notests rcupdate.rcu_expedited=1',
].join(' ');

export function guestXml(guest: GuestHardware): string {
  const channel = element(
    'channel',
    { type: 'unix' },
    element('source', { mode: 'bind', path: guest.agentSocket }),
    element('target', { type: 'virtio', name: 'org.qemu.guest_agent.0' }),
  );
  return formatXml(
    element(
      'domain',
      { type: guest.accelerator },
      element('name', {}, guest.name),
      element('uuid', {}, guest.uuid),
      element('memory', { unit: 'MiB' }, String(guest.memoryMiB)),
      element('vcpu', {}, String(guest.vcpus)),
      element('os', {}, element('type', { arch: 'x86_64', machine: 'q35' }, 'hvm'), ...systemOf(guest)),
      element('features', {}, element('acpi')),
      element('cpu', { mode: guest.accelerator === 'kvm' ? 'host-passthrough' : 'maximum' }),
      element('on_reboot', {}, 'destroy'),
      element('on_crash', {}, 'destroy'),
      element(
        'devices',
        {},
        element('emulator', {}, `/usr/bin/${EMULATOR}`),
        ...guest.disks.map(diskElement),
        element('controller', { type: 'usb', model: 'none' }),
        element('serial', { type: 'file' }, element('source', { path: guest.console })),
        ...(guest.agentSocket === undefined ? [] : [channel]),
        element('memballoon', { model: 'none' }),
      ),
    ),
  );
}

function systemOf({ kernel }: GuestHardware) {
  if (kernel === undefined) return [element('boot', { dev: 'hd' })];
  return [
    element('kernel', {}, kernel.kernel),
    element('initrd', {}, kernel.initramfs),
    element('cmdline', {}, COMMAND_LINE),
  ];
}

function diskElement(disk: PreparedDisk) {
  const source = disk.type === 'block' ? { dev: disk.source } : { file: disk.source };
  // Unsafe only if the host crashes: what QEMU has written is in the host's page cache, which outlives QEMU. Flushes to a busy
  // host's disk would be most of what a test waits for, and most of what it measures.
  const cache = 'unsafe';
  return element(
    'disk',
    { type: disk.type, device: disk.device },
    element('driver', { name: 'qemu', type: disk.format, cache }),
    element('source', source),
    element('target', { dev: disk.target, bus: disk.device === 'cdrom' ? 'sata' : 'virtio' }),
    ...(disk.device === 'cdrom' ? [element('readonly')] : []),
  );
}
