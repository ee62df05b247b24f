// Methods `btrfs` and `reflink`: the file system clones the image in an instant, sharing its blocks. FICLONE as ourselves
// for images on this machine, of any format; through libvirt for raw ones on another. QEMU must have flushed what it holds,
// which it does when the guest is frozen or paused.
import { pathSource, readDisk } from '../../xml/disk';
import { formatXml } from '../../xml/document';
import { defaultOverlayPath } from '../element/name';
import { isLocal } from '../images/images-for';
import type { MethodContext, SnapshotMethod } from '../types';
import type { RevertContext } from './method';
import { reflinkLocal } from './reflink-local';
import { reflinkRemote } from './reflink-remote';
import { refusal } from './refusal';
import { refuseUnfit } from './unfit';

export interface ReflinkData {
  /** The clone. Default: beside the image, named as an overlay would be. */
  source?: string;
}
export interface ReflinkState {
  image: string;
  clone: string;
  format: string;
  /** Bytes of the clone's file; left out until it is made, and in records of old. */
  size?: number;
  /** Written down before the clone was made: what lies there need not be ours. */
  isExpected?: true;
}

type Context = MethodContext<ReflinkData>;
type CutContext = Context & { state: ReflinkState };
type RevertCutContext = CutContext & Pick<RevertContext, 'begin'>;

/** How clones are made, kept and removed: as ourselves, or by libvirt on its host. */
export interface Cloner {
  /** All that can be known before the cut; nothing is made. */
  check(c: Context, state: ReflinkState, fileSystem: 'btrfs' | 'XFS'): Promise<void>;
  /** Whether the file system clones this image at all; nothing is left. */
  attempt(c: Context, state: ReflinkState): Promise<void>;
  /** Null where what a killed process left cannot be told from what others made. */
  expected(state: ReflinkState): ReflinkState | null;
  prepare(c: Context, state: ReflinkState): Promise<void>;
  /** @returns the state, with the size of what was made */
  cut(c: CutContext): Promise<ReflinkState>;
  /** Onto stable storage. */
  settle(c: CutContext): Promise<void>;
  undo(c: CutContext): Promise<void>;
  exists(c: CutContext): Promise<boolean>;
  delete(c: CutContext): Promise<void>;
  checkRevert(c: CutContext): Promise<void>;
  revert(c: RevertCutContext): Promise<void>;
}

const FILE_SYSTEMS = { btrfs: 'btrfs', reflink: 'XFS' } as const;

/** With what only built-in methods do. */
interface ReflinkMethod extends Omit<SnapshotMethod<ReflinkData, ReflinkState>, 'revert'> {
  settle(c: CutContext): Promise<void>;
  readonly tellsBegin: true;
  revert(c: RevertCutContext): Promise<void>;
  expects(c: Context): Promise<ReflinkState | null>;
  checkRevert(c: CutContext): Promise<void>;
}

export function reflink(method: keyof typeof FILE_SYSTEMS): ReflinkMethod {
  const checked = async (c: Context): Promise<{ cloner: Cloner; state: ReflinkState }> => {
    refuseUnfit(c, readDisk(c.disk.xml));
    const { sourcePath: image, type, format } = c.disk;
    if (image === null || type !== 'file') {
      throw refusal(c, 'METHOD_UNSUPPORTED', `method ${method} clones image files; this disk is of type ${type}`);
    }
    const clone = c.data.source ?? defaultOverlayPath(image, c.name);
    const state = { image, clone, format: format ?? 'raw' };
    const cloner = await clonerFor(c);
    await cloner.check(c, state, FILE_SYSTEMS[method]);
    return { cloner, state };
  };
  return {
    method,
    interfaceVersion: 1,
    needs: 'frozen',
    parse: () => ({}),

    async plan(c) {
      const { cloner, state } = await checked(c);
      await cloner.attempt(c, state);
      return { problems: [], creates: [state.clone], bytes: 0 }; // shared until one of them changes
    },
    async expects(c) {
      const { cloner, state } = await checked(c);
      return cloner.expected(state);
    },
    async prepare(c) {
      const { cloner, state } = await checked(c);
      await cloner.prepare(c, state);
      return state;
    },
    cut: async (c) => (await clonerFor(c)).cut(c),
    settle: async (c) => (await clonerFor(c)).settle(c),
    undo: async (c) => (await clonerFor(c)).undo(c),
    exists: async (c) => (await clonerFor(c)).exists(c),
    delete: async (c) => (await clonerFor(c)).delete(c),
    checkRevert: async (c) => (await clonerFor(c)).checkRevert(c),
    tellsBegin: true,
    revert: async (c) => (await clonerFor(c)).revert(c),
    backupSource: async ({ state }) => ({
      source: formatXml(pathSource('file', state.clone)),
      format: state.format,
      modifiedDisk: null,
    }),
  };
}

const clonerFor = async ({ domain }: Context): Promise<Cloner> =>
  (await isLocal(domain.connection)) ? reflinkLocal : reflinkRemote;
