// Which disks a call means, and by which method: from what the caller wrote to what the domain has.
import { child, parseXml, type XmlElement, XmlError } from '../xml/document';
import type { DomainDisk, DomainDocument } from '../xml/domain';
import { invalidType, isRecord } from './argument';
import { elementOf } from './element/element';
import { DiskSnapshotError } from './errors';
import type { DiskSelection, Method } from './types';

/** A disk of the domain and what the caller said about its method, if anything. */
export interface Selected {
  disk: DomainDisk;
  method: Method | null;
}

/** What the proposal's call takes for its disk: `<disk>` XML, a source path, or a target. */
export function findDisk(document: DomainDocument, wanted: string): DomainDisk {
  if (typeof wanted !== 'string') throw invalidType('disk', 'a string: a target, a source path or <disk> XML', wanted);
  if (wanted.trimStart().startsWith('<')) return findByXml(document, wanted);
  const isPath = wanted.startsWith('/');
  const found = document.disks.filter((d) => (isPath ? d.sourcePath === wanted : d.target === wanted));
  const [disk, second] = found;
  if (!disk) throw notFound(document, wanted);
  if (second) {
    throw new DiskSnapshotError(
      'INVALID_ARGUMENT',
      `${document.name}: ${wanted} is the source of ${found.map((d) => d.target).join(' and ')}; name the target`,
      { guest: document.name, disk: wanted },
    );
  }
  return disk;
}

function findByXml(document: DomainDocument, xml: string): DomainDisk {
  const root = parseDisk(document, xml);
  const target = child(root, 'target')?.attributes.dev;
  if (target !== undefined) return findDisk(document, target);
  const source = child(root, 'source')?.attributes;
  const path = source?.file ?? source?.dev;
  if (path !== undefined) return findDisk(document, path);
  throw new DiskSnapshotError(
    'INVALID_XML',
    `${document.name}: the <disk> names neither <target dev=…> nor <source file=…> or <source dev=…>`,
    { guest: document.name },
  );
}

function parseDisk(document: DomainDocument, xml: string): XmlElement {
  let root: XmlElement;
  try {
    root = parseXml(xml);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    const message = `${document.name}: the <disk> XML is not well-formed: ${error.message}`;
    throw new DiskSnapshotError('INVALID_XML', message, { guest: document.name, cause: error });
  }
  if (root.name === 'disk') return root;
  throw new DiskSnapshotError('INVALID_XML', `${document.name}: expected a <disk> element, found <${root.name}>`, {
    guest: document.name,
  });
}

function notFound(document: DomainDocument, wanted: string): DiskSnapshotError {
  const known = document.disks.map((d) => (d.sourcePath ? `${d.target} (${d.sourcePath})` : d.target)).join(', ');
  return new DiskSnapshotError(
    'DISK_NOT_FOUND',
    `${document.name} has no disk ${JSON.stringify(wanted)}. It has: ${known || 'none'}`,
    { guest: document.name, disk: wanted },
  );
}

/** Whether `disks: 'all'` means this one: something that holds data and can be written. */
export function holdsData(disk: DomainDisk): boolean {
  return (disk.device === 'disk' || disk.device === 'lun') && !disk.readonly && disk.source !== null;
}

/**
 * The disks that a call selects, in the domain's order for `'all'` and in the caller's otherwise.
 *
 * @throws DiskSnapshotError DISK_NOT_FOUND, INVALID_ARGUMENT (nothing selected, one disk twice), INVALID_XML, METHOD_UNKNOWN
 */
export function selectDisks(document: DomainDocument, disks: DiskSelection = 'all'): Selected[] {
  const selected = pick(document, disks);
  const guest = document.name;
  if (selected.length === 0) {
    throw new DiskSnapshotError(
      'INVALID_ARGUMENT',
      disks === 'all'
        ? `${guest} has no disk that could be snapshot: read-only disks and empty drives do not count`
        : `${guest}: no disk was selected; pass 'all', or targets such as ['vda']`,
      { guest },
    );
  }
  const seen = new Set<string>();
  for (const { disk } of selected) {
    if (seen.has(disk.target)) {
      throw new DiskSnapshotError('INVALID_ARGUMENT', `${guest}: disk ${disk.target} was selected twice`, {
        guest,
        disk: disk.target,
      });
    }
    seen.add(disk.target);
  }
  return selected;
}

function pick(document: DomainDocument, disks: DiskSelection): Selected[] {
  if (disks === 'all') return document.disks.filter(holdsData).map((disk) => ({ disk, method: null }));
  if (isList(disks)) return Array.from(disks, (wanted) => ({ disk: findDisk(document, wanted), method: null }));
  if (!isRecord(disks)) {
    throw invalidType('options.disks', "'all', a list of targets, or an object of target to method", disks);
  }
  const { [OTHERS]: others, ...rest } = disks;
  const named = Object.entries(rest).map(([wanted, method]) => ({ disk: findDisk(document, wanted), method }));
  const unnamed = document.disks.filter((disk) => holdsData(disk) && !named.some((one) => one.disk === disk));
  const chosen = others === undefined ? named : [...named, ...unnamed.map((disk) => ({ disk, method: others }))];
  return chosen.flatMap(({ disk, method }) =>
    method === false ? [] : [{ disk, method: method === null ? null : methodOf(method, disk.target) }],
  );
}

/** Every disk that no other key names. */
const OTHERS = '*';

const isList = (disks: DiskSelection): disks is readonly string[] => Array.isArray(disks);

/** What callers pass for a method: its name, `<diskSnapshot>` XML, or the object. Checked. */
export function methodOf(method: string | Method, disk: string): Method {
  return elementOf(method, { disk });
}
