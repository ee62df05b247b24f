// Where the bytes of a snapshot lie, and who can read them.
import { constants, createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { Domain, StreamChunk } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { pathSource } from '../../xml/disk';
import { childrenOf, element, parseXml, type XmlElement } from '../../xml/document';
import { DiskSnapshotError } from '../errors';
import { translate } from '../facade';
import { lookAtGuest } from '../guest';
import { isLocal } from '../images/images-for';
import { whyLost } from '../images/point-in-time';
import { type InternalState, imageOf } from '../methods/internal-snapshot';
import { methodOf } from '../methods/method-of';
import { failedIn, methodNamed } from '../methods/registry';
import { readJournal } from '../records/journal';
import { type DiskRecord, qemuStateOf, type SetRecord } from '../records/record';
import { type Chunks, findHoles } from './chunks';
import { type QemuImage, readQemuImage } from './qemu-image';
import { rbdImage } from './rbd-image';
import { beginReading } from './readers';
import { readFlattened, readVolume } from './volume';

/** One disk of one snapshot. */
export interface Place {
  domain: Domain;
  setId: string;
  /** Names of the snapshot and of the target. */
  snapshot: string;
  disk: string;
}

const whereOf = ({ domain, disk, snapshot }: Place) => ({ guest: domain.getName(), disk, snapshot });

export type Source =
  /** QEMU's tools open it here. */
  | { kind: 'image'; image: QemuImage; path: string | null; virtualSize: number }
  /** libvirt does it, on its host. */
  | { kind: 'volume'; path: string; format: string; virtualSize: number }
  /** The method's own. */
  | { kind: 'method'; chunks: Chunks; virtualSize: number };

/** Looks at the record as it is now: a deletion of another snapshot may have moved the bytes. */
export async function sourceOf(place: Place, signal: AbortSignal | undefined): Promise<Source> {
  const { domain, disk, snapshot, setId } = place;
  const call = signal ? { signal } : {};
  const where = whereOf(place);
  const set = (await readJournal(domain, call)).sets.find(({ id }) => id === setId);
  const record = set?.disks.find((one) => one.disk === disk);
  if (!set || !record) {
    throw new DiskSnapshotError(
      'NOT_FOUND',
      `${where.guest}: snapshot ${snapshot} of disk ${disk} has been deleted`,
      where,
    );
  }
  const lost = await whyLostNow(record, domain, call);
  if (lost !== null) {
    throw new DiskSnapshotError('NOT_FOUND', `${where.guest}: snapshot ${snapshot} of disk ${disk}: ${lost}`, where);
  }
  const { virtualSize } = record;
  if (methodNamed(record.method)?.read) {
    const guest = await lookAtGuest(domain, call);
    const chunks: Chunks = async function* (ended) {
      const { method, context } = methodOf(guest, set, record, { signal: ended });
      try {
        const readable = method.read?.(context);
        if (!readable) throw unreadable(record, where);
        yield* findHoles(readable);
      } catch (error) {
        throw failedIn(record.method, 'read', context, error);
      }
    };
    return { kind: 'method', chunks, virtualSize };
  }
  const { format, internalSnapshot } = record;
  const local = await isLocal(domain.connection, call);
  const source = await imageSource(set, record, domain, call);
  if (source?.attributes.protocol === 'rbd') {
    const node = await rbdImage(domain.connection, source, { ...call, isLocal: local, where });
    return { kind: 'image', image: { ...node, format, internalSnapshot }, path: null, virtualSize };
  }
  const found = source && pathOf(source);
  if (!found) throw unreadable(record, where);
  const { path, driver } = found;
  if (local && (await isReadable(path, record))) {
    const image = { file: { driver, filename: path }, format, internalSnapshot, secret: null };
    return { kind: 'image', image, path, virtualSize };
  }
  if (internalSnapshot === null) return { kind: 'volume', path, format, virtualSize };
  throw new DiskSnapshotError(
    local ? 'PERMISSION_DENIED' : 'METHOD_UNSUPPORTED',
    `${where.guest}: libvirt reads no snapshot inside ${path}: ${local ? 'run as who may open it' : 'read it on its host'}, or with qemu-img convert -U -l there`,
    where,
  );
}

async function whyLostNow(record: DiskRecord, domain: Domain, call: CallOptions): Promise<string | null> {
  const state = qemuStateOf(record);
  if (state === null) return null;
  const { disks } = (await lookAtGuest(domain, call)).document;
  return whyLost(state, disks.find(({ target }) => target === record.disk)?.sourcePath);
}

/** `<source>` of the image that holds the snapshot. */
async function imageSource(
  set: SetRecord,
  record: DiskRecord,
  domain: Domain,
  call: CallOptions,
): Promise<XmlElement | null> {
  if (record.backupSource !== null) return parseXml(record.backupSource);
  const guest = await lookAtGuest(domain, call);
  const { image } = (methodOf(guest, set, record).context.state ?? {}) as Partial<InternalState>;
  if (image === undefined) return null;
  const disk = guest.document.disks.find(({ target }) => target === record.disk);
  const held = disk && [disk, ...disk.backingChain].find((one) => imageOf(one) === image);
  if (disk && held?.source) {
    return element('source', held.source.attributes, ...held.source.children, ...childrenOf(disk.element, 'auth'));
  }
  return isAbsolute(image) ? pathSource('file', image) : null;
}

/** What the guest saw, or the file alone; nothing is opened before it is read. */
export async function* chunksOf(place: Place, as: 'raw' | 'file', signal: AbortSignal): AsyncGenerator<StreamChunk> {
  const end = beginReading(place.setId, place.disk, signal);
  try {
    yield* begin(place, as, signal);
  } catch (error) {
    throw placed(error, place);
  } finally {
    end();
  }
}

/** The error with its snapshot: tools know of images only. */
export function placed(error: unknown, place: Place): unknown {
  const where = whereOf(place);
  const told = translate(error, where);
  if (!(told instanceof DiskSnapshotError) || told.disk !== undefined) return told;
  const { code, outcome, cause } = told;
  const message = `${where.guest}: snapshot ${where.snapshot} of disk ${where.disk}: ${told.message}`;
  return new DiskSnapshotError(code, message, { ...where, outcome, cause });
}

async function* begin(place: Place, as: 'raw' | 'file', signal: AbortSignal) {
  const source = await sourceOf(place, signal);
  if (source.kind === 'method') yield* source.chunks(signal);
  else if (source.kind === 'volume') {
    const { connection } = place.domain;
    yield* as === 'file' || source.format === 'raw'
      ? readVolume(connection, source.path, signal)
      : readFlattened(connection, source, 'raw', signal);
  } else if (as === 'file' && source.image.internalSnapshot !== null) {
    throw new DiskSnapshotError(
      'METHOD_UNSUPPORTED',
      "a snapshot inside an image is no file of its own: read it as 'raw'",
    );
  } else if (as === 'file' && source.path !== null)
    yield* createReadStream(source.path, { signal, highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>;
  else yield* readQemuImage(source.image, signal);
}

const DRIVER_OF: Readonly<Record<string, { attribute: string; driver: string }>> = {
  file: { attribute: 'file', driver: 'file' },
  dev: { attribute: 'dev', driver: 'host_device' },
};

function pathOf({ attributes }: XmlElement) {
  for (const { attribute, driver } of Object.values(DRIVER_OF)) {
    const path = attributes[attribute];
    if (path !== undefined) return { path, driver };
  }
  return null;
}

function unreadable(record: DiskRecord, where: { guest: string; disk: string; snapshot: string }): DiskSnapshotError {
  return new DiskSnapshotError(
    'METHOD_UNSUPPORTED',
    `${where.guest}: method ${record.method} gives no file or device of snapshot ${where.snapshot} to read; use the storage's own tools`,
    where,
  );
}

/** Also what lies below it, as far as it is known. */
async function isReadable(path: string, { backingChain }: DiskRecord): Promise<boolean> {
  const refused = async (one: string) => {
    const error = await access(one, constants.R_OK).catch((reason: NodeJS.ErrnoException) => reason);
    return error?.code;
  };
  if (await refused(path)) return false;
  // A layer that is not there any more was merged since.
  const below = await Promise.all(backingChain.map(({ source }) => refused(source)));
  return !below.includes('EACCES');
}
