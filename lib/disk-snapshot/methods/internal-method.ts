// What methods `rbd` and `qemu` internal have in common: all but which disks they serve, how they bring one back, and how the
// state is named afterwards.
import { isAbsolute } from 'node:path';
import { readDisk } from '../../xml/disk';
import type { DomainDisk } from '../../xml/domain';
import { lookAtGuest } from '../guest';
import { type Chain, positionOf } from '../images/backing-chain';
import { isLayerOf } from '../images/branches';
import { diskChain } from '../images/disk-chain';
import { imageName } from '../images/image-name';
import { diskOn, snapshotsInside } from '../images/inside';
import { type ImageUser, imageUsers, usersAmong, usersOf } from '../images/users';
import type { MethodContext, MethodDisk } from '../types';
import { methodDisk } from './context';
import {
  deleteSnapshot,
  type InternalState,
  imageOf,
  nodeOf,
  refuseOtherImage,
  snapshotTogether,
  withQemu,
} from './internal-snapshot';
import type { CutContext, Kept, Method } from './method';
import { refusal } from './refusal';
import { refuseUnfit } from './unfit';

export interface InternalKind {
  method: 'rbd' | 'qemu';
  claims?(disk: MethodDisk): string | false;
  /** Why this disk cannot be served, by its XML; null where it can. */
  unfit(disk: DomainDisk): string | null;
  /** Why not, by what QEMU has open. */
  unfitDriver(driver: string): string | null;
  /** Why the storage takes no such name; null where it does. */
  unfitName(name: string): string | null;
  /** What speaks against deleting it. */
  checkDelete?(c: MethodContext<unknown>, state: InternalState): Promise<void>;
  /** Brings back the disk of a guest that is off. */
  revert(c: MethodContext<unknown>, state: InternalState): Promise<void>;
  keep(disk: DomainDisk, state: InternalState): Omit<Kept, 'modifiedDisk' | 'virtualSize'>;
}

export function internalMethod(kind: InternalKind): Method {
  return {
    method: kind.method,
    interfaceVersion: 1,
    needs: 'any', // QEMU stops the disk's requests and writes out what it holds
    cutTogether: snapshotTogether,
    ...(kind.claims && { claims: kind.claims }),
    parse: () => ({}),

    async plan(c) {
      const { image } = await prepare(kind, c, 'look');
      return { problems: [], creates: [`${image}@${c.name}`], bytes: 0 };
    },
    prepare: (c) => prepare(kind, c, 'work'),

    async cut(c) {
      await snapshotTogether([c]);
      return c.state;
    },

    undo: (c) => deleteSnapshot(c, stateOf(c)),
    async delete(c) {
      await kind.checkDelete?.(c, stateOf(c));
      await deleteAnywhere(c, stateOf(c));
    },
    exists: async (c) => (await snapshotsIn(c, stateOf(c))).includes(stateOf(c).snapshot),

    async checkRevert(c) {
      const state = stateOf(c);
      refuseOtherImage(c, state);
      await refuseShared(c, state);
    },

    tellsBegin: true,
    async revert(c) {
      const state = stateOf(c);
      refuseOtherImage(c, state);
      await refuseShared(c, state);
      if (c.active) throw refusal(c, 'GUEST_ACTIVE', 'it runs. Shut it down, or pass force: true');
      if (!(await snapshotsIn(c, state)).includes(state.snapshot)) {
        throw refusal(c, 'NOT_FOUND', `${state.image} holds no snapshot ${state.snapshot} any more`);
      }
      await c.begin();
      await kind.revert(c, state);
    },

    async backupSource(c) {
      const state = stateOf(c);
      return { ...kind.keep(readDisk(c.disk.xml), state), modifiedDisk: null, virtualSize: state.virtualSize };
    },
  };
}

/** Everything that can be known before the cut is checked; nothing is made. */
async function prepare(kind: InternalKind, c: MethodContext<unknown>, how: 'look' | 'work'): Promise<InternalState> {
  const disk = readDisk(c.disk.xml);
  refuseUnfit(c, disk);
  const why = kind.unfit(disk);
  if (why) throw refusal(c, 'METHOD_UNSUPPORTED', why);
  const wrongName = kind.unfitName(c.name);
  if (wrongName)
    throw refusal(c, 'INVALID_ARGUMENT', `the name ${JSON.stringify(c.name)} ${wrongName}. Choose another`);
  const image = imageOf(disk);
  const node = await withQemu(c, nodeOf, { how });
  const wrongDriver = kind.unfitDriver(node.driver);
  if (wrongDriver) throw refusal(c, 'METHOD_UNSUPPORTED', wrongDriver);
  if (node.snapshots.includes(c.name)) {
    const taken = `${image} has a snapshot ${c.name} already. Choose another name, or delete that one if nobody needs it`;
    throw refusal(c, 'NAME_EXISTS', taken);
  }
  return { image, snapshot: c.name, virtualSize: node.virtualSize, ...(c.active && { node: node.name }) };
}

/** From metadata that anybody may have damaged. */
function stateOf(c: CutContext): InternalState {
  const { image, snapshot, virtualSize } = (c.state ?? {}) as Partial<InternalState>;
  if (typeof image !== 'string' || typeof snapshot !== 'string' || typeof virtualSize !== 'number') {
    throw refusal(c, 'INVALID_XML', 'its record is damaged: it names no image and snapshot');
  }
  return c.state as InternalState;
}

/** Names of the snapshots in the image, also where it lies below others by now, or the disk has left it. */
async function snapshotsIn(c: CutContext, { image }: InternalState): Promise<readonly string[]> {
  const disk = readDisk(c.disk.xml);
  if (disk.sourcePath === null && imageOf(disk) === image) {
    return withQemu(c, async (qemu, held) => (await nodeOf(qemu, held)).snapshots, { how: 'look' });
  }
  const guest = await lookAtGuest(c.domain, { signal: c.signal });
  const chain = await diskChain(guest, c.disk.target, { signal: c.signal });
  const at = positionOf(chain, image);
  if (at >= 0) return chain[at]?.internalSnapshots ?? snapshotsInside(guest, disk, image);
  return isAbsolute(image) ? snapshotsInside(guest, disk, image) : [];
}

/** An image that others lie on, or write to, is not brought back beneath them. */
async function refuseShared(c: CutContext, { image }: InternalState): Promise<void> {
  const conn = c.domain.connection;
  const name = await imageName(conn, readDisk(c.disk.xml), { signal: c.signal });
  const uuid = c.domain.getUUIDString();
  const isOther = (user: ImageUser) => user.uuid !== uuid || (user.as !== 'snapshot' && user.disk !== c.disk.target);
  const users = await usersOf(conn, typeof name === 'string' ? name : image, { signal: c.signal }, isOther);
  if (users.length === 0) return;
  const names = users
    .map((user) => `${user.guest} (${user.snapshot ? `snapshot ${user.snapshot}` : user.disk})`)
    .join(', ');
  throw refusal(c, 'IN_USE', `${names} would lose what lies below: ${image}. Give each an image of its own first`);
}

/** Of an image that the disk has left, by a QEMU of our own: the guest's does not have it open. */
async function deleteAnywhere(c: CutContext, state: InternalState): Promise<void> {
  const disk = readDisk(c.disk.xml);
  const { image } = state;
  if (imageOf(disk) === image || !isAbsolute(image)) return deleteSnapshot(c, state);
  const guest = await lookAtGuest(c.domain, { signal: c.signal });
  const chain = await diskChain(guest, c.disk.target, { signal: c.signal });
  if (positionOf(chain, image) >= 0) return refuseOtherImage(c, state);
  if (!(await snapshotsInside(guest, disk, image)).includes(state.snapshot)) return;
  await refuseForeign(c, image, chain);
  await deleteSnapshot({ ...c, active: false, disk: methodDisk(diskOn(disk, image)) }, state);
}

/** Metadata is open to everybody who manages the domain: only in a layer of this disk, which no guest uses, is anything deleted. */
async function refuseForeign(c: CutContext, image: string, chain: Chain): Promise<void> {
  const conn = c.domain.connection;
  const all = await imageUsers(conn, { signal: c.signal });
  if (!(await isLayerOf(conn, image, chain, all.sameFile))) {
    throw refusal(
      c,
      'OPERATION_FAILED',
      `its record names ${image}, which is no image of this disk. Nothing was touched`,
    );
  }
  const guests = await usersAmong(all, [image], ({ as }) => as !== 'snapshot');
  if (guests.length === 0) return;
  const names = guests.map(({ guest, disk }) => `${guest} (${disk})`).join(', ');
  throw refusal(c, 'IN_USE', `its snapshot ${c.name} lies in ${image}, which is in use by ${names}`);
}
