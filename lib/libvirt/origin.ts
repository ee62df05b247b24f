// How a connection was authenticated, for whoever must open another one like it.
import type { AuthCallback } from './connect';
import type { Connection } from './connection';

const origins = new WeakMap<Connection, AuthCallback>();

/** @internal */
export function rememberCredentials(connection: Connection, callback: AuthCallback | null): void {
  if (callback) origins.set(connection, callback);
}

/** @internal What answered for this connection's credentials, if anything did. */
export const credentialsOf = (connection: Connection): AuthCallback | undefined => origins.get(connection);
