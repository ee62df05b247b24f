// A libvirt host that is another machine: a small Debian in a virtual machine, with LVM and btrfs, which the kernel of the
// machine below may lack. Whatever works there works through libvirt's API alone.
import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type Connection,
  connect,
  type Domain,
  DomainCreateFlags,
  DomainQemuMonitorCommandFlags,
} from '../../../lib/libvirt';
import { accelerator, EMULATOR } from '../../../lib/testing/accelerator';
import { type ExecResult, guestExec } from '../../../lib/testing/agent';
import { run } from '../../../lib/testing/command';
import { embeddedConnection } from '../../../lib/testing/embedded';
import { guestImage } from '../../../lib/testing/guest-image';
import { startAndWait } from '../../../lib/testing/guest-ready';
import { temporaryDirectory } from '../../../lib/testing/scratch';
import { element, formatXml } from '../../../lib/xml/document';
import type { LvmHost } from './host';
import { hostImage } from './root';
import { BOOT_FILES, HOST_FILES, LIBVIRTD, LIBVIRTD_PORT, PHYSICAL_VOLUME } from './scripts';

/** Of the host's disks, in MiB: the volume group, and the btrfs. Holes until something is written. */
const DISKS = { volumes: 2048, btrfs: 1024 };
const BOOT_LIMIT_MS = 120_000;

export class VirtualHost implements LvmHost {
  /** Guests in it are emulated, as it may be itself. */
  readonly hardware: LvmHost['hardware'] = {
    accelerator: 'qemu',
    kernel: { kernel: `${BOOT_FILES}/kernel`, initramfs: `${BOOT_FILES}/initramfs` },
  };
  readonly folder = '/run';
  readonly physicalVolume = PHYSICAL_VOLUME;
  readonly #domain: Domain;
  readonly #directory: string;
  /** As another machine's: `qemu+tcp://…`. */
  readonly uri: string;

  private constructor(domain: Domain, directory: string, uri: string) {
    this.#domain = domain;
    this.#directory = directory;
    this.uri = uri;
  }

  /** Resolves when its libvirtd answers; nothing that happens in it outlives it. */
  static async boot(): Promise<VirtualHost> {
    const directory = await temporaryDirectory('lvm-host');
    try {
      const xml = formatXml(await domainXml(directory));
      const connection = await embeddedConnection();
      const domain = await startAndWait({
        console: join(directory, 'console.log'),
        agent: true,
        timeoutMs: BOOT_LIMIT_MS,
        signal: undefined,
        startPaused: () => connection.domainCreateXML(xml, DomainCreateFlags.START_PAUSED),
      });
      return new VirtualHost(domain, directory, `qemu+tcp://127.0.0.1:${await forwardedPort(domain)}/system`);
    } catch (error) {
      await rm(directory, { recursive: true });
      throw error;
    }
  }

  connect(): Promise<Connection> {
    return connect(this.uri);
  }

  async run(...argv: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.exec(argv);
    if (exitCode !== 0) throw new Error(`on the LVM host, ${argv.join(' ')} failed (${exitCode}): ${stderr.trim()}`);
    return stdout.trim();
  }

  exec(argv: readonly string[]): Promise<ExecResult> {
    return guestExec(this.#domain, argv, { timeoutMs: 120_000 });
  }

  /** Its libvirtd dies; what runs below it goes on. */
  async killDaemon(): Promise<void> {
    await this.run('sh', '-c', 'kill -KILL "$(cat /run/libvirtd.pid)"');
  }

  /** Resolves when it answers again. */
  async startDaemon(): Promise<void> {
    await this.run(...LIBVIRTD);
  }

  async close(): Promise<void> {
    await this.#domain.destroy();
    await rm(this.#directory, { recursive: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function domainXml(directory: string) {
  const { kernel, initramfs, root } = await hostImage();
  const path = (name: string) => join(directory, name);
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', root, '-F', 'raw', path('root.qcow2')]);
  for (const [name, size] of Object.entries(DISKS)) {
    await writeFile(path(`${name}.img`), '');
    await truncate(path(`${name}.img`), size * 1024 * 1024);
  }
  await makeBootDisk(path('guest'), path('guest.img'));
  const disks = [
    diskElement('vda', 'qcow2', path('root.qcow2')),
    diskElement('vdb', 'raw', path('volumes.img')),
    diskElement('vdc', 'raw', path('guest.img')),
    diskElement('vdd', 'raw', path('btrfs.img')),
  ];
  const type = await accelerator();
  return element(
    'domain',
    { type, 'xmlns:qemu': 'http://libvirt.org/schemas/domain/qemu/1.0' },
    element('name', {}, `lvm-host-${randomUUID().slice(0, 8)}`),
    element('memory', { unit: 'MiB' }, '2500'),
    element('vcpu', {}, '2'),
    element(
      'os',
      {},
      element('type', { arch: 'x86_64', machine: 'q35' }, 'hvm'),
      element('kernel', {}, kernel),
      element('initrd', {}, initramfs),
      element('cmdline', {}, 'console=ttyS0 panic=-1 quiet mitigations=off nokaslr rdinit=/switch-root'),
    ),
    element('features', {}, element('acpi')),
    element('cpu', { mode: type === 'kvm' ? 'host-passthrough' : 'maximum' }),
    element('on_reboot', {}, 'destroy'),
    element(
      'devices',
      {},
      element('emulator', {}, `/usr/bin/${EMULATOR}`),
      ...disks,
      element('controller', { type: 'usb', model: 'none' }),
      element('serial', { type: 'file' }, element('source', { path: path('console.log') })),
      element(
        'channel',
        { type: 'unix' },
        element('source', { mode: 'bind', path: path('agent') }),
        element('target', { type: 'virtio', name: 'org.qemu.guest_agent.0' }),
      ),
      element('memballoon', { model: 'none' }),
    ),
    // libvirt's own <interface type='user'> forwards no port. QEMU chooses a free one; no other way leads in or out.
    element(
      'qemu:commandline',
      {},
      ...['-netdev', `user,id=lan,restrict=on,hostfwd=tcp:127.0.0.1:0-:${LIBVIRTD_PORT}`].map(argument),
      ...['-device', 'virtio-net-pci,netdev=lan,bus=pcie.0,addr=0x10'].map(argument),
    ),
  );
}

const argument = (value: string) => element('qemu:arg', { value });

const diskElement = (target: string, format: 'raw' | 'qcow2', file: string) =>
  element(
    'disk',
    { type: 'file', device: 'disk' },
    element('driver', { name: 'qemu', type: format, cache: 'unsafe' }),
    element('source', { file }),
    element('target', { dev: target, bus: 'virtio' }),
  );

/** A disk with the host's own files, and with what a guest on it boots from. */
async function makeBootDisk(folder: string, image: string): Promise<void> {
  const guest = await guestImage();
  await mkdir(folder);
  await copyFile(guest.kernel, join(folder, 'kernel'));
  await copyFile(guest.initramfs, join(folder, 'initramfs'));
  for (const [file, text] of Object.entries(HOST_FILES)) {
    const path = join(folder, 'root', file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { mode: 0o755 });
  }
  await run('mke2fs', ['-q', '-t', 'ext4', '-O', '^has_journal', '-d', folder, image, '32M']);
  await rm(folder, { recursive: true });
}

/** `TCP[HOST_FORWARD]  12  127.0.0.1 43210  10.0.2.15 16509  0  0`: the port that QEMU was given. */
async function forwardedPort(domain: Domain): Promise<number> {
  const answer = await domain.qemuMonitorCommand('info usernet', DomainQemuMonitorCommandFlags.HMP);
  const port = /HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)/.exec(answer)?.[1];
  if (port === undefined) throw new Error(`QEMU forwards no port: ${answer}`);
  return Number(port);
}
