// What a method is told about the disk that it works on.
import type { DomainDisk } from '../../xml/domain';
import type { Guest } from '../guest';
import type { MethodContext, MethodDisk } from '../types';

/** @param signal of the caller; what must happen whatever the caller does gets none. */
export function contextOf(
  guest: Guest,
  disk: DomainDisk,
  data: unknown,
  name: string,
  signal: AbortSignal = new AbortController().signal,
  progress: (done: number, total: number) => void = () => undefined,
): MethodContext<unknown> {
  return { domain: guest.domain, disk: methodDisk(disk), data, name, active: guest.active, signal, progress };
}

/** The disk as methods see it. */
export function methodDisk({ target, device, type, format, sourcePath, xml }: DomainDisk): MethodDisk {
  return { target, device, type, format, sourcePath, xml };
}
