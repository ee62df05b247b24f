// Which disks, and how each is cut: --disk, --method, and virsh's --diskspec.
import type { DiskSelection, Method } from '../index';
import { usageError } from './failure';

export interface DiskOptions {
  disk?: string[];
  diskspec?: string[];
  method?: string;
}

export function chooseDisks({ disk = [], diskspec = [], method }: DiskOptions): DiskSelection {
  if (disk.length > 0 && diskspec.length > 0) {
    throw usageError('--disk and --diskspec both say which disks: use one of them');
  }
  const others = method ?? null;
  if (diskspec.length > 0) {
    // As in virsh: what no --diskspec names is snapshot too.
    return { ...uniquely('--diskspec', diskspec.map(parseDiskspec)), '*': others };
  }
  if (disk.length > 0)
    return uniquely(
      '--disk',
      disk.map((one) => parseDisk(one, others)),
    );
  return method === undefined ? 'all' : { '*': method };
}

type Chosen = readonly [disk: string, method: string | Method | null | false];

function uniquely(option: string, chosen: readonly Chosen[]): Record<string, Chosen[1]> {
  const disks = new Map(chosen);
  if (disks.size === chosen.length) return Object.fromEntries(disks);
  throw usageError(`${option} names one disk twice`);
}

/** `vda`, `vda=lvm`, or a source path, which may hold a `=`. */
function parseDisk(text: string, method: string | null): Chosen {
  const at = text.startsWith('/') ? -1 : text.indexOf('=');
  return at < 0 ? [text, method] : [text.slice(0, at), text.slice(at + 1)];
}

const KEYS: readonly string[] = ['snapshot', 'driver', 'stype', 'file'];

/** virsh's notation: fields between commas, and two commas for one that is meant. */
function parseDiskspec(spec: string): Chosen {
  const [disk, ...fields] = spec.match(/(?:,,|[^,])+/g)?.map((field) => field.replaceAll(',,', ',')) ?? [];
  const settings: Record<string, string> = {};
  for (const field of fields) {
    const at = field.indexOf('=');
    const key = field.slice(0, Math.max(at, 0));
    if (!KEYS.includes(key)) throw refused(spec, `it knows ${KEYS.map((known) => `${known}=`).join(', ')}`);
    settings[key] = field.slice(at + 1);
  }
  if (disk === undefined) throw refused(spec, 'it begins with the disk');
  return [disk, methodOf(spec, settings)];
}

function methodOf(spec: string, { snapshot, driver, stype, file }: Record<string, string>): Chosen[1] {
  if (driver !== undefined && driver !== 'qcow2') throw refused(spec, 'overlays are qcow2');
  if (stype !== undefined && stype !== 'file') throw refused(spec, 'overlays are files');
  switch (snapshot) {
    case undefined:
      return file === undefined ? null : overlay(file);
    case 'external':
      return overlay(file);
    case 'no':
    case 'internal':
      if (file !== undefined) throw refused(spec, `snapshot=${snapshot} makes no file`);
      return snapshot === 'no' ? false : { method: 'qemu', mode: 'internal' };
    case 'manual':
      throw refused(spec, 'the guest is not left paused here; use disksnap quiesce GUEST -- COMMAND');
    default:
      throw refused(spec, 'snapshot= is no, external or internal');
  }
}

const overlay = (file: string | undefined): Method => ({
  method: 'qemu',
  mode: 'external',
  ...(file === undefined ? {} : { source: file }),
});

const refused = (spec: string, why: string) => usageError(`--diskspec ${spec}: ${why}`);
