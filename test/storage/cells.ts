// Which tests fill which cells of the table of methods: their titles say so, and methods-table.mjs reads them.
import type { DiskSnapshotErrorCode } from '../../lib';

export const STATES = ['running, quiesced', 'running, not quiesced', 'off'] as const;
export type State = (typeof STATES)[number];

export const OPERATIONS = ['create', 'list', 'read', 'revert', 'revert again', 'delete'] as const;
export type Operation = (typeof OPERATIONS)[number];

export interface Cell {
  /** `far`: a daemon of this machine, as if it were on another one. */
  where: 'local' | 'remote' | 'far';
  method: string;
  state: State;
  /** All that the test shows. */
  shows: readonly Operation[];
  /** With this error, by design. */
  refused?: DiskSnapshotErrorCode;
}

export const cell = ({ where, method, state, shows, refused }: Cell): string =>
  `[${[where, method, state, shows.join(' + '), ...(refused ? [refused] : [])].join(' | ')}]`;
