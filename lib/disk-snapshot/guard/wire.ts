// What the guard and the process that it guards say to each other: JSON, one message a line.
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { AuthCredential } from '../../libvirt';
import type { Answers } from './credentials';

export interface Order {
  /** The guarded process's number for this freeze or pause. */
  id: number;
  /** Its number for the connection: the guard opens one of its own for each. */
  connection: number;
  uri: string;
  uuid: string;
  what: 'freeze' | 'pause';
  /** From the arrival of this message. Later the guard acts even though the process lives: it is stuck. */
  deadlineMs: number;
}

export type ToGuard =
  | ({ type: 'arm' } & Order)
  | { type: 'postpone'; id: number; deadlineMs: number }
  | { type: 'disarm'; id: number }
  | { type: 'forget'; connection: number }
  | { type: 'answers'; question: number; answers: Answers };

export type FromGuard =
  | { type: 'armed'; id: number }
  | { type: 'failed'; id: number; message: string }
  /** The guest goes on, or is no more: the guard has done what it could. */
  | { type: 'over'; id: number }
  | { type: 'ask'; question: number; connection: number; credentials: readonly AuthCredential[] };

export function send<M extends ToGuard | FromGuard>(to: Writable, message: M): void {
  to.write(`${JSON.stringify(message)}\n`);
}

/** Calls `take` for each message until the other end is gone; then `gone`. */
export function receive<M extends ToGuard | FromGuard>(
  from: Readable,
  take: (message: M) => void,
  gone: () => void,
): void {
  createInterface({ input: from })
    .on('line', (line) => take(JSON.parse(line) as M))
    .on('close', gone);
}

/** The driver runs in the process that opened it, and no second process can open the same root meanwhile. */
export const isEmbedded = (uri: string): boolean => /^[^:]+:\/\/\/embed\b/.test(uri);

/** The folder of an embedded driver's state; of any other driver one that exists. */
export const rootOf = (uri: string): string => (isEmbedded(uri) ? (new URL(uri).searchParams.get('root') ?? '/') : '/');
