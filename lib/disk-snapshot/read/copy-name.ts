// The copies that libvirt makes of images for a reader have names that say whose they are: one whose reader was killed stays.
import { randomUUID } from 'node:crypto';
import { type ProcessIdentity, thisProcess } from '../records/process';

const PREFIX = 'libvirt-disksnapshot-read-';
/** A host's name may hold dots; it comes last. */
const PATTERN = /^libvirt-disksnapshot-read-[0-9a-f-]{36}\.(\d+)\.(\d*)\.([0-9a-f-]*)\.(.+)$/;

/** Of a copy that this process reads. */
export function copyName(): string {
  const { pid, started, boot, host } = thisProcess();
  return `${PREFIX}${[randomUUID(), pid, started, boot, host].join('.')}`;
}

/** Who reads the copy of this name; null: it is no copy of ours. */
export function readerOf(name: string): ProcessIdentity | null {
  const [, pid, started, boot, host] = PATTERN.exec(name) ?? [];
  if (pid === undefined || started === undefined || boot === undefined || host === undefined) return null;
  return { pid: Number(pid), started, boot, host };
}
