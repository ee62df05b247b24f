// A real Ceph cluster in seven seconds: one monitor, and one OSD that keeps its objects in memory. Clients need a key.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { run, toolEnvironment } from '../../lib/testing/command';
import { temporaryDirectory } from '../../lib/testing/scratch';

/** Long for a busy machine; a cluster that does not answer shows all the same. */
const LIMIT_MS = 60_000;

export class Ceph implements AsyncDisposable {
  readonly #daemons: ChildProcess[] = [];

  private constructor(
    readonly directory: string,
    /** Of the monitor, at 127.0.0.1. */
    readonly port: number,
  ) {}

  /** With a pool `rbd`. The cluster goes with `close()`, or with this process. */
  static async start(): Promise<Ceph> {
    const ceph = new Ceph(await temporaryDirectory('ceph'), await freePort());
    try {
      await ceph.#start();
      return ceph;
    } catch (error) {
      await ceph.close();
      throw error;
    }
  }

  get configuration(): string {
    return join(this.directory, 'ceph.conf');
  }

  /** What a client proves itself with, in base64: that of client.admin. */
  async key(): Promise<string> {
    return (await this.#ceph('auth', 'print-key', 'client.admin')).trim();
  }

  async rbd(...args: string[]): Promise<string> {
    return (await this.#run('rbd', ...args)).stdout;
  }

  /** Names of the snapshots of an image, as the cluster itself knows them. */
  async snapshots(image: string): Promise<string[]> {
    const list: { name: string }[] = JSON.parse(await this.rbd('snap', 'ls', '--format', 'json', image));
    return list.map(({ name }) => name);
  }

  /** By process id, and no other process. */
  async close(): Promise<void> {
    for (const daemon of this.#daemons.splice(0).reverse()) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      const exit = once(daemon, 'exit');
      daemon.kill('SIGKILL'); // it has nothing to keep
      await exit;
    }
    await rm(this.directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<void> {
    const at = (name: string) => join(this.directory, name);
    const [fsid, osd] = [randomUUID(), randomUUID()];
    const keyring = at('keyring');
    await writeFile(this.configuration, configurationOf(this.directory, this.port, fsid));
    for (const folder of ['mon', 'osd']) await mkdir(at(folder));

    const all = ['mon', 'osd'].flatMap((service) => ['--cap', service, 'allow *']);
    await this.#run('ceph-authtool', '--create-keyring', keyring, '--gen-key', '-n', 'mon.', ...all);
    await this.#run('ceph-authtool', keyring, '--gen-key', '-n', 'client.admin', ...all);
    // v1 alone: the map names the port that is ours, and no second one.
    const address = `[v1:127.0.0.1:${this.port}]`;
    await this.#run('monmaptool', '--create', '--addv', 'a', address, '--fsid', fsid, at('monmap'));
    await this.#run('ceph-mon', '-i', 'a', '--mkfs', '--monmap', at('monmap'), '--keyring', keyring);
    this.#spawn('ceph-mon', '-i', 'a');

    const secret = (await this.#run('ceph-authtool', '--gen-print-key')).stdout.trim();
    await writeFile(at('secret'), JSON.stringify({ cephx_secret: secret }));
    await this.#ceph('osd', 'new', osd, '-i', at('secret'));
    await this.#run('ceph-authtool', keyring, '-n', 'osd.0', '--add-key', secret, ...all);
    // The same UUID, or it waits in booting for ever.
    await this.#run('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', osd);
    this.#spawn('ceph-osd', '-i', '0');
    await this.#ceph('osd', 'pool', 'create', 'rbd', '8');
    await this.rbd('pool', 'init', 'rbd');
  }

  /** A daemon in the foreground, that the kernel ends when we end. */
  #spawn(file: string, ...args: string[]): void {
    const command = ['--pdeathsig', 'KILL', file, '-c', this.configuration, ...args, '-f'];
    this.#daemons.push(spawn('setpriv', command, { stdio: 'ignore', env: toolEnvironment() }));
  }

  async #ceph(...args: string[]): Promise<string> {
    return (await this.#run('ceph', '--connect-timeout', String(LIMIT_MS / 1000), ...args)).stdout;
  }

  #run(file: string, ...args: string[]) {
    // The two that make files take no configuration.
    const configured = file === 'ceph-authtool' || file === 'monmaptool' ? args : ['-c', this.configuration, ...args];
    return run(file, configured, { signal: AbortSignal.timeout(LIMIT_MS) });
  }
}

/** The monitor gathers changes for a second by default: whoever follows another would wait for that. Here nobody else comes. */
const configurationOf = (directory: string, port: number, fsid: string) => `[global]
fsid = ${fsid}
mon host = v1:127.0.0.1:${port}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = ${directory}/keyring
run dir = ${directory}
admin socket = ${directory}/$name.asok
log file = ${directory}/$name.log
mon cluster log file = ${directory}/cluster.log
log to stderr = false
mon data = ${directory}/mon
mon data avail crit = 1
osd data = ${directory}/osd
osd objectstore = memstore
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
mon allow pool size one = true
paxos propose interval = 0.05
`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
