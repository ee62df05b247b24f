// The guard itself: a process that outlives the one that froze a guest. When the pipe to that one closes, or its deadline
// passes, it resumes and thaws, and keeps trying until the guest is proven to go on.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type AuthCredential,
  type Connection,
  connect,
  type Domain,
  DomainPausedReason,
  DomainState,
  LibvirtError,
} from '../../libvirt';
import { messageOf } from '../errors';
import { Thawing } from '../freeze/thaw';
import { isLocalUri } from '../local';
import { type Answers, Credentials } from './credentials';
import { isEmbedded, type Order, receive, rootOf, send, type ToGuard } from './wire';

/**
 * Between two tries to reach a host or its daemon, which may be starting again: at first, and at most. A guest writes again within
 * 2 s of its daemon's return: one of them goes by before we ask, and libvirt needs some of the other to find the agent again.
 */
const RETRY_MS = { first: 200, most: 750 };
/**
 * Opens of the embedded driver. Whoever else has opened its root by then has the guest, and can thaw it; and libvirt
 * opens no more than about a dozen in one process ("Too many drivers").
 */
const EMBEDDED_TRIES = 10;
const LIMIT_MS = 10_000;

interface Watched {
  order: Order;
  deadline: NodeJS.Timeout;
  /** Whether the guest's QEMU is a process that we can see: only then does it tell something when there is none. */
  isSeen: boolean;
}
const armed = new Map<number, Watched>();
/** The numbers of those that are being armed, and were not disarmed meanwhile. */
const arming = new Set<number>();
const connections = new Map<number, Promise<Connection>>();
const credentials = new Credentials(ask);
const questions = new Map<number, (answers: Answers) => void>();
let asked = 0;
/** The numbers of those that are being rescued. */
const rescuing = new Set<number>();
/** The pipe has closed: what is done now is done without the one that we guarded. */
let orphaned = false;

// The one that we guard is gone: that is what the end of the other pipe says.
process.stdout.on('error', () => undefined);
receive<ToGuard>(process.stdin, take, () => {
  orphaned = true;
  for (const answer of questions.values()) answer([]);
  for (const { order, deadline } of armed.values()) {
    clearTimeout(deadline);
    void rescue(order);
  }
  endIfIdle();
});

function take(message: ToGuard): void {
  switch (message.type) {
    case 'arm':
      void arm(message);
      break;
    case 'postpone':
      postpone(message);
      break;
    case 'disarm':
      arming.delete(message.id);
      clearTimeout(armed.get(message.id)?.deadline);
      armed.delete(message.id);
      break;
    case 'forget':
      credentials.forget(message.connection);
      void letGo(message.connection);
      break;
    case 'answers':
      questions.get(message.question)?.(message.answers);
      questions.delete(message.question);
      break;
  }
}

async function arm(order: Order): Promise<void> {
  arming.add(order.id);
  try {
    // Everything that could fail is tried now, while the guest still writes.
    if (!isEmbedded(order.uri)) await reach(order);
    if (!arming.delete(order.id)) return;
    const watched: Watched = { order, deadline: setTimeout(() => void rescue(order), order.deadlineMs), isSeen: false };
    armed.set(order.id, watched);
    send(process.stdout, { type: 'armed', id: order.id });
    if (orphaned) void rescue(order);
    watched.isSeen = isLocalUri(order.uri) && hasProcess(order.uuid);
  } catch (error) {
    arming.delete(order.id);
    send(process.stdout, {
      type: 'failed',
      id: order.id,
      message: messageOf(error),
    });
  }
}

function postpone({ id, deadlineMs }: { id: number; deadlineMs: number }): void {
  const watched = armed.get(id);
  if (!watched) return;
  clearTimeout(watched.deadline);
  watched.deadline = setTimeout(() => void rescue(watched.order), deadlineMs);
}

async function reach({ connection, uri, uuid }: Order): Promise<Domain> {
  const opened = connections.get(connection) ?? open(connection, uri);
  connections.set(connection, opened);
  try {
    return await (await opened).domainLookupByUUIDString(uuid, { timeoutMs: LIMIT_MS });
  } catch (error) {
    if (!isNoDomain(error)) await letGo(connection);
    throw error;
  }
}

function open(connection: number, uri: string): Promise<Connection> {
  return connect(uri, { timeoutMs: LIMIT_MS, auth: (list) => credentials.answer(connection, list) });
}

async function ask(connection: number, list: readonly AuthCredential[]): Promise<Answers> {
  if (orphaned) return [];
  return new Promise((resolve) => {
    questions.set(++asked, resolve);
    send(process.stdout, { type: 'ask', question: asked, connection, credentials: list });
  });
}

async function letGo(connection: number): Promise<void> {
  const opened = connections.get(connection);
  connections.delete(connection);
  await (await opened?.catch(() => undefined))?.close();
}

async function rescue(order: Order): Promise<void> {
  if (rescuing.has(order.id)) return;
  // The root is its owner's, whose thread keeps the deadline, for as long as that one is there.
  if (isEmbedded(order.uri) && !orphaned) return;
  rescuing.add(order.id);
  const awake = setInterval(() => undefined, 60_000); // thawing waits by timers that let a process end
  const tries = isEmbedded(order.uri) ? EMBEDDED_TRIES : Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < tries && armed.has(order.id) && !(await goesOn(order)); attempt++) {
    await delay(Math.min(RETRY_MS.first * 1.5 ** attempt, RETRY_MS.most));
  }
  clearInterval(awake);
  armed.delete(order.id);
  rescuing.delete(order.id);
  send(process.stdout, { type: 'over', id: order.id });
  endIfIdle();
}

/** Whether the guest is proven to go on, or is no more. False: to be tried again. */
async function goesOn(order: Order): Promise<boolean> {
  if (!existsSync(rootOf(order.uri))) return true; // the driver's state went, and its guests with it
  try {
    const domain = await reach(order);
    if (order.what === 'pause') return await resume(domain);
    await new Thawing(domain).proven;
    return true;
  } catch (error) {
    return isNoDomain(error) || (armed.get(order.id)?.isSeen === true && !hasProcess(order.uuid));
  }
}

/**
 * Whether the guest's QEMU is seen on this machine. One that was seen and is not any more is gone: then nobody waits, even if
 * its daemon never comes back.
 */
function hasProcess(uuid: string): boolean {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.some((pid) => commandOf(pid).includes(uuid));
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // it has just ended
  }
}

/** Only a pause by a user can be the one that we were told of; one by an I/O error is never ended from here. */
async function resume(domain: Domain): Promise<boolean> {
  const { state, reason } = await domain.getState({ timeoutMs: LIMIT_MS });
  if (state !== DomainState.PAUSED || reason !== DomainPausedReason.USER) return true;
  await domain.resume({ timeoutMs: LIMIT_MS });
  return false; // looked at once more
}

const isNoDomain = (error: unknown) => error instanceof LibvirtError && error.codeName === 'NO_DOMAIN';

function endIfIdle(): void {
  if (!orphaned || rescuing.size > 0) return;
  for (const connection of connections.keys()) void letGo(connection);
}
