// A private daemon of this machine that is reached as if it were on another one: nothing of it is ours to see then, and whatever
// is done goes through libvirt's API.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
