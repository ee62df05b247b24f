// What an image holds, read by QEMU's own block layer: a read-only qemu-nbd for as long as somebody reads, and qemu-img.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { FileHandle } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { StreamChunk } from '../../libvirt';
import { onAbort } from '../../libvirt/on-abort';
import { DiskSnapshotError, type DiskSnapshotErrorCode, messageOf } from '../errors';
import { pathOf } from '../nameless-file';
import { NbdClient } from './nbd-client';
import { handSecret, SECRET } from './qemu-secret';
import { makeSocketFolder } from './socket-folder';
import { isMissing, lastWords, spawnTool } from './tool';

/** An image as QEMU's block layer opens it. */
export interface QemuImage {
  /** The node below the format: `{ driver: 'file', filename }`, `{ driver: 'rbd', pool, image, snapshot }` … */
  file: Readonly<Record<string, unknown>> & { driver: string };
  format: string;
  /** A snapshot inside the image; null: the image as it is. */
  internalSnapshot: string | null;
  /** What `file` is opened with, where the storage asks for a key. */
  secret: Uint8Array | null;
}

const READ_BYTES = 2 * 1024 * 1024;
/** Of one question for extents: the protocol counts them in 32 bits. */
const STATUS_BYTES = 2 ** 31;
const POLL_MS = 5;

/**
 * The image for QEMU's tools, as one argument. Without force-share QEMU's own lock keeps others from writing to the
 * image while it is read; the active image, which a guest writes to, can only be shared.
 */
function imageName({ file, format, internalSnapshot, secret }: QemuImage): string {
  const node = secret ? { ...file, 'key-secret': SECRET } : file;
  const share = internalSnapshot === null ? {} : { 'force-share': true };
  return `json:${JSON.stringify({ driver: format, file: node, ...share })}`;
}

/** QEMU takes a comma in a value doubled. */
const snapshotOption = (name: string | null) =>
  name === null ? [] : ['-l', `snapshot.name=${name.replaceAll(',', ',,')}`];

/** What the guest saw, from the first byte to the last, holes as holes. */
export async function* readQemuImage(image: QemuImage, signal: AbortSignal): AsyncGenerator<StreamChunk> {
  const server = await serve(image, signal);
  try {
    const client = await NbdClient.open(server.socket);
    let offset = 0;
    while (offset < client.size) {
      for (const { length, zero } of await client.extents(offset, Math.min(client.size - offset, STATUS_BYTES))) {
        const end = offset + length;
        if (zero) yield { hole: length };
        for (; !zero && offset < end; offset += READ_BYTES)
          yield await client.read(offset, Math.min(READ_BYTES, end - offset));
        offset = end;
      }
    }
    client.disconnect();
  } catch (error) {
    signal.throwIfAborted();
    throw (await server.whyEnded()) ?? error;
  } finally {
    await server.close();
  }
}

interface Server {
  socket: Socket;
  close(): Promise<void>;
  /** Closes it; null where it ended well. qemu-nbd listens before it opens the image: its refusal may come after we are connected. */
  whyEnded(): Promise<DiskSnapshotError | null>;
}

/** A server for one reader. It ends with the connection, and so with us. */
async function serve(image: QemuImage, signal: AbortSignal): Promise<Server> {
  const folder = await makeSocketFolder();
  const secret = await handSecret(image.secret).catch(async (error) => {
    await folder.remove();
    throw error;
  });
  const socketIn = (fd: number) => join(pathOf(fd), 'nbd');
  const descriptors = [...secret.descriptors, folder.fd];
  const socketOption = `--socket=${socketIn(2 + descriptors.length)}`;
  const options = ['--read-only', '--shared=1', socketOption, ...snapshotOption(image.internalSnapshot)];
  const child = spawnTool('qemu-nbd', [...options, ...secret.options, imageName(image)], {
    stdio: ['ignore', 'ignore', 'pipe', ...descriptors],
  });
  const ended = lastWords(child);
  let socket: Socket | undefined;
  const abort = () => {
    socket?.destroy();
    child.kill('SIGKILL');
  };
  const close = async () => {
    stopListening();
    socket?.destroy();
    if (!socket) child.kill('SIGKILL');
    await ended.catch(() => {}); // its image is closed, and its lock is gone
  };
  const stopListening = onAbort(signal, abort);
  if (signal.aborted) abort();
  ended.catch(() => {}); // told by whoever waits for it
  try {
    socket = await Promise.race([connectTo(socketIn(folder.fd), child, ended), ended.then(refused, refused)]);
    const whyEnded = async () => {
      await close();
      return child.exitCode === 0 ? null : refusal(await ended);
    };
    return { socket, close, whyEnded };
  } catch (error) {
    await close();
    signal.throwIfAborted();
    throw error;
  } finally {
    await secret.close();
    await folder.remove();
  }
}

const refused = (said: unknown): never => {
  throw refusal(said);
};

function refusal(said: unknown): DiskSnapshotError {
  const text = messageOf(said).trim() || 'it was killed';
  const [code, advice] = reasonOf(text);
  return new DiskSnapshotError(code, `qemu-nbd cannot serve the image: ${text}${advice}`);
}

/** Nothing tells when the server listens: it is asked until it does, or has ended. */
async function connectTo(path: string, child: ChildProcess, ended: Promise<string>): Promise<Socket> {
  for (;;) {
    const socket = connect(path);
    socket.on('error', () => {}); // one that comes later is told by who reads
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      if (child.exitCode !== null || child.signalCode !== null) throw refusal(await ended);
      await delay(POLL_MS);
    }
  }
}

/** A file that is open, and empty; its path is for words alone. */
export interface ConvertTarget {
  file: FileHandle;
  path: string;
  format: 'raw' | 'qcow2';
}

/**
 * Copies an image into a file, holes kept; `report` hears of hundredths. qemu-img convert.
 *
 * @param opened the image's file, where it has no name
 */
export async function convertQemuImage(
  image: QemuImage,
  { file, path, format }: ConvertTarget,
  signal: AbortSignal | undefined,
  report: (percent: number) => void = () => undefined,
  opened?: FileHandle,
): Promise<void> {
  const secret = await handSecret(image.secret);
  const descriptors = [...secret.descriptors, file.fd, ...(opened ? [opened.fd] : [])];
  const inChild = ({ fd }: FileHandle) => pathOf(3 + descriptors.indexOf(fd));
  const node = opened ? { ...image.file, filename: inChild(opened) } : image.file;
  const options = ['convert', '-p', '-O', format, ...snapshotOption(image.internalSnapshot)];
  const share = image.internalSnapshot === null ? [] : ['-U'];
  const name = imageName({ ...image, file: node, internalSnapshot: null });
  const child = spawnTool('qemu-img', [...options, ...share, ...secret.options, name, inChild(file)], {
    stdio: ['ignore', 'pipe', 'pipe', ...descriptors],
    signal,
    killSignal: 'SIGKILL',
  });
  child.stdout?.on('data', (text: Buffer) => {
    const percent = /\((\d+\.\d+)\/100%\)\s*$/.exec(text.toString())?.[1];
    if (percent !== undefined) report(Number(percent));
  });
  const failed = once(child, 'error').then(([error]) => Promise.reject(error));
  failed.catch(() => {}); // an abort is told as one, too
  const ended = lastWords(child);
  const said = await Promise.race([ended, failed])
    .catch(async (error: unknown) => {
      await ended.catch(() => {});
      signal?.throwIfAborted();
      return String(error);
    })
    .finally(() => secret.close());
  signal?.throwIfAborted();
  if (child.exitCode === 0) return;
  const [code, advice] = /No space left/.test(said) ? (['NO_SPACE', '; free some space'] as const) : reasonOf(said);
  throw new DiskSnapshotError(code, `qemu-img convert to ${path} failed: ${said.trim()}${advice}`);
}

/** Why a tool cannot open an image, by what it says. */
function reasonOf(said: string): readonly [code: DiskSnapshotErrorCode, advice: string] {
  if (/Permission denied/.test(said)) return ['PERMISSION_DENIED', '; run as who may read the image'];
  if (/Failed to get .* lock/.test(said)) return ['IN_USE', '. Somebody writes to it: end that first'];
  return ['OPERATION_FAILED', isMissing(said) ? '; install it: apt-get install qemu-utils' : ''];
}
