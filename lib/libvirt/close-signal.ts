// The end of a connection, told once: by us, or by libvirt with its reason. Holds nothing of the connection itself, so
// that a connection which nobody closes can be collected.
import { ConnectCloseReason } from './generated/constants';

/** Why a connection has ended: virConnectCloseReason. `'client'`: by us. */
export type CloseReason = 'client' | 'eof' | 'error' | 'keepalive';

const REASONS: ReadonlyMap<number, CloseReason> = new Map([
  [ConnectCloseReason.CLIENT, 'client'],
  [ConnectCloseReason.EOF, 'eof'],
  [ConnectCloseReason.ERROR, 'error'],
  [ConnectCloseReason.KEEPALIVE, 'keepalive'],
]);

export class CloseSignal {
  #resolve!: (reason: CloseReason) => void;
  #reason: CloseReason | undefined;
  /** Resolves when the connection has ended. */
  readonly closed = new Promise<CloseReason>((resolve) => {
    this.#resolve = resolve;
  });
  /** Those who must know at once. */
  readonly watchers = new Set<(reason: CloseReason) => void>();

  get reason(): CloseReason | undefined {
    return this.#reason;
  }

  readonly fire = (code: number): void => {
    if (this.#reason !== undefined) return;
    this.#reason = REASONS.get(code) ?? 'error';
    this.#resolve(this.#reason);
    for (const watcher of [...this.watchers]) watcher(this.#reason);
    this.watchers.clear();
  };
}
