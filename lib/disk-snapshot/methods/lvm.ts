// Method `lvm`: a snapshot of a logical volume by LVM, which copies old blocks aside as they are overwritten. All of it
// through libvirt's pools of type logical, so it works the same on a remote host. Such a pool is never stopped: that
// would deactivate its volume group.
import { basename, dirname } from 'node:path';
import { Readable } from 'node:stream';
import { type Connection, LibvirtError, type StoragePool } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { pathSource } from '../../xml/disk';
import { formatXml } from '../../xml/document';
import type { DiskSnapshotError } from '../errors';
import type { MethodContext, MethodDisk, Problem, SnapshotMethod } from '../types';
import {
  createSnapshot,
  devicePath,
  freeBytes,
  groupPool,
  isHidden,
  isNameTaken,
  type LogicalVolume,
  listedPath,
  logicalVolume,
  nameFault,
  roomForAll,
  snapshotName,
  volumeNow,
} from './logical-volumes';
import { refuseInUse, refuseNeeded, usersOfVolume } from './lvm-users';
import type { MethodPlan, RevertContext } from './method';
import { refusal } from './refusal';
import { contentOf, copyDifferences } from './volume-content';

export interface LvmData {
  /** The logical volume, if it is not the disk's own path. */
  device?: string;
  /** Space for old blocks. Default: as much as all of the volume needs: such a snapshot never overflows. */
  bytes?: number;
}
export interface LvmState {
  /** Paths. */
  origin: string;
  snapshot: string;
  bytes: number;
}

type Context = MethodContext<LvmData>;
type WithState = Context & { state: LvmState };

/** States whose cut found the name taken: what has it is somebody else's, and is not taken back. */
const foreign = new WeakSet<LvmState>();

/** With what only built-in methods do. */
interface LvmMethod extends Omit<SnapshotMethod<LvmData, LvmState>, 'plan' | 'revert'> {
  plan(c: Context): Promise<MethodPlan>;
  checkRevert(c: WithState): Promise<void>;
  readonly tellsBegin: true;
  revert(c: WithState & Pick<RevertContext, 'begin'>): Promise<void>;
}

export const lvm: LvmMethod = {
  method: 'lvm',
  interfaceVersion: 1,
  // lvcreate suspends the device for the cut and writes out what the host holds for it; QEMU holds nothing of a raw disk.
  needs: 'any',
  parse: () => ({}),

  async plan(c) {
    const { state, pool } = await planned(c);
    const space = { where: `the pool '${pool.getName()}'`, free: await freeBytes(pool, c) };
    const problems = spaceProblem(c, space, state);
    return { problems, creates: [state.snapshot], bytes: state.bytes, space };
  },

  prepare: async (c) => (await planned(c)).state,

  async cut(c) {
    const { origin, snapshot, bytes } = c.state;
    const pool = await poolOf(c);
    try {
      await createSnapshot(pool, basename(snapshot), origin, bytes);
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      if (isNameTaken(error)) {
        foreign.add(c.state);
        throw refusal(
          c,
          'FILE_EXISTS',
          `${snapshot} exists, and nothing is overwritten: ${takenAdvice(snapshot)}`,
          error,
        );
      }
      const isFull = /insufficient (free )?(space|extents)/i.test(error.message);
      const code = isFull ? 'NO_SPACE' : 'OPERATION_FAILED';
      throw refusal(c, code, `the snapshot ${snapshot} was not made: ${error.message}`, error);
    }
    return c.state;
  },

  async undo(c) {
    if (foreign.has(c.state)) return;
    const found = await find(c);
    await found?.vol.delete();
  },

  exists: async (c) => (await find(c)) !== null,

  async delete(c) {
    const { snapshot } = c.state;
    const found = await find(c);
    if (found === null) return refuseHidden(c);
    const users = await usersOfVolume(c, found.path);
    if (users.length > 0) {
      const names = users.map(({ guest, disk }) => `${guest} (${disk})`).join(', ');
      throw refusal(c, 'IN_USE', `its snapshot ${snapshot} is in use by ${names}. Detach it there first`);
    }
    await found.vol.delete().catch((error: unknown) => {
      // Where lvremove refuses, libvirt tries lvchange, and tells of that.
      if (!(error instanceof LibvirtError) || !/in use|lvchange/.test(error.message)) throw error;
      throw refusal(c, 'IN_USE', `its snapshot ${snapshot} is open on that host: ${error.message}`, error);
    });
  },

  async checkRevert(c) {
    await bothVolumes(c);
    await refuseNeeded(c, c.state.origin);
  },

  tellsBegin: true,
  async revert(c) {
    const { from, to } = await bothVolumes(c);
    await refuseInUse(c, c.state.origin);
    await copyDifferences(c.domain.connection, from.vol, to.vol, {
      // What a volume that was extended has behind that, its snapshot does not know: it stays. LVM reduces no origin.
      size: from.capacity,
      mayRewrite: c.state.bytes >= roomForAll(from.capacity),
      begin: c.begin,
      signal: c.signal,
      progress: c.progress,
    });
  },

  backupSource: async ({ state }) => ({
    source: formatXml(pathSource('block', state.snapshot)),
    format: 'raw',
    modifiedDisk: null,
  }),

  read: (c) => Readable.from(content(c), { objectMode: false }),
};

/** The snapshot, and what is brought back to it. */
async function bothVolumes(c: WithState): Promise<{ from: LogicalVolume; to: LogicalVolume }> {
  const { origin, snapshot } = c.state;
  const from = await present(c);
  const to = await logicalVolume(c.domain.connection, origin, c);
  if (to) return { from, to };
  throw refusal(c, 'NOT_FOUND', `${origin}, which is to be brought back to ${snapshot}, is not there`);
}

async function* content(c: WithState) {
  const { vol, capacity } = await present(c);
  yield* contentOf(c.domain.connection, vol, capacity, c.signal);
}

/** Why a disk that nobody chose a method for is given to this one; null: it is no logical volume. */
export async function claimsLvm(conn: Connection, disk: MethodDisk, call: CallOptions): Promise<string | null> {
  if (disk.format !== null && disk.format !== 'raw') return null;
  const path = await devicePath(conn, disk, call);
  const volume = path === null ? null : await listed(conn, path, call);
  return volume && `${volume.path} is a logical volume of the pool '${volume.pool.getName()}'`;
}

/** What will be made, after everything that can be known before the cut was checked. */
async function planned(c: Context): Promise<{ state: LvmState; pool: StoragePool }> {
  const volume = await originOf(c);
  const name = snapshotName(volume.path, c.name);
  const snapshot = `${dirname(volume.path)}/${name}`;
  const fault = nameFault(volume.group, name);
  if (fault !== null) {
    throw refusal(c, 'INVALID_ARGUMENT', `${snapshot} cannot be made: ${fault}. Choose another name for the snapshot`);
  }
  if (await volumeNow(volume.pool, name, c)) {
    throw refusal(c, 'FILE_EXISTS', `${snapshot} exists, and nothing is overwritten: ${takenAdvice(snapshot)}`);
  }
  const state = { origin: volume.path, snapshot, bytes: c.data.bytes ?? roomForAll(volume.capacity) };
  return { state, pool: volume.pool };
}

async function originOf(c: Context): Promise<LogicalVolume> {
  const conn = c.domain.connection;
  const own = await devicePath(conn, c.disk, c);
  if (own === null) {
    throw refusal(c, 'METHOD_UNSUPPORTED', `method lvm is for logical volumes; this disk is of type ${c.disk.type}`);
  }
  if (c.disk.format !== null && c.disk.format !== 'raw') {
    throw refusal(
      c,
      'METHOD_UNSUPPORTED',
      `${own} holds ${c.disk.format}, parts of which QEMU keeps in memory. Use method qemu with a source`,
    );
  }
  const path = listedPath(c.data.device ?? own);
  const volume = await listed(conn, path, c);
  if (volume === null) throw await notListed(c, path);
  if (volume.origin === null) return volume;
  throw refusal(
    c,
    'METHOD_UNSUPPORTED',
    `${path} is itself a snapshot of ${volume.origin}, and LVM makes none of those`,
  );
}

/** A volume that was made since libvirt's last look is not listed yet. */
async function listed(conn: Connection, path: string, call: CallOptions): Promise<LogicalVolume | null> {
  const known = await logicalVolume(conn, path, call);
  if (known) return known;
  const pool = await groupPool(conn, path, call);
  return pool && volumeNow(pool, basename(path), call);
}

async function notListed(c: Context, path: string): Promise<DiskSnapshotError> {
  const pool = await groupPool(c.domain.connection, path, c);
  const why = pool
    ? `the pool '${pool.getName()}' does not list ${path}: it is thin, or not active. libvirt knows no thin volumes; use method qemu with a source`
    : `no active pool of type logical has ${path}. Make one of its volume group: virsh pool-create-as NAME logical --source-name GROUP --target ${dirname(path)}`;
  return refusal(c, 'METHOD_UNSUPPORTED', why);
}

function spaceProblem(
  c: Context,
  { where, free }: { where: string; free: number },
  { snapshot, bytes }: LvmState,
): Problem[] {
  if (free >= bytes) return [];
  const message =
    `${c.domain.getName()}: disk ${c.disk.target}: ${snapshot} needs ${bytes} bytes, and ` +
    `${where} has ${free} left. Give it less: { method: 'lvm', bytes }; or extend the volume group`;
  return [{ code: 'NO_SPACE', disk: c.disk.target, message }];
}

/** The pool of the origin; also where the origin itself is gone. */
async function poolOf(c: WithState): Promise<StoragePool> {
  const { origin } = c.state;
  const conn = c.domain.connection;
  const pool = (await logicalVolume(conn, origin, c))?.pool ?? (await groupPool(conn, origin, c));
  if (pool) return pool;
  throw refusal(c, 'NOT_FOUND', `the pool with ${origin} is not active. Start it first (virsh pool-start)`);
}

/** The snapshot, if it is that one of that origin. The state comes from metadata that anybody may have changed. */
async function find(c: WithState): Promise<LogicalVolume | null> {
  const { origin, snapshot } = c.state;
  if (typeof origin !== 'string' || typeof snapshot !== 'string') {
    throw refusal(c, 'NOT_FOUND', `the record of its snapshot ${c.name} names no volume: somebody changed it`);
  }
  const name = snapshotName(origin, c.name);
  const found = await volumeNow(await poolOf(c), name, c);
  return found?.path === snapshot && found.origin === origin ? found : null;
}

async function present(c: WithState): Promise<LogicalVolume> {
  const found = await find(c);
  if (found) return found;
  const { snapshot } = c.state;
  const why = `its snapshot ${snapshot} is not there any more: it was removed, or has overflowed, and cannot come back`;
  throw refusal(c, 'NOT_FOUND', why);
}

/** What is not listed is gone, unless it overflowed: then it still takes its name and its space. */
async function refuseHidden(c: WithState): Promise<void> {
  const { snapshot } = c.state;
  const pool = await poolOf(c);
  const name = basename(snapshot);
  if (await volumeNow(pool, name, c)) return; // somebody else's
  if (!(await isHidden(pool, name))) return;
  const why = `its snapshot ${snapshot} has overflowed: LVM has invalidated it, and libvirt can neither use nor remove it. Run lvremove ${snapshot} on that host, then delete again`;
  throw refusal(c, 'OPERATION_FAILED', why);
}

const takenAdvice = (snapshot: string) =>
  `choose another name for the snapshot; or remove it if nobody needs it (lvremove ${snapshot})`;
