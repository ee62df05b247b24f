// A private daemon of this machine that is reached as if it were on another one: nothing of it is ours to see then, and whatever
// is done goes through libvirt's API.
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, connect } from '../../lib';
import { PrivateLibvirtd } from '../../lib/testing';

export class FarDaemon implements AsyncDisposable {
  private constructor(
    readonly daemon: PrivateLibvirtd,
    readonly uri: string,
  ) {}

  static async start(): Promise<FarDaemon> {
    const port = await freePort();
    const daemon = await PrivateLibvirtd.start({
      args: ['--listen'],
      configuration: [
        'listen_tls = 0',
        'listen_tcp = 1',
        'auth_tcp = "none"',
        'listen_addr = "127.0.0.1"',
        `tcp_port = "${port}"`,
      ],
    });
    await listening(port);
    return new FarDaemon(daemon, `qemu+tcp://127.0.0.1:${port}/system`);
  }

  connect(): Promise<Connection> {
    return connect(this.uri);
  }

  close(): Promise<void> {
    return this.daemon.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The daemon answers on its own socket first, and nothing tells when it does on this one: it is asked until then. */
async function listening(port: number): Promise<void> {
  const limit = AbortSignal.timeout(10_000);
  for (;;) {
    const socket = createConnection(port, '127.0.0.1');
    const error = await once(socket, 'connect').catch((reason: unknown) => reason);
    socket.destroy();
    if (!(error instanceof Error)) return;
    await delay(10, undefined, { signal: limit });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
