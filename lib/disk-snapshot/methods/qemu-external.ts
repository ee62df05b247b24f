// Method `qemu`, mode external: the guest goes on in a new qcow2 overlay, and what it wrote so far stays behind,
// immutable, in the image below. Overlays are made and checked before the guest is frozen, so that the cut itself is
// one QEMU transaction over all disks.
import { dirname, isAbsolute, normalize } from 'node:path';
import { type Domain, DomainSnapshotCreateFlags } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { formatXml } from '../../xml/document';
import { type DomainDisk, type DomainDocument, readDomain, sourceXml } from '../../xml/domain';
import { diskOnlySnapshot } from '../../xml/snapshot';
import { defaultOverlayPath } from '../element/name';
import { DiskSnapshotError } from '../errors';
import type { Images } from '../images/image';
import { type ImageUser, imageUsers } from '../images/users';
import type { DiskRecord, ImageRef, QemuState } from '../records/record';
import { refuseUnfit } from './unfit';

/** What will happen to one disk. */
export interface QemuLayer {
  readonly disk: DomainDisk;
  readonly base: ImageRef;
  readonly overlay: ImageRef;
  /** Bytes that the guest sees. */
  readonly virtualSize: number;
  /** Null: libvirt makes the overlay itself, while the guest waits. */
  readonly images: Images | null;
}

export interface LayerRequest {
  domain: Domain;
  document: DomainDocument;
  disk: DomainDisk;
  method: QemuExternal;
  name: string;
  imagesFor(path: string): Promise<Images | null>;
}

export type QemuExternal = { method: 'qemu'; mode?: 'external'; source?: string; format?: 'qcow2' };

/** An empty qcow2 takes four clusters; its folder needs at least that, or the guest stops at its next write. */
const LEAST_SPACE = 1024 * 1024;

/**
 * Looks at one disk and decides on its overlay. Touches nothing.
 *
 * @throws DiskSnapshotError with the reason against it
 */
export async function planLayer(request: LayerRequest, call: CallOptions): Promise<QemuLayer> {
  const { domain, document, disk } = request;
  refuseUnfit({ domain, disk }, disk);
  const base = baseOf(document, disk);
  const path = overlayPath(request, base);
  const images = await request.imagesFor(path);
  if (images) await checkPlace(request, path, images, call);
  const { capacity } = await domain.getBlockInfo(disk.target, call);
  return {
    disk,
    base,
    overlay: { type: 'file', path, format: 'qcow2' },
    virtualSize: wholeSectors(Number(capacity)),
    images,
  };
}

/** QEMU counts in sectors: to the guest, a raw file whose length is no number of them ends with the next one. */
function wholeSectors(bytes: number): number {
  return Math.ceil(bytes / 512) * 512;
}

function baseOf(document: DomainDocument, disk: DomainDisk): ImageRef {
  const { sourcePath, format } = disk;
  const type = (['file', 'block'] as const).find((known) => known === disk.type);
  if (type && sourcePath !== null) return { type, path: sourcePath, format: format ?? 'raw' };
  throw new DiskSnapshotError(
    'METHOD_UNSUPPORTED',
    `${document.name}: disk ${disk.target} is of type ${disk.type}; method qemu snapshots disks of type file and block`,
    { guest: document.name, disk: disk.target },
  );
}

function overlayPath({ document, disk, method, name }: LayerRequest, base: ImageRef): string {
  const where = { guest: document.name, disk: disk.target };
  const path = method.source ?? (base.type === 'file' ? defaultOverlayPath(base.path, name) : null);
  if (path === null) {
    throw new DiskSnapshotError(
      'INVALID_ARGUMENT',
      `${document.name}: disk ${disk.target} is the device ${base.path}, beside which no file can lie. ` +
        `Say where its overlay goes: { method: 'qemu', source: '/folder/${disk.target}.${name}.qcow2' }`,
      where,
    );
  }
  if (!isAbsolute(path) || normalize(path) !== path || path.endsWith('/')) {
    throw new DiskSnapshotError(
      'INVALID_ARGUMENT',
      `${document.name}: disk ${disk.target}: the overlay ${JSON.stringify(path)} must be an absolute path of a file, ` +
        "without '.', '..' or doubled slashes",
      where,
    );
  }
  return path;
}

async function checkPlace(
  { domain, document, disk, method }: LayerRequest,
  path: string,
  images: Images,
  call: CallOptions,
): Promise<void> {
  const where = { guest: document.name, disk: disk.target };
  const subject = `${document.name}: disk ${disk.target}`;
  const folder = dirname(path);
  if (!(await images.folderExists(folder, call))) {
    const message = `${subject}: the folder ${folder} does not exist. Make it, or name another place with { method: 'qemu', source }`;
    throw new DiskSnapshotError('NOT_FOUND', message, where);
  }
  const exists = await isTaken(images, path, call);
  // A default place lies beside our own image; only a place that was named, or is taken, can be somebody else's.
  const users = exists || method.source !== undefined ? await whoNames(domain, path, call) : [];
  if (users.length > 0) {
    const message = `${subject}: ${path} is in use by ${users.map((u) => `${u.guest} (${u.disk})`).join(', ')}. Choose another name or place`;
    throw new DiskSnapshotError('IN_USE', message, where);
  }
  if (exists) {
    const message = `${subject}: ${path} exists, and nothing is overwritten. Choose another name or place, or remove the file if nobody needs it`;
    throw new DiskSnapshotError('FILE_EXISTS', message, where);
  }
  const free = await images.freeSpace(folder, call);
  if (free !== null && free < LEAST_SPACE) {
    const message = `${subject}: ${folder} has ${free} bytes left; an overlay needs ${LEAST_SPACE} to begin with. Free space, or name another place`;
    throw new DiskSnapshotError('NO_SPACE', message, where);
  }
}

/** What rests on a file cannot be seen of every domain; that one is made where nothing is does no harm to them. */
async function whoNames({ connection }: Domain, path: string, call: CallOptions): Promise<ImageUser[]> {
  const { users, sameFile } = await imageUsers(connection, call);
  const file = await sameFile(path);
  return users.filter(({ paths }) => paths.has(file));
}

/** Whether there is anything at all: also a folder, or a file that is no image. */
async function isTaken(images: Images, path: string, call: CallOptions): Promise<boolean> {
  try {
    return (await images.inspect(path, call)) !== null;
  } catch (error) {
    if (error instanceof DiskSnapshotError && error.code === 'OPERATION_FAILED') return true;
    throw error;
  }
}

/**
 * Makes the overlay and reads it back: libvirt trusts whatever it is given, even half the size and without a backing
 * file.
 */
export async function makeOverlay(guest: string, layer: QemuLayer, call: CallOptions): Promise<void> {
  const { images, overlay, base, virtualSize, disk } = layer;
  if (!images) return;
  await images.createOverlay({ path: overlay.path, backing: base, virtualSize }, call);
  const made = await images.inspect(overlay.path, { ...call, format: overlay.format });
  const right =
    made !== null &&
    made.format === 'qcow2' &&
    made.virtualSize === virtualSize &&
    made.backing?.path === base.path &&
    made.backing.format === base.format;
  if (right) return;
  throw new DiskSnapshotError(
    'OPERATION_FAILED',
    `${guest}: the overlay ${overlay.path} was made, but reads back as ${JSON.stringify(made)}; expected ` +
      `${virtualSize} bytes over ${base.path} (${base.format}). Is the storage sound?`,
    { guest, disk: disk.target },
  );
}

/**
 * The cut of all layers in one virDomainSnapshotCreateXML: QEMU's transaction switches all disks or none. Never with
 * the QUIESCE flag, which waits for a hung agent without limit.
 */
export async function cutLayers(
  domain: Domain,
  document: DomainDocument,
  layers: readonly QemuLayer[],
  name: string,
  call: CallOptions,
): Promise<void> {
  const { DISK_ONLY, ATOMIC, NO_METADATA, REUSE_EXT } = DomainSnapshotCreateFlags;
  const prepared = layers.every(({ images }) => images !== null);
  const xml = diskOnlySnapshot(name, {
    external: layers.map(({ disk, overlay }) => ({ target: disk.target, path: overlay.path, format: 'qcow2' })),
    excluded: document.disks.map(({ target }) => target).filter((t) => !layers.some(({ disk }) => disk.target === t)),
  });
  await domain.snapshotCreateXML(formatXml(xml), {
    flags: prepared ? [DISK_ONLY, ATOMIC, NO_METADATA, REUSE_EXT] : [DISK_ONLY, ATOMIC, NO_METADATA],
    ...call,
  });
}

export interface LayerState {
  layer: QemuLayer;
  /** The disk as the domain has it now. */
  disk: DomainDisk | null;
  switched: boolean;
}

/** What the domain says now of each layer: on its overlay, or still on its base. */
export async function lookAtLayers(
  domain: Domain,
  layers: readonly QemuLayer[],
  call: CallOptions,
): Promise<LayerState[]> {
  const now = readDomain(await domain.getXMLDesc(call));
  return layers.map((layer) => {
    const disk = now.disks.find(({ target }) => target === layer.disk.target) ?? null;
    return { layer, disk, switched: disk?.sourcePath === layer.overlay.path };
  });
}

export const qemuState = ({ overlay, base }: QemuLayer): QemuState => ({ mode: 'external', overlay, base });

/** The record of a layer that has been cut. */
export function recordOf({ layer, disk }: LayerState): DiskRecord {
  return {
    disk: layer.disk.target,
    method: 'qemu',
    backupSource: sourceXml(layer.disk),
    internalSnapshot: null,
    format: layer.base.format,
    virtualSize: layer.virtualSize,
    modifiedDisk: disk?.xml ?? null,
    backingChain: layer.disk.backingChain.map(({ sourcePath, format }) => ({
      source: sourcePath ?? '',
      format: format ?? 'raw',
    })),
    state: qemuState(layer),
  };
}

/** Removes the overlay that nobody has used. */
export async function removeOverlay(
  { images, overlay }: Pick<QemuLayer, 'images' | 'overlay'>,
  call: CallOptions,
): Promise<void> {
  await images?.remove(overlay.path, call);
}
