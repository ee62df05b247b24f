// Who needs an image: every disk of every domain on this connection, as it runs and as it is defined, with the images
// below it, and every snapshot that is recorded there. What nobody here can see is told too: it is not the same as nothing.
import { realpath } from 'node:fs/promises';
import { type Connection, type Domain, DomainXMLFlags, ErrorNumber, LibvirtError } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { pathSource } from '../../xml/disk';
import { formatXml } from '../../xml/document';
import { type DomainDisk, readDomain } from '../../xml/domain';
import { DiskSnapshotError } from '../errors';
import { isHelper } from '../merge/helper-domain';
import { journalOf } from '../records/journal';
import { type DiskRecord, qemuStateOf, type SetRecord } from '../records/record';
import { Headers } from './headers';
import { imageName } from './image-name';
import { isLocal } from './images-for';
import { imageInside } from './inside';

/** One disk or snapshot, and every image that it needs. */
export interface ImageUser {
  guest: string;
  uuid: string;
  /** The target. */
  disk: string;
  /** `'live'`: what the guest runs on; `'defined'`: what it will start from; `'snapshot'`: a recorded point in time. */
  as: 'live' | 'defined' | 'snapshot';
  /** Of the snapshot. */
  snapshot: string | null;
  /** The image inside which the snapshot lies; null: it lies in none. */
  inside: string | null;
  /** Files and devices, and images in a cluster as `rbd:POOL/IMAGE`. */
  paths: ReadonlySet<string>;
  /** Why it may need more images than these; null: it does not. */
  unseen: string | null;
}

/**
 * Whoever needs the image, of those that are meant.
 *
 * @throws DiskSnapshotError PERMISSION_DENIED where none is known, but of one of them not all images can be seen
 */
export async function usersOf(
  conn: Connection,
  path: string,
  call: CallOptions = {},
  isMeant: (user: ImageUser) => boolean = () => true,
): Promise<ImageUser[]> {
  return usersAmong(await imageUsers(conn, call), [path], isMeant);
}

/** The same of any of these images, among users that are known already. */
export async function usersAmong(
  { users, sameFile }: ImageUsers,
  paths: readonly string[],
  isMeant: (user: ImageUser) => boolean,
): Promise<ImageUser[]> {
  const files = await Promise.all(paths.map(sameFile));
  const meant = users.filter(isMeant);
  const found = meant.filter((user) => files.some((file) => user.paths.has(file)));
  const doubtful = meant.find(({ unseen }) => unseen !== null);
  if (found.length > 0 || !doubtful) return found;
  const { guest, disk, unseen } = doubtful;
  throw new DiskSnapshotError(
    'PERMISSION_DENIED',
    `whether ${guest} (${disk}) needs ${paths.join(' or ')} cannot be known: ${unseen}. ` +
      `Run as who may read it, make its folder a storage pool, start ${guest}, or undefine it if nobody needs it`,
  );
}

export interface ImageUsers {
  users: ImageUser[];
  /** The name by which `paths` know a file: several paths may lead to one. */
  sameFile(path: string): Promise<string>;
}

/** Domains that are looked at side by side. */
const AT_ONCE = 8;

/** All users of all images. */
export async function imageUsers(conn: Connection, call: CallOptions = {}): Promise<ImageUsers> {
  const local = await isLocal(conn, call);
  const sameFile = async (path: string) => (local && path.startsWith('/') ? realpath(path).catch(() => path) : path);
  const headers = new Headers(conn, call);
  const users: ImageUser[] = [];
  try {
    const domains = (await conn.listAllDomains(call)).filter((domain) => !isHelper(domain));
    for (let i = 0; i < domains.length; i += AT_ONCE) {
      const found = await Promise.all(domains.slice(i, i + AT_ONCE).map((domain) => usesOf(domain, headers, call)));
      for (const { paths, inside, ...user } of found.flat()) {
        const files = new Set(await Promise.all([...paths].map(sameFile)));
        users.push({ ...user, paths: files, inside: inside && (await sameFile(inside)) });
      }
    }
  } finally {
    await headers.close();
  }
  return { users, sameFile };
}

async function usesOf(domain: Domain, headers: Headers, call: CallOptions): Promise<ImageUser[]> {
  try {
    const current = readDomain(await domain.getXMLDesc(call));
    const live = current.id !== null;
    const defined = live ? readDomain(await domain.getXMLDesc({ ...call, flags: DomainXMLFlags.INACTIVE })) : current;
    const guest = { guest: current.name, uuid: domain.getUUIDString(), snapshot: null, inside: null };
    const uses: ImageUser[] = [];
    for (const disk of live ? current.disks : []) {
      uses.push({ ...guest, disk: disk.target, as: 'live', ...(await namedBy(domain.connection, disk, call)) });
    }
    for (const disk of defined.disks) {
      const running = live ? current.disks.find((one) => isSameFile(one, disk)) : undefined;
      const needs = await neededFor(domain.connection, disk, running, headers, call);
      uses.push({ ...guest, disk: disk.target, as: 'defined', ...needs });
    }
    const { sets } = journalOf(current);
    for (const { set, record } of sets.flatMap((set) => set.disks.map((record) => ({ set, record })))) {
      const paths = new Set(imagesOf(record).filter((path) => path !== ''));
      const snapshot = { as: 'snapshot', snapshot: set.name, inside: imageInside(record), unseen: null } as const;
      if (paths.size > 0) uses.push({ ...guest, disk: record.disk, ...snapshot, paths });
    }
    return uses;
  } catch (e) {
    // It went while we looked.
    if (e instanceof LibvirtError && e.code === ErrorNumber.NO_DOMAIN) return [];
    throw e;
  }
}

/** The images that a recorded point in time needs, with the layer over it, unless its disk has left that. */
function imagesOf(record: DiskRecord): string[] {
  const below = record.backingChain.map(({ source }) => source);
  const state = qemuStateOf(record);
  if (state?.left) return [...state.left, ...below];
  if (state) return [state.overlay.path, state.base.path, ...below];
  const inside = imageInside(record);
  if (inside !== null) return [inside, ...below];
  return record.backupSource === null ? [] : below;
}

/** The snapshot that needs an image at this place, whether it is there or not; null: none does. */
export function recordedAt(place: string, sets: readonly SetRecord[]): string | null {
  const source = formatXml(pathSource('file', place));
  const isNamed = (record: DiskRecord) => record.backupSource === source || imagesOf(record).includes(place);
  return sets.find(({ disks }) => disks.some(isNamed))?.name ?? null;
}

/** Every `qemu` layer that is recorded, with the set and the record that hold it. */
export function layersOf(sets: readonly SetRecord[]) {
  return sets.flatMap((set) =>
    set.disks.flatMap((record) => {
      const state = qemuStateOf(record);
      return state ? [{ set, record, state }] : [];
    }),
  );
}

/**
 * Snapshots that are images of their own beside the guest's: clones, logical volumes. Those inside an image are none: whoever
 * changes what lies below that image keeps its content as it is.
 */
export function copiesOf(sets: readonly SetRecord[]) {
  return sets.flatMap((set) =>
    set.disks
      .filter((record) => qemuStateOf(record) === null && record.backupSource !== null)
      .map((record) => ({ set, record })),
  );
}

type Needs = Pick<ImageUser, 'paths' | 'unseen'>;

/** What the XML itself names. */
async function namedBy(conn: Connection, disk: DomainDisk, call: CallOptions): Promise<Needs> {
  const paths = new Set<string>();
  let unseen: string | null = null;
  for (const image of [disk, ...disk.backingChain]) {
    const name = await imageName(conn, image, call);
    if (typeof name === 'string') paths.add(name);
    else unseen ??= name?.unseen ?? null;
  }
  return { paths, unseen };
}

/** A definition has no chain in its XML: a guest that runs on the same image tells it, or the headers do. */
async function neededFor(
  conn: Connection,
  disk: DomainDisk,
  running: DomainDisk | undefined,
  headers: Headers,
  call: CallOptions,
): Promise<Needs> {
  const { paths, unseen } = await namedBy(conn, disk, call);
  const [path] = paths;
  const isAlone = (disk.format ?? 'raw') === 'raw' || disk.type === 'dir' || disk.backingChainComplete;
  if (unseen !== null || isAlone || !path?.startsWith('/')) return { paths, unseen };
  if (running?.backingChainComplete) return namedBy(conn, running, call);
  const below = await headers.below({ path, format: disk.format ?? 'raw' });
  return { paths: new Set([...paths, ...below.paths]), unseen: below.unseen };
}

const isSameFile = (one: DomainDisk, other: DomainDisk) =>
  one.sourcePath !== null && one.sourcePath === other.sourcePath;
