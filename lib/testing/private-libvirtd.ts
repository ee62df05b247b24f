// A libvirtd for tests alone: own mounts, own processes, own state. Tests may kill it; the host's libvirt never notices.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { type Connection, type ConnectOptions, connect } from '../libvirt';
import { type OptionNames, refuseUnknown } from '../libvirt/options';
import { exists } from './cache';
import { type RunResult, run, toolEnvironment } from './command';
import { qemuConf } from './qemu-conf';
import { temporaryDirectory } from './scratch';

/** Folders of libvirt's that are our own inside the daemon's mount namespace. */
const FOLDERS: Readonly<Record<string, string>> = {
  etc: '/etc/libvirt',
  run: '/run/libvirt',
  lib: '/var/lib/libvirt',
  cache: '/var/cache/libvirt',
  log: '/var/log/libvirt',
};

const LIBVIRTD_CONF = `auth_unix_ro = "none"
auth_unix_rw = "none"
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
`;

// Process 1 of the namespace lives as long as the pipe from us. When it ends, by our will or by our death, the kernel ends
// everything in the namespace, guests included; then the folder goes. Nothing here depends on our being alive.
const HOLD = `trap '' HUP INT TERM
unshare --mount --pid --fork --mount-proc --propagation private -- tini -- sh -c '
  set -e
  for folder in ${Object.keys(FOLDERS).join(' ')}; do
    case $folder in ${Object.entries(FOLDERS)
      .map(([folder, path]) => `${folder}) path=${path};;`)
      .join(' ')} esac
    mkdir -p "$path"
    mount --bind "$1/$folder" "$path"
  done
  echo ready
  exec cat >/dev/null
' sh "$1"
rm -rf -- "$1"
`;

/** How the daemon is started. */
export interface PrivateLibvirtdOptions {
  /** Ends `start()`, which then leaves nothing behind. */
  signal?: AbortSignal;
  /** More lines for libvirtd.conf, as `max_client_requests = 5`. */
  configuration?: readonly string[];
  /** More arguments, as `--listen`. */
  args?: readonly string[];
  /** More of its environment, as `SASL_CONF_PATH`. */
  environment?: Readonly<Record<string, string>>;
}

const OPTIONS: OptionNames<PrivateLibvirtdOptions> = {
  signal: true,
  configuration: true,
  args: true,
  environment: true,
};

/**
 * One private daemon; any number may run at once. Needs root, for its namespaces.
 *
 * @example
 * await using daemon = await PrivateLibvirtd.start();
 * const { name } = await TestGuest.boot({ connection: await daemon.connect() });
 * await daemon.kill();      // SIGKILL: the guest runs on, the connection has ended
 * await daemon.restart();
 * await using connection = await daemon.connect();
 * console.log((await connection.domainLookupByName(name)).getName());
 */
export class PrivateLibvirtd implements AsyncDisposable {
  readonly #holder: ChildProcess;
  readonly #holderExit: Promise<unknown>;
  readonly #options: PrivateLibvirtdOptions;
  readonly #namespace: number;
  #daemon: { starter: ChildProcess; exit: Promise<unknown>; pid: number } | undefined;
  #closing: Promise<void> | undefined;

  /** State, configuration and logs of the daemon. */
  readonly directory: string;

  private constructor(directory: string, holder: ChildProcess, namespace: number, options: PrivateLibvirtdOptions) {
    this.directory = directory;
    this.#holder = holder;
    this.#holderExit = once(holder, 'exit');
    this.#namespace = namespace;
    this.#options = options;
  }

  /** Resolves when the daemon accepts connections, about 0.3 s later. */
  static async start(options: PrivateLibvirtdOptions = {}): Promise<PrivateLibvirtd> {
    refuseUnknown(options, OPTIONS, 'PrivateLibvirtd.start');
    options.signal?.throwIfAborted();
    if (process.getuid?.() !== 0) throw new Error('a private libvirtd needs root: it lives in namespaces of its own');
    const directory = await temporaryDirectory('libvirtd');
    for (const folder of Object.keys(FOLDERS)) await mkdir(join(directory, folder));
    await writeFile(join(directory, 'etc', 'qemu.conf'), qemuConf());
    // From libvirt 10.4 on the daemon would not start where there is neither nft nor iptables.
    await writeFile(join(directory, 'etc', 'network.conf'), 'firewall_backend = "none"\n');
    // Of two lines for one setting libvirt heeds the first.
    await writeFile(
      join(directory, 'etc', 'libvirtd.conf'),
      (options.configuration ?? []).map((line) => `${line}\n`).join('') + LIBVIRTD_CONF,
    );
    const { holder, namespace } = await hold(directory);
    const daemon = new PrivateLibvirtd(directory, holder, namespace, options);
    try {
      await daemon.restart();
      return daemon;
    } catch (error) {
      await daemon.close();
      throw error;
    }
  }

  /** Of the daemon's socket. */
  get socket(): string {
    return join(this.directory, 'run', 'libvirt-sock');
  }

  /** Of its QEMU driver, for this machine. */
  get uri(): string {
    return `qemu+unix:///system?socket=${this.socket}`;
  }

  /** The daemon's process id as this process sees it; undefined while it is down. */
  get pid(): number | undefined {
    return this.#daemon?.pid;
  }

  /** Opens a connection to it. */
  connect(options?: ConnectOptions): Promise<Connection> {
    return connect(this.uri, options);
  }

  /** Runs virsh against this daemon. */
  virsh(...args: string[]): Promise<RunResult> {
    return run('virsh', ['--connect', this.uri, ...args]);
  }

  /** Ends the daemon and waits for its end; its guests run on. `SIGTERM` lets it finish, `SIGKILL` (default) does not. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined) return;
    daemon.starter.ref();
    try {
      process.kill(daemon.pid, 'SIGCONT');
      process.kill(daemon.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has just ended by itself
    }
    await daemon.exit;
  }

  /** The daemon hangs until `resume`: connections stay open and nothing answers. */
  suspend(): void {
    if (this.#daemon !== undefined) process.kill(this.#daemon.pid, 'SIGSTOP');
  }

  /** SIGCONT: undoes `suspend()`. */
  resume(): void {
    if (this.#daemon !== undefined) process.kill(this.#daemon.pid, 'SIGCONT');
  }

  /** Starts the daemon, after `kill` if it runs, and resolves when it accepts connections. */
  async restart(): Promise<void> {
    await this.kill();
    const { signal, args = [], environment } = this.#options;
    const command = ['libvirtd', '--pid-file', '/run/libvirt/libvirtd.pid', ...args];
    // nsenter's own fork would stop together with a daemon that is stopped, and hold up the end of the namespace.
    const enter = ['--target', String(this.#namespace), '--mount', '--pid', '--no-fork', '--'];
    const starter = spawn('nsenter', [...enter, 'sh', '-c', '"$@" & wait', 'sh', ...command], {
      stdio: 'ignore',
      env: { ...toolEnvironment(), ...environment },
    });
    starter.unref();
    const exit = once(starter, 'exit').then(() => {
      this.#daemon = undefined;
    });
    const failed = exit.then(async () => {
      const log = await readFile(join(this.directory, 'log', 'libvirtd.log'), 'utf8').catch(() => '');
      throw new Error(`libvirtd ended at once: ${log.trim().split('\n').at(-1)}`);
    });
    await Promise.race([answers(this.socket, signal), failed]);
    failed.catch(() => {});
    this.#daemon = { starter, exit, pid: await onlyChildOf(starter.pid ?? 0) };
  }

  /** Ends daemon and guests and removes the folder. A second call does nothing. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#holder.ref();
      this.#holder.stdin?.end();
      await this.#holderExit;
    })();
    return this.#closing;
  }

  /** {@link PrivateLibvirtd.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function hold(directory: string): Promise<{ holder: ChildProcess; namespace: number }> {
  // A session of its own: Ctrl-C on the terminal must not reach it before it has cleaned up.
  const holder = spawn('sh', ['-c', HOLD, 'sh', directory], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: toolEnvironment(),
  });
  let said = '';
  holder.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ready = once(holder.stdout, 'data');
  const ended = once(holder, 'exit').then(() => {
    throw new Error(`no namespace for a private libvirtd: ${said.trim()}`);
  });
  await Promise.race([ready, ended]);
  ended.catch(() => {});
  const unshare = await onlyChildOf(holder.pid ?? 0);
  const namespace = await onlyChildOf(unshare);
  holder.unref();
  for (const stream of [holder.stdin, holder.stdout, holder.stderr])
    if ('unref' in stream) (stream.unref as () => void)();
  return { holder, namespace };
}

async function onlyChildOf(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const child = Number.parseInt(children, 10);
  if (Number.isNaN(child)) throw new Error(`process ${pid} has no child`);
  return child;
}

/** Resolves when something accepts connections at a socket's path, which may not exist yet. */
async function answers(socket: string, signal: AbortSignal | undefined): Promise<void> {
  const folder = join(socket, '..');
  const watcher = watch(folder, { persistent: true });
  try {
    for (;;) {
      const changed = once(watcher, 'change', { signal });
      changed.catch(() => {});
      if ((await exists(socket)) && (await accepts(socket))) return;
      await changed;
    }
  } finally {
    watcher.close();
  }
}

function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createConnection(socket);
    const answer = (yes: boolean) => {
      probe.destroy();
      resolve(yes);
    };
    probe.once('connect', () => answer(true)).once('error', () => answer(false));
  });
}
