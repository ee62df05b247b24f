// What is written down in a domain's metadata, and how it is read back from metadata that anybody may have damaged.
import type { Consistency } from '../types';
import type { ProcessIdentity } from './process';

/** A file or device as domain XML names it. */
export interface ImageRef {
  type: 'file' | 'block';
  path: string;
  format: string;
}

/** State of method `qemu`, mode external: the layer that the snapshot put on top of its base. */
export interface QemuState {
  mode: 'external';
  overlay: ImageRef;
  base: ImageRef;
  /** Its deletion has begun: the base, by a merge or a removal, is no longer the point in time, whatever came of it. */
  deleting?: true;
  /** The guest has gone back behind this point in time, whose image lies on a branch of its own: that image, and all below. */
  left?: string[];
  /** Of an intent to revert: the images that the disk rested on before. */
  previous?: string[];
}

/** State of every other method: what its element said, and what the method itself noted. */
export interface MethodState {
  data: unknown;
  state: unknown;
}

export interface DiskRecord {
  /** The target. */
  disk: string;
  method: string;
  /** `<source>` XML of the immutable state. */
  backupSource: string | null;
  internalSnapshot: string | null;
  /** Of `backupSource`. */
  format: string;
  virtualSize: number;
  modifiedDisk: string | null;
  backingChain: { source: string; format: string }[];
  /** Of the method; survives JSON. */
  state: unknown;
}

export interface SetRecord {
  version: 1;
  id: string;
  name: string;
  description: string | null;
  labels: Record<string, string>;
  /** ISO 8601. */
  createdAt: string;
  consistency: Consistency;
  frozenMs: number;
  pausedMs: number;
  evidence: { fact: string; from: string }[];
  disks: DiskRecord[];
}

/** `begun`: disks are being changed, which is finished, whoever comes. `done`: what is left is that the guest runs again. */
export type RevertStage = 'planned' | 'begun' | 'done';
export type Restart = 'running' | 'paused' | false;

/** Written before anything is touched, so that whoever finds it after a crash can finish or undo. */
export interface IntentRecord {
  version: 1;
  /** Also the id of the set that it would become. */
  id: string;
  claim: string;
  /** Whether the guest ran when it was written. */
  active: boolean;
  /**
   * The domain's id when it was written; null in the copy of the definition, and where the guest was off. The live copy ends
   * with the guest: an id alone may be that of another boot, since ids begin anew with their host.
   */
  domainId: number | null;
  /** Not a snapshot but the way back to one, the set of this id. */
  revert?: {
    setId: string;
    stage: RevertStage;
    /** How the guest was before, if it was not off: as it is to be again. */
    restart: Restart;
  };
  willFreeze: boolean;
  willPause: boolean;
  set: Omit<SetRecord, 'disks'>;
  disks: { disk: string; method: string; state: unknown; virtualSize: number }[];
}

/** Who works on the domain now. */
export interface ClaimRecord extends ProcessIdentity {
  version: 1;
  id: string;
  what: string;
  /** ISO 8601; renewed while the owner lives. */
  expiresAt: string;
}

export interface Records {
  set: SetRecord;
  intent: IntentRecord;
  claim: ClaimRecord;
}
export type RecordKind = keyof Records;

type Check = (value: unknown) => boolean;
const isText: Check = (v) => typeof v === 'string';
const isTextOrNull: Check = (v) => v === null || typeof v === 'string';
const isCount: Check = (v) => typeof v === 'number' && Number.isFinite(v) && v >= 0;
const isDate: Check = (v) => typeof v === 'string' && !Number.isNaN(Date.parse(v));
const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
const isTexts: Check = (v) => isObject(v) && Object.values(v).every(isText);
const isConsistency: Check = (v) => v === 'filesystem' || v === 'crash' || v === 'disk';
const isListOf =
  (shape: Shape): Check =>
  (v) =>
    Array.isArray(v) && v.every((item) => misfit(shape, item) === null);
const isShape =
  (shape: Shape): Check =>
  (v) =>
    misfit(shape, v) === null;

const isFlag: Check = (v) => typeof v === 'boolean';
const isPaths: Check = (v) => Array.isArray(v) && v.every(isText);
const isOneOf =
  (...values: readonly unknown[]): Check =>
  (v) =>
    values.includes(v);
const isOptional =
  (check: Check): Check =>
  (v) =>
    v === undefined || check(v);

type Shape = Readonly<Record<string, Check>>;

/** The first member that is not as it should be, or null. */
function misfit(shape: Shape, value: unknown): string | null {
  if (!isObject(value)) return 'the whole';
  return Object.keys(shape).find((key) => !shape[key]?.(value[key])) ?? null;
}

const isAnything: Check = () => true;
const isVersion: Check = (v) => v === 1;

const diskShape: Shape = {
  disk: isText,
  method: isText,
  backupSource: isTextOrNull,
  internalSnapshot: isTextOrNull,
  format: isText,
  virtualSize: isCount,
  modifiedDisk: isTextOrNull,
  backingChain: isListOf({ source: isText, format: isText }),
  state: isAnything,
};
const headShape: Shape = {
  version: isVersion,
  id: isText,
  name: isText,
  description: isTextOrNull,
  labels: isTexts,
  createdAt: isDate,
  consistency: isConsistency,
  frozenMs: isCount,
  pausedMs: isCount,
  evidence: isListOf({ fact: isText, from: isText }),
};
const revertShape: Shape = {
  setId: isText,
  stage: isOneOf('planned', 'begun', 'done'),
  restart: isOneOf('running', 'paused', false),
};
const shapes: Record<RecordKind, Shape> = {
  set: { ...headShape, disks: isListOf(diskShape) },
  intent: {
    version: isVersion,
    id: isText,
    claim: isText,
    active: isFlag,
    domainId: (v) => v === null || isCount(v),
    revert: isOptional(isShape(revertShape)),
    willFreeze: isFlag,
    willPause: isFlag,
    set: isShape(headShape),
    disks: isListOf({ disk: isText, method: isText, state: isAnything, virtualSize: isCount }),
  },
  claim: {
    version: isVersion,
    id: isText,
    what: isText,
    host: isText,
    boot: isText,
    pid: isCount,
    started: isText,
    expiresAt: isDate,
  },
};

/** A record from the text of its element; a string says why it is none. */
export function readRecord<K extends RecordKind>(kind: K, text: string): Records[K] | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  if (isObject(value) && value.version !== 1) return `version ${String(value.version)} is not known here`;
  const wrong = misfit(shapes[kind], value);
  return wrong === null ? (value as Records[K]) : `${wrong} is not as expected`;
}

/** The state of a `qemu` layer, or null where a record holds something else. */
export function qemuStateOf(record: { method: string; state: unknown }): QemuState | null {
  const image: Shape = { type: (v) => v === 'file' || v === 'block', path: isText, format: isText };
  const fits =
    record.method === 'qemu' &&
    misfit(
      {
        mode: (v) => v === 'external',
        overlay: isShape(image),
        base: isShape(image),
        left: isOptional(isPaths),
        previous: isOptional(isPaths),
      },
      record.state,
    ) === null;
  return fits ? (record.state as QemuState) : null;
}
