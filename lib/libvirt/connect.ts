// connect: opens a connection to a hypervisor's driver.
import { type NativeFailure, native, type RawHandle } from '../native';
import { call, checkOptions } from './call';
import { CloseSignal } from './close-signal';
import type { Connection } from './connection';
import { makeConnection } from './connection';
import { argumentError } from './errors';
import { errorOf } from './failure';
import { ConnectCredentialType, ConnectFlags } from './generated/constants';
import { CALL_OPTIONS, type CallOptions, type OptionNames, refuseUnknown } from './options';
import { rememberCredentials } from './origin';

/** What the other end asks for: virConnectCredential. */
export interface AuthCredential {
  /** One of `ConnectCredentialType`. */
  type: number;
  prompt: string;
  challenge: string | null;
  defaultResult: string | null;
}

/** Answers, in the order asked; null for one that is left out. */
export type AuthCallback = (ask: readonly AuthCredential[]) => Promise<(string | null)[]> | (string | null)[];

export interface ConnectOptions extends CallOptions {
  /** A connection that can change nothing. Default false. */
  readonly?: boolean | undefined;
  /** Credentials, or what is asked for them; it may be asynchronous. Default: none. */
  auth?: { username?: string; password?: string } | AuthCallback | undefined;
  /** virConnectSetKeepAlive; default `{ interval: 5, count: 6 }` (seconds, as virsh) on remote URIs; false: none. */
  keepAlive?: { interval: number; count: number } | false | undefined;
}

const CONNECT_OPTIONS: OptionNames<ConnectOptions> = { ...CALL_OPTIONS, readonly: true, auth: true, keepAlive: true };

const ANSWERED_BY: ReadonlyMap<number, 'username' | 'password'> = new Map([
  [ConnectCredentialType.USERNAME, 'username'],
  [ConnectCredentialType.AUTHNAME, 'username'],
  [ConnectCredentialType.PASSPHRASE, 'password'],
  [ConnectCredentialType.NOECHOPROMPT, 'password'],
]);

function authCallback(auth: ConnectOptions['auth']): AuthCallback | null {
  if (auth === undefined || typeof auth === 'function') return auth ?? null;
  if (typeof auth !== 'object' || auth === null)
    throw argumentError('ERR_INVALID_ARG_TYPE', "The option 'auth' of connect must be an object or a function");
  return (asked) =>
    asked.map(({ type }) => {
      const key = ANSWERED_BY.get(type);
      return key === undefined ? null : (auth[key] ?? null);
    });
}

/** What no string of C holds as it is. */
const UNFIT_TEXT = /[\0\p{Surrogate}]/u;

/** Without a word of what was answered. */
function checkAnswers(answers: unknown): void {
  const isFit = (answer: unknown) => answer === null || (typeof answer === 'string' && !UNFIT_TEXT.test(answer));
  if (answers === undefined || answers === null || (Array.isArray(answers) && answers.every(isFit))) return;
  throw argumentError(
    'ERR_INVALID_ARG_VALUE',
    "The option 'auth' of connect must answer with a list of strings without NUL characters and lone surrogates, or of null",
  );
}

function keepAliveOf(keepAlive: ConnectOptions['keepAlive']): { interval: number; count: number } {
  if (keepAlive === false) return { interval: 0, count: 0 };
  if (keepAlive === undefined) return { interval: 5, count: 6 };
  if (typeof keepAlive !== 'object' || keepAlive === null)
    throw argumentError('ERR_INVALID_ARG_TYPE', "The option 'keepAlive' of connect must be an object or false");
  for (const key of ['interval', 'count'] as const) {
    const value: unknown = keepAlive[key];
    if (typeof value !== 'number')
      throw argumentError('ERR_INVALID_ARG_TYPE', `The option 'keepAlive.${key}' of connect must be a number`);
    if (!Number.isInteger(value) || value < 1 || value > 0x7fff_ffff)
      throw argumentError('ERR_OUT_OF_RANGE', `The option 'keepAlive.${key}' of connect must be a positive integer`);
  }
  return keepAlive;
}

/**
 * Opens a connection; virConnectOpenAuth. Rejects with LibvirtError: `NO_CONNECT` where no driver takes the URI,
 * `SYSTEM_ERROR` where no daemon listens there, `AUTH_FAILED` where it refuses who asks.
 *
 * @param uri `qemu:///system`, `qemu+ssh://host/system`, `qemu:///embed?root=/folder`, … Null: libvirt's default.
 * @example
 * const conn = await connect('qemu:///system', { timeoutMs: 5000 });
 * try {
 *   for (const dom of await conn.listAllDomains()) console.log(dom.getName());
 * } finally {
 *   await conn.close();
 * }
 */
export async function connect(uri: string | null = null, options: ConnectOptions = {}): Promise<Connection> {
  if (uri !== null && typeof uri !== 'string')
    throw argumentError('ERR_INVALID_ARG_TYPE', "The argument 'uri' of connect must be a string or null");
  if (uri !== null && UNFIT_TEXT.test(uri))
    throw argumentError(
      'ERR_INVALID_ARG_VALUE',
      "The argument 'uri' of connect must be a string without NUL characters and lone surrogates",
    );
  refuseUnknown(options, CONNECT_OPTIONS, 'connect');
  const { interval, count } = keepAliveOf(options.keepAlive);
  const callback = authCallback(options.auth);
  // An error of the caller's own callback is what connect rejects with, not the "authentication failed" that follows.
  let thrown: { error: unknown } | undefined;
  const ask = async (question: number, asked: unknown[]): Promise<void> => {
    try {
      const answers = await callback?.(Array.from(asked as AuthCredential[], (credential) => ({ ...credential })));
      checkAnswers(answers);
      native.answer(question, answers ?? null);
    } catch (error) {
      thrown = { error };
      native.answer(question, null);
    }
  };
  const lost = new CloseSignal();
  const flags = options.readonly ? ConnectFlags.RO : 0;
  try {
    const handle = await call(
      (...frame) => native.open(...frame, uri ?? '', flags, interval, count, lost.fire, callback && ask),
      'connect',
      checkOptions(options, 'connect'),
    );
    const connection = makeConnection(handle as RawHandle, lost);
    rememberCredentials(connection, callback);
    return connection;
  } catch (error) {
    if (thrown) throw thrown.error;
    throw error;
  }
}

/** virGetVersion: the version of the libvirt that is installed here: 1,000,000 * major + 1,000 * minor + release. */
export function getVersion(): number {
  const version: number | NativeFailure = native.version();
  if (typeof version === 'number') return version;
  throw errorOf(version);
}
