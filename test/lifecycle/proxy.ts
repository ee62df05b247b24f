// Between us and a daemon: counts what comes back, and may keep back the answers to some functions for ever, so that their calls
// hang while all others go on.
import { createServer, type Socket, connect as toSocket } from 'node:net';
import { join } from 'node:path';
import { temporaryDirectory } from '../../lib/testing/scratch';

/** libvirt's remote_protocol.x. */
const REPLY = 1;
const PROGRAM = 0x20008086;

export interface Proxy extends AsyncDisposable {
  readonly socket: string;
  /** Bytes that have come from the daemon. */
  readonly received: number;
  /** How many answers are kept back; from now on those to this procedure's calls are. */
  withhold(procedure: number): void;
  readonly withheld: number;
  /** Resolves when so many answers have been kept back in all. */
  keptBack(count: number): Promise<void>;
}

export async function proxyTo(daemon: string): Promise<Proxy> {
  const directory = await temporaryDirectory('proxy');
  const socket = join(directory, 'socket');
  const procedures = new Set<number>();
  const waiting: { count: number; resolve: () => void }[] = [];
  const open = new Set<Socket>();
  let received = 0;
  let withheld = 0;

  const isKept = (message: Buffer): boolean =>
    message.readUInt32BE(4) === PROGRAM &&
    message.readUInt32BE(16) === REPLY &&
    procedures.has(message.readUInt32BE(12));

  const server = createServer((client) => {
    const host = toSocket(daemon);
    for (const end of [client, host]) {
      open.add(end);
      end
        .on('error', () => {})
        .on('close', () => {
          open.delete(end);
          client.destroy();
          host.destroy();
        });
    }
    client.pipe(host);
    let rest = Buffer.alloc(0);
    host.on('data', (data: Buffer) => {
      received += data.length;
      rest = Buffer.concat([rest, data]);
      while (rest.length >= 4 && rest.length >= rest.readUInt32BE(0)) {
        const message = rest.subarray(0, rest.readUInt32BE(0));
        rest = rest.subarray(message.length);
        if (!isKept(message)) {
          client.write(message);
          continue;
        }
        withheld++;
        for (const one of waiting) if (one.count <= withheld) one.resolve();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    get received() {
      return received;
    },
    get withheld() {
      return withheld;
    },
    withhold: (procedure) => void procedures.add(procedure),
    keptBack: (count) =>
      withheld >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
    async [Symbol.asyncDispose]() {
      for (const end of open) end.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
