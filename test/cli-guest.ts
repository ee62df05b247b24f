// One guest behind a daemon of its own, as users of disksnap have it: the command, its documents, and what others say of the guest.
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import Ajv from 'ajv/dist/2020';
import { ConnectDomainEventAgentLifecycleState, type Connection } from '../lib/libvirt';
import { PrivateLibvirtd, TestGuest } from '../lib/testing';
import { temporaryDirectory } from '../lib/testing/scratch';
import { CTRL_C, disksnap, type Finished, Terminal } from './cli-terminal';

const SCHEMAS = join(__dirname, '..', 'schemas');
const ajv = new Ajv({ formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ } });
for (const file of readdirSync(SCHEMAS)) ajv.addSchema(JSON.parse(readFileSync(join(SCHEMAS, file), 'utf8')), file);

export class CommandLine {
  private constructor(
    readonly daemon: PrivateLibvirtd,
    readonly connection: Connection,
    readonly guest: TestGuest,
    /** For what the commands write. */
    readonly folder: string,
  ) {}

  /** With two disks. */
  static async onGuest(name: string): Promise<CommandLine> {
    const daemon = await PrivateLibvirtd.start();
    const connection = await daemon.connect();
    const guest = await TestGuest.boot({ connection, name, disks: 2, persistent: true, restorable: false });
    return new CommandLine(daemon, connection, guest, await temporaryDirectory('cli'));
  }

  async close(): Promise<void> {
    await this.guest.close();
    await this.connection.close();
    await this.daemon.close();
    await rm(this.folder, { recursive: true });
  }

  /** After a test: the guest goes on; what was exported makes room. */
  async expectNothingLeft(): Promise<void> {
    expect(await this.freeze()).toBe('thawed');
    for (const file of await readdir(this.folder)) await rm(join(this.folder, file));
  }

  run(...args: string[]): Promise<Finished> {
    return disksnap(this.daemon.uri, ...args);
  }

  terminal(args: readonly string[], stopAt?: string): Terminal {
    return Terminal.disksnap(this.daemon.uri, args, stopAt === undefined ? {} : { stopAt });
  }

  /** Ctrl-C, pressed while the command waits at that place. */
  async interrupted(args: readonly string[], place: string): Promise<{ exitCode: number | null; screen: string }> {
    const terminal = this.terminal(args, place);
    await terminal.shows(`stopped at ${place}`);
    terminal.press(CTRL_C);
    return terminal.end();
  }

  /** The document that a command prints, which keeps to its schema. */
  async json(command: string, ...args: string[]) {
    const { exitCode, stdout, stderr } = await this.run('--json', command, ...args);
    const isResult = exitCode === 0 || exitCode === 3;
    const document = JSON.parse(isResult ? stdout : stderr);
    if (!ajv.validate(`${isResult ? command : 'error'}.json`, document)) throw new Error(ajv.errorsText());
    return { exitCode, ...document };
  }

  /** The work ends with a start of the guest; so that its agent answers. */
  async untilItRunsAgain(work: () => Promise<void>): Promise<void> {
    await using changes = await this.connection.subscribe('agent-lifecycle', { domain: this.guest.domain });
    await work();
    for await (const { state } of changes) if (state === ConnectDomainEventAgentLifecycleState.CONNECTED) return;
  }

  /** What the agent itself says of it. */
  async freeze(): Promise<unknown> {
    const ask = JSON.stringify({ execute: 'guest-fsfreeze-status' });
    const { stdout } = await this.daemon.virsh('qemu-agent-command', this.guest.name, ask);
    return JSON.parse(stdout).return;
  }

  /** The images that the guest writes to, as virsh tells. */
  async sources(): Promise<string[]> {
    const { stdout } = await this.daemon.virsh('domblklist', this.guest.name);
    return [...stdout.matchAll(/^\s*vd\w\s+(\S+)/gm)].map(([, path]) => path ?? '');
  }

  /** All that must be as before: the live XML with its records, the definition, the files, the freeze. */
  async everything() {
    const { daemon, guest, folder } = this;
    const { stdout: live } = await daemon.virsh('dumpxml', guest.name);
    const { stdout: defined } = await daemon.virsh('dumpxml', '--inactive', guest.name);
    // Numbers that libvirt gives its nodes, and the folder of records that are gone.
    const plain = (xml: string) => xml.replaceAll(/ index='\d+'|^\s*<(backingStore|metadata)\/>\n/gm, '');
    return {
      live: plain(live),
      defined: plain(defined),
      files: (await readdir(guest.directory)).sort(),
      exported: await readdir(folder),
      freeze: await this.freeze(),
    };
  }
}
