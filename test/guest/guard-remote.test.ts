// The guard where the daemon is far, or asks for a password: it gets in, gets in again after the daemon was restarted, also
// when nobody is left to ask, and tells nobody what it was told.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  type AuthCredential,
  ConnectCredentialType,
  type Connection,
  connect,
  type Domain,
  DomainEventType,
  DomainState,
} from '../../lib';
import { armGuard } from '../../lib/disk-snapshot/guard/guard';
import { startWriter, TestGuest } from '../../lib/testing';
import { guestExec } from '../../lib/testing/agent';
import { type AuthDaemon, authDaemon, PASSWORD, USER } from '../lifecycle/auth-daemon';
import { holder, kill } from './holder';

jest.setTimeout(180_000);
const known = { username: USER, password: PASSWORD };

let at: AuthDaemon;
let guest: TestGuest;
let looking: Connection;
/** The guest as somebody else sees it, over a connection that no test's daemon has ended. */
let domain: Domain;
async function look(password = PASSWORD): Promise<void> {
  looking = await at.daemon.connect({ auth: { username: USER, password } });
  domain = await looking.domainLookupByName(guest.name);
}

beforeAll(async () => {
  at = await authDaemon('scram-sha-256');
  const connection = await at.daemon.connect({ auth: known });
  guest = await TestGuest.boot({ connection, restorable: false });
  await startWriter(guest);
  await look();
});
afterAll(async () => {
  await domain?.destroy().catch(() => undefined);
  await looking?.close();
  await guest?.close().catch(() => undefined); // its handle went with the first daemon that was killed; its files go
  await guest?.connection.close();
  await at?.[Symbol.asyncDispose]();
});

async function restart(password?: string): Promise<void> {
  await at.daemon.restart();
  await looking.close();
  await look(password);
}

const ask = (command: string) => domain.qemuAgentCommand(`{"execute":"guest-fsfreeze-${command}"}`, 5);
const ticks = async () => Number((await guestExec(domain, ['wc', '-l', '/mnt/a/ticks'])).stdout.split(' ')[0]);

/** For how long the guest was not seen to write. */
async function writesAgain(): Promise<number> {
  const from = performance.now();
  const limit = AbortSignal.timeout(20_000);
  while (!(await ask('status').catch(() => 'not yet')).includes('thawed') && !limit.aborted) await delay(20);
  const ms = performance.now() - from;
  const count = await ticks();
  await delay(100);
  expect(await ticks()).toBeGreaterThan(count);
  return ms;
}

/** The guest runs, or does so within ten seconds. */
async function resumed(): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  await using lifecycle = await looking.subscribe('lifecycle', { domain, signal });
  if ((await domain.getState()).state === DomainState.PAUSED)
    for await (const { event } of lifecycle) if (event === DomainEventType.RESUMED) break;
  expect((await domain.getState()).state).toBe(DomainState.RUNNING);
}

/** Command lines and environments of all processes. */
async function shown(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const files = pids.flatMap((pid) => ['cmdline', 'environ'].map((file) => `/proc/${pid}/${file}`));
  return Promise.all(files.map((path) => readFile(path, 'utf8').catch(() => ''))); // some have just ended
}

describe.each([
  ['TCP', () => at.tcpUri, {}],
  ['TLS, with a certificate and a password', () => at.tlsUri, { auth: known }],
] as const)('over %s', (_how, uri, options) => {
  test('killed while it holds a freeze: the guest writes again within 2 s', async () => {
    const child = await holder(uri(), guest.name, 'freeze', options);
    expect(await ask('status')).toContain('frozen');
    await kill(child);
    expect(await writesAgain()).toBeLessThan(2_000);
  });

  test('killed together with the daemon, which is back 5 s later: thawed then', async () => {
    const child = await holder(uri(), guest.name, 'freeze', options);
    expect(await ask('status')).toContain('frozen');
    await Promise.all([at.daemon.kill(), kill(child)]);
    await delay(5_000);
    await restart();
    expect(await writesAgain()).toBeLessThan(2_000);
  });
});

describe('a daemon that asks for a password', () => {
  let password: string;
  let answer: (asked: readonly AuthCredential[]) => Promise<(string | null)[]> | (string | null)[];
  const answers = (asked: readonly AuthCredential[]) =>
    asked.map(({ type }) => (type === ConnectCredentialType.PASSPHRASE ? password : USER));
  beforeEach(() => {
    password = PASSWORD;
    answer = answers;
  });
  const connectAsking = () => connect(at.daemon.uri, { auth: (asked) => answer(asked) });

  test.each<[string, typeof answer]>([
    ['answers', (asked) => answers(asked)],
    ['answers nothing', (asked) => asked.map(() => null)],
    ['never answers', () => new Promise(() => undefined)],
    [
      'throws',
      () => {
        throw new Error('the vault is sealed');
      },
    ],
  ])('it is restarted while the holder lives, and %s: the guard ends the pause', async (_what, again) => {
    await using conn = await connectAsking();
    const armed = await armGuard(await conn.domainLookupByName(guest.name), 'pause', 1_000);
    await domain.suspend();
    answer = again;
    await at.daemon.kill();
    await restart();
    await resumed();
    armed.disarm();
  });

  test('it comes back with another password, which the holder knows: the guard asks anew', async () => {
    await using conn = await connectAsking();
    const armed = await armGuard(await conn.domainLookupByName(guest.name), 'freeze', 1_000);
    await ask('freeze');
    await at.daemon.kill();
    password = `${PASSWORD}-changed`;
    await at.setPassword(password);
    await restart(password);
    expect(await writesAgain()).toBeLessThan(5_000);
    armed.disarm();
    await at.setPassword(PASSWORD);
  });

  test('a holder that throws when the guard asks: no guard, and an error that says so', async () => {
    await using conn = await connectAsking();
    answer = () => {
      throw new Error('the vault is sealed');
    };
    const refused = armGuard(await conn.domainLookupByName(guest.name), 'pause', 1_000);
    await expect(refused).rejects.toMatchObject({ code: 'GUARD_UNAVAILABLE' });
  });

  test('no command line, environment or log shows the password', async () => {
    const child = await holder(at.daemon.uri, guest.name, 'pause', { auth: known });
    const texts = await shown();
    texts.push(await readFile(join(at.daemon.directory, 'log', 'libvirtd.log'), 'utf8'));
    await kill(child);
    await resumed();
    expect(texts.filter((text) => text.includes(join('guard', 'process.js')))).not.toHaveLength(0);
    expect(texts.filter((text) => text.includes(PASSWORD))).toHaveLength(0);
  });
});
