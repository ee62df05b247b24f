// Who needs an image: every disk of every domain on this connection, as it runs and as it is defined, with the images
// below it as far as they can be known, and every snapshot that is recorded there.
import { realpath } from 'node:fs/promises';
import { type Connection, type Domain, DomainXMLFlags, ErrorNumber, LibvirtError } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { type DomainDisk, readDomain } from '../../xml/domain';
import { isHelper } from '../merge/helper-domain';
import { journalOf } from '../records/journal';
import { qemuStateOf, type SetRecord } from '../records/record';
import { type Chain, chainOfHeaders, chainOfXml, type Inspect } from './backing-chain';
import { isLocal } from './images-for';
import { LocalImages } from './local-images';
import { inspectVolume } from './pool-images';

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
  paths: ReadonlySet<string>;
}

/** Whoever needs the image at `path`. */
export async function usersOf(conn: Connection, path: string, call: CallOptions = {}): Promise<ImageUser[]> {
  const { users, sameFile } = await imageUsers(conn, call);
  const file = await sameFile(path);
  return users.filter(({ paths }) => paths.has(file));
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
  const sameFile = local ? (path: string) => realpath(path).catch(() => path) : async (path: string) => path;
  const images = new LocalImages();
  const inspect: Inspect = (path, format) =>
    local ? images.inspect(path, { ...call, format }) : inspectVolume(conn, path, call);

  const users: ImageUser[] = [];
  const domains = (await conn.listAllDomains(call)).filter((domain) => !isHelper(domain));
  for (let i = 0; i < domains.length; i += AT_ONCE) {
    const found = await Promise.all(domains.slice(i, i + AT_ONCE).map((domain) => usesOf(domain, inspect, call)));
    for (const { paths, ...user } of found.flat()) {
      users.push({ ...user, paths: new Set(await Promise.all([...paths].map(sameFile))) });
    }
  }
  return { users, sameFile };
}

async function usesOf(domain: Domain, inspect: Inspect, call: CallOptions): Promise<ImageUser[]> {
  try {
    const current = readDomain(await domain.getXMLDesc(call));
    const live = current.id !== null;
    const defined = live ? readDomain(await domain.getXMLDesc({ ...call, flags: DomainXMLFlags.INACTIVE })) : current;
    const guest = { guest: current.name, uuid: domain.getUUIDString(), snapshot: null };
    const uses: ImageUser[] = [];
    for (const disk of live ? current.disks : []) {
      uses.push({ ...guest, disk: disk.target, as: 'live', paths: pathsOf(chainOfXml(disk)) });
    }
    for (const disk of defined.disks) {
      uses.push({ ...guest, disk: disk.target, as: 'defined', paths: await definedPaths(disk, inspect) });
    }
    for (const { set, record, state } of layersOf(journalOf(current).sets)) {
      const below = record.backingChain.map(({ source }) => source);
      const paths = new Set([state.overlay.path, state.base.path, ...below].filter((path) => path !== ''));
      uses.push({ ...guest, disk: record.disk, as: 'snapshot', snapshot: set.name, paths });
    }
    for (const { set, record } of copiesOf(journalOf(current).sets)) {
      const paths = new Set(record.backingChain.map(({ source }) => source).filter((path) => path !== ''));
      uses.push({ ...guest, disk: record.disk, as: 'snapshot', snapshot: set.name, paths });
    }
    return uses;
  } catch (e) {
    // It went while we looked.
    if (e instanceof LibvirtError && e.code === ErrorNumber.NO_DOMAIN) return [];
    throw e;
  }
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

/** A guest that is off has no chain in its XML: the headers tell it, where they can be read. */
async function definedPaths(disk: DomainDisk, inspect: Inspect): Promise<Set<string>> {
  const paths = pathsOf(chainOfXml(disk));
  const { sourcePath: path, format } = disk;
  if (path === null || disk.type === 'dir' || (format ?? 'raw') === 'raw') return paths;
  // A header that cannot be read says nothing; what the XML says stands.
  const chain = await chainOfHeaders({ path, format: format ?? 'raw' }, inspect).catch((): Chain => []);
  return new Set([...paths, ...pathsOf(chain)]);
}

function pathsOf(chain: Chain): Set<string> {
  return new Set(chain.map(({ path }) => path).filter((path) => path !== null));
}
