// What each built-in method takes, and the check of a method that was given as an object.
import { invalidType, outOfRange } from '../argument';
import { DiskSnapshotError, type DiskSnapshotErrorCode } from '../errors';
import type { Method } from '../types';
import { LONGEST_FILE_NAME } from './name';

/** The disk and guest that a complaint is about. */
export interface MethodSubject {
  disk?: string | undefined;
  guest?: string | undefined;
}

export type Kind = 'path' | 'bytes' | readonly string[];
export interface Field {
  /** In the object. */
  member: string;
  /** In the XML: an attribute of the element itself, or of the child named here. */
  child: string | null;
  attribute: string;
  kind: Kind;
}
export interface Form {
  fields: readonly Field[];
  /** Why fields that are each right do not go together; null where they do. */
  conflict?(values: Readonly<Record<string, unknown>>): string | null;
}

const source: Field = { member: 'source', child: 'source', attribute: 'file', kind: 'path' };

const forms: Readonly<Record<string, Form>> = {
  qemu: {
    fields: [
      { member: 'mode', child: null, attribute: 'mode', kind: ['external', 'internal'] },
      { member: 'format', child: 'driver', attribute: 'type', kind: ['qcow2'] },
      source,
    ],
    conflict: ({ mode, source, format }) =>
      mode === 'internal' && (source !== undefined || format !== undefined)
        ? 'an internal snapshot lies inside the image and makes no file: leave out source and format, or the mode'
        : null,
  },
  lvm: {
    fields: [
      { member: 'device', child: 'device', attribute: 'path', kind: 'path' },
      { member: 'bytes', child: 'cow', attribute: 'bytes', kind: 'bytes' },
    ],
  },
  btrfs: { fields: [source] },
  reflink: { fields: [source] },
  rbd: { fields: [] },
};

export const formOf = (method: string): Form | undefined => (Object.hasOwn(forms, method) ? forms[method] : undefined);

/** Names that a plug-in may have, and so what an element may ask for. */
const METHOD_NAME = /^[A-Za-z][A-Za-z0-9._-]{0,62}$/;

/**
 * A copy of the object, of which every member is known and right; members that are undefined are left out. A plug-in's
 * members are its own, and stay as they are.
 */
export function checkMethod(method: Method, subject: MethodSubject = {}): Method {
  const { method: name }: { method: unknown } = method;
  if (typeof name !== 'string') throw invalidType('method.method', 'a string', name);
  const complain = complaint('INVALID_ARGUMENT', subject);
  const form = formOf(method.method);
  if (!form) {
    checkMethodName(method.method, complain);
    return { ...method };
  }
  const values: Record<string, unknown> = {};
  for (const [member, value] of Object.entries(method)) {
    if (member === 'method' || value === undefined) continue;
    const field = form.fields.find((one) => one.member === member);
    if (!field) {
      const known = form.fields.map((one) => one.member).join(', ') || 'none';
      throw complain(`method ${method.method} takes no member '${member}'; it takes: ${known}`);
    }
    values[member] = checkValue(field, value, complain);
  }
  const conflict = form.conflict?.(values);
  if (conflict) throw complain(conflict);
  return { method: method.method, ...values };
}

function checkValue({ member, kind }: Field, value: unknown, complain: Complain): unknown {
  const name = `method.${member}`;
  if (kind === 'bytes') {
    if (typeof value !== 'number') throw invalidType(name, 'a number of bytes', value);
    if (!isSize(value)) throw outOfRange(name, 'a whole number of bytes, at least 1', value);
    return value;
  }
  if (typeof value !== 'string') throw invalidType(name, 'a string', value);
  const fault = faultOf(kind, value);
  if (fault) throw complain(`${name} ${JSON.stringify(value)} ${fault}`);
  return value;
}

export const isSize = (bytes: number): boolean => Number.isSafeInteger(bytes) && bytes > 0;

export function faultOf(kind: Exclude<Kind, 'bytes'>, text: string): string | null {
  if (kind !== 'path') return kind.includes(text) ? null : `is not known: use ${kind.join(' or ')}`;
  if (!text.startsWith('/')) return 'is no absolute path: begin it with /';
  const parts = text.slice(1).split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    return "is no plain path of a file: leave out '.', '..', doubled slashes and a slash at the end";
  }
  if (parts.some((part) => Buffer.byteLength(part) > LONGEST_FILE_NAME)) {
    return `contains a name of more than ${LONGEST_FILE_NAME} bytes, which no file system takes`;
  }
  // A file name of Linux may hold nearly anything; libvirt's XML may not.
  if (/\p{Cc}|\p{Cs}|[\uFFFE\uFFFF]/u.test(text)) return 'contains a control character, or one that XML cannot hold';
  return null;
}

export function checkMethodName(method: string, complain: Complain): void {
  if (METHOD_NAME.test(method)) return;
  const known = Object.keys(forms).join(', ');
  throw complain(
    `${JSON.stringify(method.slice(0, 80))} cannot be the name of a method. Built in are ${known}; a plug-in's name ` +
      'begins with a letter and holds letters, digits, dots, dashes and underscores',
  );
}

export type Complain = (what: string, cause?: Error) => DiskSnapshotError;

export function complaint(code: DiskSnapshotErrorCode, subject: MethodSubject): Complain {
  const about = [subject.guest, subject.disk && `disk ${subject.disk}`].filter(Boolean).join(': ');
  return (what, cause) => new DiskSnapshotError(code, about ? `${about}: ${what}` : what, { ...subject, cause });
}
