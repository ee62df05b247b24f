// Names of snapshots, and the names of files that follow from them.
import { basename, dirname, extname, join } from 'node:path';
import { forbiddenCharacter } from '../../xml/well-formed';
import { invalidType } from '../argument';
import { DiskSnapshotError } from '../errors';

/** The longest file name of ext4, XFS, btrfs and NFS, in bytes. */
export const LONGEST_FILE_NAME = 255;
/** The longest backing file that a qcow2 header can name, in bytes: a longer path could not be snapshot again. */
const LONGEST_PATH = 1023;
/** A name must leave room in its file's name for a dot and at least one byte before it. */
const LONGEST_NAME = LONGEST_FILE_NAME - 2;

const faults: readonly { test: (name: string) => boolean; reason: string }[] = [
  { test: (name) => name === '', reason: 'it is empty' },
  { test: (name) => name === '.' || name === '..', reason: 'that means a folder' },
  { test: (name) => name.includes('/'), reason: "it contains '/', and it becomes part of file names" },
  { test: (name) => /\p{Cc}|\p{Zl}|\p{Zp}/u.test(name), reason: 'it contains a control character or line break' },
  {
    test: (name) => /\p{Bidi_Control}/u.test(name),
    reason: 'it contains a character that turns the direction of text',
  },
  { test: (name) => forbiddenCharacter(name) !== null, reason: 'it contains a character that XML cannot hold' },
  { test: (name) => name.startsWith('-'), reason: "it begins with '-', which commands take for an option" },
  { test: (name) => name.trim() !== name, reason: 'it begins or ends with white space' },
];

/**
 * Accepts what can be a snapshot's name: text of one line that is safe as part of a file name.
 *
 * @throws TypeError ERR_INVALID_ARG_TYPE if it is no string
 * @throws DiskSnapshotError INVALID_ARGUMENT with the reason, LIMIT_EXCEEDED beyond 253 bytes of UTF-8
 */
export function checkSnapshotName(name: string): void {
  if (typeof name !== 'string') throw invalidType('options.name', 'a string', name);
  const fault = faults.find(({ test }) => test(name));
  if (fault) {
    const message = `The snapshot name ${quoted(name)} is refused: ${fault.reason}. Choose another, or leave it out`;
    throw new DiskSnapshotError('INVALID_ARGUMENT', message, { snapshot: name });
  }
  const bytes = Buffer.byteLength(name);
  if (bytes > LONGEST_NAME) {
    const message = `The snapshot name ${quoted(name)} has ${bytes} bytes; the most is ${LONGEST_NAME}. Choose a shorter one`;
    throw new DiskSnapshotError('LIMIT_EXCEEDED', message, { snapshot: name });
  }
}

/**
 * A name for a snapshot that was given none: the moment in UTC, so that names sort as the snapshots were made. Where that
 * is taken, a counter follows: `20261122T204307.123Z`, then `20261122T204307.123Z-02`.
 */
export function defaultName(date: Date, taken: ReadonlySet<string>): string {
  const stamp = date.toISOString().replace(/[-:]/g, '');
  let name = stamp;
  for (let count = 2; taken.has(name); count++) name = `${stamp}-${String(count).padStart(2, '0')}`;
  return name;
}

/**
 * Where the overlay of a snapshot goes if nobody says: beside the image below it, the extension of whose name gives way to
 * the snapshot's name, as libvirt itself does it. `/images/web.qcow2` goes on in `/images/web.monday`, and that in
 * `/images/web.tuesday`.
 *
 * The name's own dots become '_': the whole of it is then one extension, which the next snapshot replaces, and names do not
 * grow with the chain. There is no `.qcow2` at the end for the same reason.
 *
 * @throws DiskSnapshotError LIMIT_EXCEEDED for a file name of more than 255 bytes, or a path of more than 1023
 */
export function defaultOverlayPath(sourcePath: string, name: string): string {
  const image = basename(sourcePath);
  const stem = image.slice(0, image.length - extname(image).length);
  const file = `${stem}.${name.replaceAll('.', '_')}`;
  const path = join(dirname(sourcePath), file);
  limit(`The file name ${quoted(file)}`, file, LONGEST_FILE_NAME, name);
  limit(`The path ${quoted(path)}`, path, LONGEST_PATH, name);
  return path;
}

function limit(subject: string, text: string, most: number, snapshot: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes <= most) return;
  const message =
    `${subject} of the overlay would have ${bytes} bytes; the most is ${most}. ` +
    "Choose a shorter snapshot name, or say where the overlay goes: { method: 'qemu', source }";
  throw new DiskSnapshotError('LIMIT_EXCEEDED', message, { snapshot });
}

/** Escaped, so that a hostile name cannot write to a terminal, and cut to what a message can bear. */
function quoted(text: string): string {
  const cut = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return JSON.stringify(cut).replace(/\p{Bidi_Control}|[\x7f-\x9f\u2028\u2029]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
