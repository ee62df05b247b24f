// A host that accepts connections and never says anything.
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface SilentHost extends AsyncDisposable {
  readonly uri: string;
  /** How many clients are connected now. */
  readonly clients: number;
}

export async function silentHost(): Promise<SilentHost> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // a client that goes away is what the tests are about
    socket.on('close', () => sockets.delete(socket));
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    uri: `test+tcp://127.0.0.1:${(server.address() as AddressInfo).port}/default`,
    get clients() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
