// This machine, where its kernel has device-mapper: a volume group on a loop device, and a libvirtd that sees no other.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from '../../../lib/libvirt';
import { accelerator } from '../../../lib/testing/accelerator';
import type { ExecResult } from '../../../lib/testing/agent';
import { exists } from '../../../lib/testing/cache';
import { run, toolEnvironment } from '../../../lib/testing/command';
import { guestImage } from '../../../lib/testing/guest-image';
import { PrivateLibvirtd } from '../../../lib/testing/private-libvirtd';
import { temporaryDirectory } from '../../../lib/testing/scratch';
import type { LvmHost } from './host';
import { LVM_CONF, VOLUME_GROUP, VOLUMES, WITHOUT_UDEV } from './scripts';

/** Holes until something is written. */
const BYTES = 2048 * 1024 * 1024;

// Waits for our end of the pipe to close, by close() or by our death. A device that a guest still has open goes when that
// guest ends, and the loop device after the last of them: nothing is waited for. The nodes are no program's but LVM's.
const KEEPER = `trap '' HUP INT TERM
read -r _
dmsetup ls | cut -f 1 | grep "^$1-" | xargs --no-run-if-empty --max-args 1 dmsetup remove --deferred
rm -rf -- "$2" /dev/mapper/"$1"-*
losetup --detach "$3"
`;

const EXIT_CODES = [...Array(256).keys()];

export class LocalHost implements LvmHost {
  readonly #keeper: ChildProcess;
  readonly #daemon: PrivateLibvirtd;

  private constructor(
    readonly hardware: LvmHost['hardware'],
    readonly folder: string,
    readonly physicalVolume: string,
    keeper: ChildProcess,
    daemon: PrivateLibvirtd,
  ) {
    this.#keeper = keeper;
    this.#daemon = daemon;
  }

  static async start(): Promise<LocalHost> {
    const hardware = { accelerator: await accelerator(), kernel: await guestImage() };
    const folder = await temporaryDirectory('lvm');
    const device = await loopDevice(join(folder, 'volumes.img'));
    const keeper = spawn('sh', ['-c', KEEPER, 'sh', VOLUME_GROUP, VOLUMES, device], {
      detached: true, // Ctrl-C on the terminal must not end it before it has cleaned up
      stdio: ['pipe', 'ignore', 'ignore'],
      env: toolEnvironment(),
    });
    try {
      const environment = await lvmEnvironment(folder, device);
      await runIn(folder, ['vgcreate', '--quiet', VOLUME_GROUP, device], [0]);
      const daemon = await PrivateLibvirtd.start({ environment });
      return new LocalHost(hardware, folder, device, keeper, daemon);
    } catch (error) {
      await end(keeper, folder);
      throw error;
    }
  }

  connect(): Promise<Connection> {
    return this.#daemon.connect();
  }

  async run(...argv: string[]): Promise<string> {
    return (await runIn(this.folder, argv, [0])).stdout.trim();
  }

  exec(argv: readonly string[]): Promise<ExecResult> {
    return runIn(this.folder, argv, EXIT_CODES);
  }

  async close(): Promise<void> {
    await this.#daemon.close();
    await end(this.#keeper, this.folder);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function loopDevice(image: string): Promise<string> {
  await writeFile(image, '');
  await truncate(image, BYTES);
  return (await run('losetup', ['--find', '--show', image])).stdout.trim();
}

const systemDirectory = (folder: string) => join(folder, 'etc');
const environmentIn = (folder: string) => ({ LVM_SYSTEM_DIR: systemDirectory(folder) });

/** LVM as we and the daemon run it: no other device is looked at, let alone changed. */
async function lvmEnvironment(folder: string, device: string) {
  const only = `devices {
  use_devicesfile = 0
  filter = [ "a|^${device}$|", "r|.*|" ]
}
`;
  const hasUdev = await exists('/run/udev/control');
  await mkdir(systemDirectory(folder));
  await writeFile(join(systemDirectory(folder), 'lvm.conf'), only + LVM_CONF + (hasUdev ? '' : WITHOUT_UDEV));
  return environmentIn(folder);
}

function runIn(folder: string, argv: readonly string[], accept: readonly number[]): Promise<ExecResult> {
  const variables = Object.entries(environmentIn(folder)).map(([name, value]) => `${name}=${value}`);
  return run('env', [...variables, ...argv], { accept });
}

async function end(keeper: ChildProcess, folder: string): Promise<void> {
  const exit = once(keeper, 'exit');
  keeper.stdin?.end();
  await exit;
  await rm(folder, { recursive: true });
}
