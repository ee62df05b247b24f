// TestGuest: a small, real Linux guest with an answering agent, up in seconds by one call.
import { randomBytes, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Connection, type Domain, DomainCreateFlags, DomainUndefineFlagsValues, LibvirtError } from '../libvirt';
import { type OptionNames, refuseUnknown } from '../libvirt/options';
import { accelerator } from './accelerator';
import { type ExecOptions, type ExecResult, guestExec } from './agent';
import { embeddedConnection } from './embedded';
import { createDisks, type GuestDisk, type PreparedDisk, removeDisks } from './guest-disks';
import { readGuestFile, writeGuestFile } from './guest-files';
import { guestImage } from './guest-image';
import { startAndWait } from './guest-ready';
import { guestXml } from './guest-xml';
import { loadMachine, type SavedMachine, StateRefusedError, saveMachine } from './machine-state';
import { temporaryDirectory } from './scratch';
import { endSince, thisMoment } from './under-way';

/** What a guest is like, and where it runs. */
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
  /** Runs after each boot and before its state is kept: what it writes and starts, every test finds. */
  prepare?: (guest: TestGuest) => Promise<unknown>;
  /** `'disk'`: the first disk's own system, by the machine's firmware. Default `'kernel'`: the small Linux of this package. */
  system?: 'kernel' | 'disk';
  /** For guests without an agent: they are up when their serial console has said this. Default: what ours says. */
  upWhen?: string;
  /** For one boot until the agent answers. Default 120 000: an emulated guest on a busy host is slow. */
  bootTimeoutMs?: number;
}

const GUEST_OPTIONS: OptionNames<GuestOptions> = {
  disks: true,
  memoryMiB: true,
  vcpus: true,
  connection: true,
  signal: true,
  name: true,
  persistent: true,
  start: true,
  agent: true,
  restorable: true,
  prepare: true,
  system: true,
  upWhen: true,
  bootTimeoutMs: true,
};

/** The name under which `boot()` keeps the machine's state in the images. */
const BOOT_STATE = 'boot';
const CONSOLE = 'console.log';

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
  #pristine: { readonly machine: SavedMachine; readonly files: ReadonlySet<string> } | undefined;
  #closing: Promise<void> | undefined;
  #booted = 0;

  /** The domain's name. */
  readonly name: string;
  /** Where it runs. */
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
    refuseUnknown(options, GUEST_OPTIONS, 'TestGuest.boot');
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

  /** The guest, as libvirt has it. Throws once it is closed. */
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

  /** What the guest has said on its serial console since it, or a new QEMU for it, was started. */
  console(): Promise<string> {
    return readFile(join(this.directory, CONSOLE), 'utf8');
  }

  /** Writes a file in the guest, with its folders; not synced to the disk. `mode` as chmod takes it, default 0o644. */
  writeFile(path: string, content: string | Uint8Array, options?: { mode?: number }): Promise<void> {
    return writeGuestFile(this, path, content, options);
  }

  /** The content of a file in the guest. */
  readFile(path: string): Promise<Buffer> {
    return readGuestFile(this, path);
  }

  /** Runs a program in the guest: `argv` goes to no shell. Resolves when it ends, also with an exit code other than 0. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult> {
    return guestExec(this.domain, argv, options);
  }

  /**
   * Back to the state of `boot()`: memory, disks, devices, definition; and what lies in `directory`. In place, in some tenths of
   * a second; in a new QEMU with the old state, in about twice that, where the guest has ended, hangs, or has other devices or
   * files than at first. Then `domain` is a new handle. Disks that keep no state, as raw ones, are made anew, and the guest boots.
   *
   * Programs that `exec` waits for end with a GuestRestoredError.
   */
  async restore(): Promise<void> {
    if (await this.#bringBack()) return;
    endSince(this.domain, this.#booted);
    await this.#remove();
    await this.#create();
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

  /** {@link TestGuest.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #create(): Promise<void> {
    const { disks = 1, memoryMiB = 192, vcpus = 1, agent = true, start = true, signal, upWhen } = this.#options;
    const wanted = typeof disks === 'number' ? Array.from({ length: disks }, (): GuestDisk => ({})) : disks;
    this.#booted = thisMoment();
    this.#disks = await createDisks(wanted, this.directory, this.name);
    const console = join(this.directory, CONSOLE);
    const xml = guestXml({
      name: this.name,
      uuid: this.#uuid,
      accelerator: await accelerator(),
      memoryMiB,
      vcpus,
      kernel: this.#options.system === 'disk' ? undefined : await this.#ownImage(),
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
      upWhen,
      timeoutMs: this.#options.bootTimeoutMs ?? 120_000,
      signal,
      startPaused: () => this.#startPaused(xml),
    });
    await this.#options.prepare?.(this);
    if (!this.#keepsState) return;
    const machine = await saveMachine(this.#domain, BOOT_STATE);
    this.#pristine = { machine, files: new Set(await readdir(this.directory)) };
  }

  /** False where the kept state is lost, with its images for example. */
  async #bringBack(): Promise<boolean> {
    if (this.#pristine === undefined) return false;
    const { machine, files } = this.#pristine;
    try {
      this.#domain = await loadMachine(this.domain, machine);
    } catch (error) {
      if (error instanceof LibvirtError || error instanceof StateRefusedError) return false;
      throw error;
    }
    const others = (await readdir(this.directory)).filter((file) => !files.has(file));
    for (const file of others) await rm(join(this.directory, file), { recursive: true });
    return true;
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
    const { restorable = true } = this.#options;
    const writable = this.#disks.filter((disk) => disk.device === 'disk');
    return restorable && writable.length > 0 && writable.every((disk) => disk.format === 'qcow2');
  }

  /** The guest and its files; the folder stays. */
  async #remove(): Promise<void> {
    const domain = this.#domain;
    this.#domain = undefined;
    this.#pristine = undefined;
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
