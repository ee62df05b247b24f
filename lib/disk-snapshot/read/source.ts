// Where the bytes of a snapshot lie, and who can read them.
import { constants, createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import type { Domain, StreamChunk } from '../../libvirt';
import { parseXml } from '../../xml/document';
import { DiskSnapshotError } from '../errors';
import { translate } from '../facade';
import { lookAtGuest } from '../guest';
import { isLocal } from '../images/images-for';
import { methodOf } from '../merge/delete-by-method';
import { methodNamed } from '../methods/registry';
import { readJournal } from '../records/journal';
import type { DiskRecord } from '../records/record';
import { type Chunks, findHoles } from './chunks';
import { type QemuImage, readQemuImage } from './qemu-image';
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

export type Source =
  /** QEMU's tools open it here. */
  | { kind: 'image'; image: QemuImage; path: string; virtualSize: number }
  /** libvirt does it, on its host. */
  | { kind: 'volume'; path: string; virtualSize: number }
  /** The method's own. */
  | { kind: 'method'; chunks: Chunks; virtualSize: number };

/** Looks at the record as it is now: a deletion of another snapshot may have moved the bytes. */
export async function sourceOf(place: Place, signal: AbortSignal | undefined): Promise<Source> {
  const { domain, disk, snapshot, setId } = place;
  const call = signal ? { signal } : {};
  const where = { guest: domain.getName(), disk, snapshot };
  const set = (await readJournal(domain, call)).sets.find(({ id }) => id === setId);
  const record = set?.disks.find((one) => one.disk === disk);
  if (!set || !record) {
    throw new DiskSnapshotError(
      'NOT_FOUND',
      `${where.guest}: snapshot ${snapshot} of disk ${disk} has been deleted`,
      where,
    );
  }
  const { virtualSize } = record;
  if (methodNamed(record.method)?.read) {
    const guest = await lookAtGuest(domain, call);
    const chunks: Chunks = (ended) => {
      const { method, context } = methodOf(guest, set, record, { signal: ended });
      const readable = method.read?.(context);
      if (!readable) throw unreadable(record, where);
      return findHoles(readable);
    };
    return { kind: 'method', chunks, virtualSize };
  }
  const { path, driver } = pathOf(record, where);
  const local = await isLocal(domain.connection, call);
  if (!local || !(await isReadable(path))) return { kind: 'volume', path, virtualSize };
  const image = { file: { driver, filename: path }, format: record.format, internalSnapshot: record.internalSnapshot };
  return { kind: 'image', image, path, virtualSize };
}

/** What the guest saw, or the file alone; nothing is opened before it is read. */
export async function* chunksOf(place: Place, as: 'raw' | 'file', signal: AbortSignal): AsyncGenerator<StreamChunk> {
  const end = beginReading(place.setId, place.disk, signal);
  try {
    yield* begin(place, as, signal);
  } catch (error) {
    throw translate(error, { guest: place.domain.getName(), disk: place.disk, snapshot: place.snapshot });
  } finally {
    end();
  }
}

async function* begin(place: Place, as: 'raw' | 'file', signal: AbortSignal) {
  const source = await sourceOf(place, signal);
  if (source.kind === 'method') yield* source.chunks(signal);
  else if (source.kind === 'volume') {
    const { connection } = place.domain;
    yield* as === 'file'
      ? readVolume(connection, source.path, signal)
      : readFlattened(connection, source.path, 'raw', signal);
  } else if (as === 'file')
    yield* createReadStream(source.path, { signal, highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>;
  else yield* readQemuImage(source.image, signal);
}

const DRIVER_OF: Readonly<Record<string, { attribute: string; driver: string }>> = {
  file: { attribute: 'file', driver: 'file' },
  dev: { attribute: 'dev', driver: 'host_device' },
};

function pathOf(record: DiskRecord, where: { guest: string; disk: string; snapshot: string }) {
  const { attributes } = parseXml(record.backupSource ?? '<source/>');
  for (const { attribute, driver } of Object.values(DRIVER_OF)) {
    const path = attributes[attribute];
    if (path !== undefined) return { path, driver };
  }
  throw unreadable(record, where);
}

function unreadable(record: DiskRecord, where: { guest: string; disk: string; snapshot: string }): DiskSnapshotError {
  return new DiskSnapshotError(
    'METHOD_UNSUPPORTED',
    `${where.guest}: method ${record.method} gives no file or device of snapshot ${where.snapshot} to read; use the storage's own tools`,
    where,
  );
}

const isReadable = (path: string) =>
  access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
