// One guest with two disks on a small file system of their own, below a libvirtd that may be killed. What happens to any of
// them can be undone, so that many cells share them.
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Connection,
  type Domain,
  DomainCreateFlags,
  DomainEventType,
  DomainPausedReason,
  DomainState,
} from '../../lib';
import { qmp } from '../../lib/disk-snapshot/images/qmp';
import { PrivateLibvirtd, TestGuest } from '../../lib/testing';
import { agentCommand, guestExec } from '../../lib/testing/agent';
import { startAndWait } from '../../lib/testing/guest-ready';
import { readDomain } from '../../lib/xml/domain';
import { qemuOf } from './running';
import { SmallSpace } from './small-space';

const TARGETS = ['vda', 'vdb'] as const;

export class Laboratory implements AsyncDisposable {
  #connection: Connection;
  #domain: Domain;

  private constructor(
    readonly daemon: PrivateLibvirtd,
    readonly guest: TestGuest,
    readonly space: SmallSpace,
    connection: Connection,
  ) {
    this.#connection = connection;
    this.#domain = guest.domain;
  }

  static async start(): Promise<Laboratory> {
    const space = await SmallSpace.mount(); // before the daemon, or it would not see it
    const daemon = await PrivateLibvirtd.start();
    const connection = await daemon.connect();
    const disks = TARGETS.map(() => ({ directory: space.directory }));
    const guest = await TestGuest.boot({ connection, disks, restorable: false, persistent: true });
    return new Laboratory(daemon, guest, space, connection);
  }

  get domain(): Domain {
    return this.#domain;
  }

  get connection(): Connection {
    return this.#connection;
  }

  get bases(): string[] {
    return TARGETS.map((target) => this.guest.image(target));
  }

  async close(): Promise<void> {
    await this.#connection.close();
    await this.daemon.close(); // with all that runs below it
    await this.guest.close().catch(() => undefined); // its handles went with the daemon
    await this.space.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ---- what is true ---------------------------------------------------------------------------------------------------

  async files(): Promise<string[]> {
    return (await readdir(this.space.directory)).sort();
  }

  async sources(): Promise<(string | null)[]> {
    return readDomain(await this.domain.getXMLDesc()).disks.map((disk) => disk.sourcePath);
  }

  /** The images that QEMU has open, whatever libvirt knows. */
  async open(): Promise<string[]> {
    const nodes = await qmp<{ file: string }[]>(this.domain, 'query-named-block-nodes', { flat: true });
    return [...new Set(nodes.map(({ file }) => file))].filter((file) => file.startsWith(this.space.directory)).sort();
  }

  async isOff(): Promise<boolean> {
    return !(await this.domain.isActive());
  }

  async sh(script: string): Promise<string> {
    const { exitCode, stdout, stderr } = await guestExec(this.domain, ['sh', '-c', script]);
    if (exitCode !== 0) throw new Error(`in the guest, ${script} said: ${stderr}${stdout}`);
    return stdout;
  }

  /** Once it answers: one that has just been started, or woken, takes a moment. */
  async freezeStatus(): Promise<unknown> {
    const limit = AbortSignal.timeout(20_000);
    for (;;) {
      try {
        return await agentCommand(this.domain, 'guest-fsfreeze-status', undefined, 5);
      } catch (error) {
        if (limit.aborted) throw error;
        await delay(50);
      }
    }
  }

  // ---- what befalls it, and what a person does about it ----------------------------------------------------------------

  async killDaemon(): Promise<void> {
    await this.daemon.kill();
  }

  async restartDaemon(): Promise<void> {
    await this.daemon.restart();
    await this.#connection.close();
    this.#connection = await this.daemon.connect();
    this.#domain = await this.#connection.domainLookupByName(this.guest.name);
  }

  /** Resolves when the driver's own note of the guest says so, which it writes some time after the event; or in a while. */
  async hasNoted(what: string): Promise<void> {
    const limit = AbortSignal.timeout(5_000);
    const note = join(this.daemon.directory, 'run', 'qemu', `${this.guest.name}.xml`);
    while (!limit.aborted && !(await readFile(note, 'utf8')).includes(what)) await delay(20);
  }

  /** From now on the driver's notes go nowhere: folders lie where its new files would. */
  async losesNotes(): Promise<void> {
    for (const folder of this.#obstacles) await mkdir(folder);
  }

  async keepsNotes(): Promise<void> {
    for (const folder of this.#obstacles) await rm(folder, { recursive: true, force: true });
  }

  get #obstacles(): string[] {
    return ['run', 'etc'].map((folder) => join(this.daemon.directory, folder, 'qemu', `${this.guest.name}.xml.new`));
  }

  async killQemu(): Promise<void> {
    await using lifecycle = await this.#connection.subscribe('lifecycle', { domain: this.domain });
    const stopped = new Promise<void>((resolve) => {
      lifecycle.on(({ event }) => event === DomainEventType.STOPPED && resolve());
    });
    process.kill(await qemuOf(this.guest.name), 'SIGKILL');
    await stopped;
  }

  async startGuest(): Promise<void> {
    await startAndWait({
      console: join(this.guest.directory, 'console.log'),
      agent: true,
      timeoutMs: 60_000,
      signal: undefined,
      startPaused: async () => {
        await this.domain.createWithFlags(DomainCreateFlags.START_PAUSED);
        return this.domain;
      },
    });
  }

  /** Resolves when the agent does not answer any more. */
  async agentIsSilent(): Promise<void> {
    const limit = AbortSignal.timeout(10_000);
    for (;;) {
      try {
        await agentCommand(this.domain, 'guest-ping', undefined, 1);
      } catch {
        return;
      }
      if (limit.aborted) throw new Error('the agent answers on');
      await delay(20);
    }
  }

  /** Makes room, and lets a guest go on that QEMU stopped for want of it: nobody but the person who made room may. */
  async makeRoom(): Promise<void> {
    await this.space.empty();
    const { state, reason } = await this.domain.getState();
    if (state === DomainState.PAUSED && reason === DomainPausedReason.IOERROR) await this.domain.resume();
  }
}
