// One guest with two disks on a small file system of their own, or one of them in a cluster, below a libvirtd that may be
// killed. What happens to any of them can be undone, so that many cells share them.
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
import { run } from '../../lib/testing/command';
import { writeGuestFile } from '../../lib/testing/guest-files';
import { startAndWait } from '../../lib/testing/guest-ready';
import { readDomain } from '../../lib/xml/domain';
import { Ceph } from '../storage/ceph';
import { defineSecret, moveToCeph } from '../storage/ceph-guest';
import type { Site } from './operations';
import { qemuOf, qemuWith } from './running';
import { SmallSpace } from './small-space';

export const TARGETS = ['vda', 'vdb'] as const;
export const FOLDERS = ['/mnt/a', '/mnt/b'] as const;

/** Where a disk's content is when no snapshot is there. */
export type Base = { file: string } | { rbd: string };

export class Laboratory implements AsyncDisposable {
  #connection: Connection;
  #domain: Domain;

  private constructor(
    readonly site: Site,
    readonly daemon: PrivateLibvirtd,
    readonly guest: TestGuest,
    readonly space: SmallSpace,
    readonly bases: readonly Base[],
    readonly ceph: Ceph | null,
    connection: Connection,
  ) {
    this.#connection = connection;
    this.#domain = guest.domain;
  }

  static async start(site: Site): Promise<Laboratory> {
    const space = await SmallSpace.mount(site === 'btrfs' ? 'btrfs' : 'tmpfs'); // before the daemon, or it would not see it
    const ceph = site === 'ceph' ? await Ceph.start() : null;
    const daemon = await PrivateLibvirtd.start();
    const connection = await daemon.connect();
    const { directory } = space;
    const disks = [{ directory }, ceph ? { directory, format: 'raw' as const } : { directory }];
    const guest = await TestGuest.boot({ connection, disks, start: false });
    const bases: Base[] = TARGETS.map((target) => ({ file: guest.image(target) }));
    if (ceph) bases[1] = { rbd: await moveToCeph(guest, 'vdb', ceph, await defineSecret(daemon, ceph)) };
    if (ceph) await rm(guest.image('vdb'));
    const lab = new Laboratory(site, daemon, guest, space, bases, ceph, connection);
    await lab.startGuest();
    return lab;
  }

  get domain(): Domain {
    return this.#domain;
  }

  get connection(): Connection {
    return this.#connection;
  }

  get baseFiles(): string[] {
    return this.bases.flatMap((base) => ('file' in base ? [base.file] : []));
  }

  async close(): Promise<void> {
    await this.#connection.close();
    await this.daemon.close(); // with all that runs below it
    await this.guest.close().catch(() => undefined); // its handles went with the daemon
    await this.ceph?.close();
    await this.space.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ---- what is true ---------------------------------------------------------------------------------------------------

  async files(): Promise<string[]> {
    return (await readdir(this.space.directory)).sort();
  }

  /** What the guest's disks are now. */
  async sources(): Promise<Base[]> {
    const { disks } = readDomain(await this.domain.getXMLDesc());
    return disks.map(({ sourcePath, source }) =>
      sourcePath === null ? { rbd: source?.attributes.name ?? '' } : { file: sourcePath },
    );
  }

  /** Names of the snapshots inside a disk's image. */
  async inside(base: Base): Promise<string[]> {
    if ('rbd' in base) return (await this.ceph?.snapshots(base.rbd)) ?? [];
    const { stdout } = await run('qemu-img', ['info', '--force-share', '--output=json', base.file]);
    const { snapshots = [] } = JSON.parse(stdout) as { snapshots?: { name: string }[] };
    return snapshots.map(({ name }) => name);
  }

  /** A raw copy of a disk, or of a snapshot inside it, made by the storage's own tool. */
  async copyOut(from: Base, snapshot: string | null, raw: string): Promise<void> {
    if ('rbd' in from) {
      await this.ceph?.rbd('export', '--no-progress', snapshot ? `${from.rbd}@${snapshot}` : from.rbd, raw);
      return;
    }
    const inside = snapshot ? ['-l', `snapshot.name=${snapshot}`] : [];
    await run('qemu-img', ['convert', '--force-share', ...inside, '-O', 'raw', from.file, raw]);
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

  async guestFile(path: string, content: Uint8Array): Promise<void> {
    await writeGuestFile({ exec: (argv, options) => guestExec(this.domain, argv, options) }, path, content);
  }

  /** Once it answers: one that has just been started, or woken, takes a moment, and a boot on a busy machine many. */
  async freezeStatus(): Promise<unknown> {
    const limit = AbortSignal.timeout(90_000);
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

  /** Or that which holds a disk of the guest while it is off. */
  async killQemu(): Promise<void> {
    if (await this.isOff()) {
      const helper = await qemuWith(this.space.directory);
      process.kill(helper, 'SIGKILL');
      while (await isAlive(helper)) await delay(20);
      return;
    }
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
      timeoutMs: 120_000,
      signal: undefined,
      startPaused: async () => {
        await this.domain.createWithFlags(DomainCreateFlags.START_PAUSED);
        return this.domain;
      },
    });
  }

  /** Cleanly, or up again, as wanted. */
  async bring(to: 'off' | 'on'): Promise<void> {
    if ((await this.isOff()) === (to === 'off')) return;
    if (to === 'on') return this.startGuest();
    await this.sh('sync; for folder in /mnt/*; do mount -o remount,ro $folder || exit 1; done');
    await this.domain.destroy();
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

/** False for a zombie: it has closed all it had. */
const isAlive = (pid: number) =>
  readFile(`/proc/${pid}/cmdline`, 'utf8').then(
    (line) => line !== '',
    () => false,
  );
