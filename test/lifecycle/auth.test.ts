// Credentials against a daemon that asks for them: by SASL on its socket, and over TLS. They are asked for in JavaScript, which
// may take its time, and are told to nobody else.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type AuthCredential, ConnectCredentialType, connect, LibvirtError } from '../../lib/libvirt';
import { rejection } from '../driver/test-driver';
import { laneThreads } from '../lane-threads';
import { type AuthDaemon, authDaemon, authority, PASSWORD, USER } from './auth-daemon';
import { stage } from './child';

jest.setTimeout(60_000);

const reason = new Error('the vault is sealed');
const good = { username: USER, password: PASSWORD };
const answer = ({ type }: AuthCredential) => (type === ConnectCredentialType.PASSPHRASE ? PASSWORD : USER);

describe.each(['scram-sha-256', 'plain', 'digest-md5'] as const)('%s', (mechanism) => {
  test('a password, on the socket and over TLS', async () => {
    await using at = await authDaemon(mechanism);
    for (const uri of [at.daemon.uri, at.tlsUri]) {
      await using conn = await connect(uri, { auth: good });
      expect(await conn.isSecure()).toBe(true);
      expect(await conn.listAllDomains()).toEqual([]);
    }
  });
});

describe('a daemon with a password', () => {
  let at: AuthDaemon;
  beforeAll(async () => {
    at = await authDaemon('scram-sha-256');
  });
  afterAll(async () => {
    await at[Symbol.asyncDispose]();
  });

  test('the callback may be asynchronous, and is asked once for each connection', async () => {
    const asked: AuthCredential[][] = [];
    const auth = async (ask: readonly AuthCredential[]) => {
      asked.push([...ask]);
      await delay(100);
      return ask.map(answer);
    };
    await using conn = await connect(at.daemon.uri, { auth });
    expect(await conn.numOfDomains()).toBe(0);
    const types = asked.flat().map(({ type }) => type);
    expect(types.filter((type) => type === ConnectCredentialType.PASSPHRASE)).toHaveLength(1);
    expect(asked[0]?.[0]?.prompt).toMatch(/\S/);
  });

  test.each([[['wxyz\0']], [['wxyz\ud800']], [[31337, {}]], ['wxyz']])(
    'an answer that no string of C holds is refused, and not told: %j',
    async (unfit) => {
      const auth = () => unfit as string[];
      const error = await rejection(connect(at.daemon.uri, { auth }));
      expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
      expect(inspect(error)).not.toMatch(/wxyz|31337/);
    },
  );

  test('while it thinks, other connections work', async () => {
    let proceed = () => {};
    const thought = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    const auth = async (ask: readonly AuthCredential[]) => {
      await thought;
      return ask.map(answer);
    };
    const slow = Array.from({ length: 4 }, () => connect(at.daemon.uri, { auth }));
    await using other = await connect(at.tlsUri, { auth: good });
    expect(await other.numOfDomains()).toBe(0);
    proceed();
    await Promise.all(slow.map(async (opening) => (await opening).close()));
  });

  test.each<[string, Parameters<typeof connect>[1]]>([
    ['a wrong password', { auth: { username: USER, password: `${PASSWORD}x` } }],
    ['an unknown user', { auth: { username: 'nobody', password: PASSWORD } }],
    ['no password', { auth: { username: USER } }],
    ['nothing to ask', {}],
    ['too few answers', { auth: () => [USER] }],
    ['too many answers', { auth: () => [USER, PASSWORD, PASSWORD, PASSWORD] }],
    ['no answer', { auth: async () => undefined as never }],
  ])('%s: an ordinary error, and the next one gets in', async (_what, options) => {
    const error = await rejection(connect(at.daemon.uri, options));
    expect(error).toBeInstanceOf(LibvirtError);
    expect(error).toMatchObject({ codeName: 'AUTH_FAILED' });
    await (await connect(at.daemon.uri, { auth: good })).close();
  });

  test.each<[string, () => never | Promise<never>]>([
    [
      'throws',
      () => {
        throw reason;
      },
    ],
    ['rejects', async () => Promise.reject(reason)],
  ])('a callback that %s: its error is what connect rejects with', async (_what, auth) => {
    expect(await rejection(connect(at.daemon.uri, { auth }))).toBe(reason);
  });
  test('a callback that never answers: the limit holds, and a late answer harms nobody', async () => {
    let late: (answers: string[]) => void = () => {};
    const auth = () =>
      new Promise<string[]>((resolve) => {
        late = resolve;
      });
    const start = performance.now();
    expect(await rejection(connect(at.daemon.uri, { auth, timeoutMs: 300 }))).toMatchObject({ name: 'TimeoutError' });
    const abort = new AbortController();
    const opening = rejection(connect(at.daemon.uri, { auth, signal: abort.signal }));
    setTimeout(() => abort.abort(reason), 100);
    expect(await opening).toBe(reason);
    expect(performance.now() - start).toBeLessThan(2000);
    late([USER, PASSWORD]);
    await (await connect(at.daemon.uri, { auth: good })).close();
  });

  test('a worker that is terminated while it is asked leaves no socket and no thread', async () => {
    const place = stage();
    try {
      const worker = `require(${JSON.stringify(join(place.directory, 'lib', 'libvirt'))}).connect(${JSON.stringify(at.daemon.uri)}, {
        auth: () => { require('node:worker_threads').parentPort.postMessage('asked'); return new Promise(() => {}); } }).catch(() => {})`;
      const ended = await place.run(`
        const lanes = ${laneThreads};
        const w = new (require('node:worker_threads').Worker)(${JSON.stringify(worker)}, { eval: true });
        await new Promise((resolve) => w.once('message', resolve));
        const before = lanes();
        await w.terminate();
        while (lanes() > 0) await new Promise((resolve) => setTimeout(resolve, 10));
        console.log(before, lanes());`);
      expect(ended).toMatchObject({ code: 0, signal: null, stderr: '', stdout: '1 0\n' });
    } finally {
      place.close();
    }
  });

  test('a server of another authority is not trusted', async () => {
    const folder = join(at.pki, 'other');
    await mkdir(folder);
    await authority(folder);
    const error = await rejection(connect(at.tlsUri.replace(at.pki, folder), { auth: good }));
    expect(error).toBeInstanceOf(LibvirtError);
    expect((error as Error).message).toMatch(/certificate/i);
  });

  test('a client without a certificate is not let in', async () => {
    const folder = join(at.pki, 'none');
    await mkdir(folder);
    await copyFile(join(at.pki, 'cacert.pem'), join(folder, 'cacert.pem'));
    expect(await rejection(connect(at.tlsUri.replace(at.pki, folder), { auth: good }))).toBeInstanceOf(LibvirtError);
  });

  test('credentials are in no error, no trace and no log', async () => {
    const told: string[] = [];
    const listen = (message: unknown) => told.push(inspect(message, { depth: null, showHidden: true }));
    const channels = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map(
      (step) => `tracing:libvirt-disksnapshot.call:${step}`,
    );
    for (const channel of channels) subscribe(channel, listen);
    const conn = await connect(at.daemon.uri, { auth: good });
    told.push(inspect(conn, { depth: null, showHidden: true }));
    await conn.close();
    const wrong = await rejection(connect(at.daemon.uri, { auth: { username: 'nobody', password: PASSWORD } }));
    told.push(inspect(wrong, { depth: null, showHidden: true }), JSON.stringify(wrong), String((wrong as Error).stack));
    for (const channel of channels) unsubscribe(channel, listen);
    expect(told.length).toBeGreaterThan(8);
    told.push(await readFile(join(at.daemon.directory, 'log', 'libvirtd.log'), 'utf8'));
    for (const text of told) expect(text).not.toContain(PASSWORD);
  });
});
