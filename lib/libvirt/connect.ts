// connect: opens a connection to a hypervisor's driver.
import type { Connection } from './connection';
import type { CallOptions } from './options';

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

/** Opens a connection; virConnectOpenAuth. `uri` null: libvirt's default. Rejects with LibvirtError. */
export async function connect(_uri?: string | null, _options: ConnectOptions = {}): Promise<Connection> {
  throw new Error('not yet');
}

/** virGetVersion: the version of the libvirt that is installed here: 1,000,000 * major + 1,000 * minor + release. */
export function getVersion(): number {
  throw new Error('not yet');
}
