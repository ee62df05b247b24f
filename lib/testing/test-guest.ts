// TestGuest: a small, real Linux guest with an answering agent, up in seconds by one call.
import { randomBytes, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Connection,
  type Domain,
  DomainCreateFlags,
  DomainMetadataType,
  DomainModificationImpact,
  DomainUndefineFlagsValues,
  LibvirtError,
} from '../libvirt';
import { readDomain } from '../xml/domain';
import { accelerator } from './accelerator';
import { agentCommand, type ExecOptions, type ExecResult, guestExec } from './agent';
import { embeddedConnection } from './embedded';
import { createDisks, type GuestDisk, type PreparedDisk, removeDisks } from './guest-disks';
import { guestImage } from './guest-image';
import { startAndWait } from './guest-ready';
import { guestXml } from './guest-xml';
import { loadMachine, saveMachine } from './machine-state';
import { temporaryDirectory } from './scratch';

export interface GuestOptions {
  /** How many, or what each is like. They are ext4, mounted at /mnt/a, /mnt/b, … in this order. Default 1. */
  disks?: number | readonly GuestDisk[];
  /** Default 192. */
  memoryMiB?: number;
  /** Default 1. */
  vcpus?: number;
  /** Where the guest runs; it stays open. Default: one to the embedded driver, without any daemon, that all guests share. */
  connection?: Connection;
  /** Ends `boot()`, which then leaves nothing behind. */
  signal?: AbortSignal;
  /** Default: unique. */
  name?: string;
  /** Defined, and so still there when it is off. Default false. */
  persistent?: boolean;
  /** False: only defined, not started (and so persistent). Default true. */
  start?: boolean;
  /** False: without an agent's channel. `exec` does not work then. Default true. */
  agent?: boolean;
  /** False: `boot()` keeps no state inside the qcow2 images, and `restore()` boots anew. Default true. */
  restorable?: boolean;
  /** For one boot until the agent answers. Default 120 000: an emulated guest on a busy host is slow. */
  bootTimeoutMs?: number;
}

/** The name under which `boot()` keeps the machine's state in the images. */
const BOOT_STATE = 'boot';
/** Records of disk snapshots: they end with what they speak of. */
const RECORDS = 'urn:libvirt-disksnapshot:1';

/**
 * @example
 * await using guest = await TestGuest.boot({ disks: 2 });
 * await guest.exec(['sh', '-c', 'echo hello > /mnt/a/x && sync']);
 * await guest.restore();   // /mnt/a/x is gone
 */
export class TestGuest implements AsyncDisposable {
  readonly #options: GuestOptions;
  readonly #uuid = randomUUID();
  #domain: Domain | undefined;
  #disks: readonly PreparedDisk[] = [];
  #closing: Promise<void> | undefined;

  readonly name: string;
  readonly connection: Connection;
  /** Holds the guest's images and its console's log; goes with `close()`. */
  readonly directory: string;

  private constructor(connection: Connection, directory: string, options: GuestOptions) {
    this.connection = connection;
    this.directory = directory;
    this.name = options.name ?? `guest-${randomBytes(4).toString('hex')}`;
    this.#options = options;
  }

  /** Resolves when the agent answers, in 3 s under emulation. */
  static async boot(options: GuestOptions = {}): Promise<TestGuest> {
    options.signal?.throwIfAborted();
    const directory = await temporaryDirectory('guest');
    const connection = options.connection ?? (await embeddedConnection());
    const guest = new TestGuest(connection, directory, options);
    try {
      await guest.#create();
      return guest;
    } catch (error) {
      await guest.close();
      throw error;
    }
  }

  get domain(): Domain {
    if (this.#domain === undefined) throw new Error(`the guest ${this.name} is closed`);
    return this.#domain;
  }

  /** The image file of a disk at boot, by target: `'vda'`. Snapshots may since have put others on top. */
  image(target: string): string {
    const disk = this.#disks.find((each) => each.target === target);
    if (disk === undefined) throw new RangeError(`the guest ${this.name} has no disk ${target}`);
    return disk.file;
  }

  /** Runs a program in the guest: `argv` goes to no shell. Resolves when it ends, also with an exit code other than 0. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult> {
    return guestExec(this.domain, argv, options);
  }

  /**
   * Back to the state of `boot()`: memory and disks. In place within 0.2 s; where the disks have been switched to other files
   * or the guest has ended, by a new boot. Then `domain` is a new handle.
   */
  async restore(): Promise<void> {
    if (this.#keepsState && (await this.#usesItsDisks())) {
      await loadMachine(this.domain, BOOT_STATE);
      await this.#forgetRecords();
      await agentCommand(this.domain, 'guest-ping');
    } else {
      await this.#remove();
      await this.#create();
    }
  }

  /** Ends the guest and removes its files. A second call does nothing. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      try {
        await this.#remove();
      } finally {
        await rm(this.directory, { recursive: true, force: true });
      }
    })();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #create(): Promise<void> {
    const { disks = 1, memoryMiB = 192, vcpus = 1, agent = true, start = true, signal } = this.#options;
    const wanted = typeof disks === 'number' ? Array.from({ length: disks }, (): GuestDisk => ({})) : disks;
    this.#disks = await createDisks(wanted, this.directory, this.name);
    const console = join(this.directory, 'console.log');
    const xml = guestXml({
      name: this.name,
      uuid: this.#uuid,
      accelerator: await accelerator(),
      memoryMiB,
      vcpus,
      image: await this.#ownImage(),
      disks: this.#disks,
      console,
      agentSocket: agent ? join(this.directory, 'agent') : undefined,
    });
    if (!start) {
      this.#domain = await this.connection.domainDefineXML(xml);
      return;
    }
    this.#domain = await startAndWait({
      console,
      agent,
      timeoutMs: this.#options.bootTimeoutMs ?? 120_000,
      signal,
      startPaused: () => this.#startPaused(xml),
    });
    if (this.#keepsState) await saveMachine(this.#domain, BOOT_STATE);
  }

  async #startPaused(xml: string): Promise<Domain> {
    if (!this.#options.persistent) return this.connection.domainCreateXML(xml, DomainCreateFlags.START_PAUSED);
    const domain = await this.connection.domainDefineXML(xml);
    this.#domain = domain;
    await domain.createWithFlags(DomainCreateFlags.START_PAUSED);
    return domain;
  }

  /** libvirt hands kernel and initramfs over to QEMU's user: the cached files must stay ours. */
  async #ownImage() {
    const image = await guestImage();
    const own = { kernel: join(this.directory, 'kernel'), initramfs: join(this.directory, 'initramfs') };
    await copyFile(image.kernel, own.kernel, constants.COPYFILE_FICLONE);
    await copyFile(image.initramfs, own.initramfs, constants.COPYFILE_FICLONE);
    return own;
  }

  get #keepsState(): boolean {
    const { restorable = true, start = true, agent = true } = this.#options;
    const writable = this.#disks.filter((disk) => disk.device === 'disk');
    return restorable && start && agent && writable.length > 0 && writable.every((disk) => disk.format === 'qcow2');
  }

  async #usesItsDisks(): Promise<boolean> {
    if (!(await this.domain.isActive().catch(gone))) return false;
    const now = readDomain(await this.domain.getXMLDesc()).disks;
    return this.#disks.every((disk) => now.find(({ target }) => target === disk.target)?.sourcePath === disk.source);
  }

  async #forgetRecords(): Promise<void> {
    const impact = DomainModificationImpact.LIVE | (this.#options.persistent ? DomainModificationImpact.CONFIG : 0);
    for (const { uri } of readDomain(await this.domain.getXMLDesc()).metadata) {
      if (uri.startsWith(RECORDS)) await this.domain.setMetadata(DomainMetadataType.ELEMENT, null, null, uri, impact);
    }
  }

  /** The guest and its files; the folder stays. */
  async #remove(): Promise<void> {
    const domain = this.#domain;
    this.#domain = undefined;
    try {
      if (domain !== undefined) await removeDomain(domain);
    } finally {
      await removeDisks(this.#disks);
      this.#disks = [];
      for (const file of await readdir(this.directory)) await rm(join(this.directory, file), { recursive: true });
    }
  }
}

async function removeDomain(domain: Domain): Promise<void> {
  if (await domain.isActive().catch(gone)) await domain.destroy();
  if (!(await domain.isPersistent().catch(gone))) return;
  const { MANAGED_SAVE, SNAPSHOTS_METADATA, CHECKPOINTS_METADATA } = DomainUndefineFlagsValues;
  await domain.undefineFlags([MANAGED_SAVE, SNAPSHOTS_METADATA, CHECKPOINTS_METADATA]);
}

/** A transient guest that has ended is no longer known: that is as good as off. */
function gone(error: unknown): false {
  if (error instanceof LibvirtError && error.codeName === 'NO_DOMAIN') return false;
  throw error;
}
