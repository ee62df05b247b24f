// Methods by name: those that are built in, and those that come from outside.

import { LibvirtError } from '../../libvirt';
import { invalidType, invalidValue } from '../argument';
import { checkMethodName, complaint } from '../element/method-form';
import { DiskSnapshotError, messageOf } from '../errors';
import type { MethodContext, SnapshotMethod } from '../types';
import { lvm } from './lvm';
import type { Method } from './method';
import { qemuInternal } from './qemu-internal';
import { rbd } from './rbd';
import { reflink } from './reflink';

/** `qemu` external is not among them: one call of libvirt cuts all its disks. What stands here by that name is internal. */
const builtIn = new Map<string, Method>([
  ['qemu', qemuInternal],
  ['rbd', rbd],
  ['lvm', lvm as unknown as Method],
  ['btrfs', reflink('btrfs') as unknown as Method],
  ['reflink', reflink('reflink') as unknown as Method],
]);
/** Of the proposal, and so never a plug-in's. */
const RESERVED: ReadonlySet<string> = new Set(builtIn.keys());
const FUNCTIONS = ['parse', 'plan', 'prepare', 'cut', 'undo', 'exists', 'delete', 'revert', 'backupSource'] as const;

const registered = new Map<string, SnapshotMethod>();

/**
 * Makes a method known by its name, for this process. Disposing of the result takes it out again.
 *
 * @throws TypeError for an object that is no {@link SnapshotMethod}
 * @throws DiskSnapshotError INVALID_ARGUMENT where the name is taken, or no name
 * @example
 * const registration = registerSnapshotMethod(acme);   // acme: SnapshotMethod
 * console.log((await planSnapshot(dom, { disks: { vda: 'acme' } })).ok);
 * registration[Symbol.dispose]();
 */
export function registerSnapshotMethod<Data, State>(plugin: SnapshotMethod<Data, State>): Disposable {
  if (typeof plugin !== 'object' || plugin === null) throw invalidType('plugin', 'a SnapshotMethod', plugin);
  const { method } = plugin;
  if (typeof method !== 'string') throw invalidType('plugin.method', 'a string', method);
  checkMethodName(method, complaint('INVALID_ARGUMENT', {}));
  if (plugin.interfaceVersion !== 1) throw invalidValue('plugin.interfaceVersion', '1', plugin.interfaceVersion);
  if (plugin.needs !== 'frozen' && plugin.needs !== 'any') {
    throw invalidValue('plugin.needs', "'frozen' or 'any'", plugin.needs);
  }
  for (const name of FUNCTIONS) {
    if (typeof plugin[name] !== 'function') throw invalidType(`plugin.${name}`, 'a function', plugin[name]);
  }
  if (RESERVED.has(method) || registered.has(method)) {
    const by = RESERVED.has(method) ? 'is built in' : 'is registered already';
    throw new DiskSnapshotError('INVALID_ARGUMENT', `A snapshot method ${JSON.stringify(method)} ${by}`);
  }
  // Data and State are the plug-in's own: what one of its functions gave, another takes.
  const entry = told(plugin as unknown as SnapshotMethod);
  registered.set(method, entry);
  return {
    [Symbol.dispose]: () => {
      if (registered.get(method) === entry) registered.delete(method);
    },
  };
}

/** The method of that name, built in or registered. */
export const methodNamed = (name: string): Method | undefined => builtIn.get(name) ?? registered.get(name);

/** In the order in which they are asked whether they claim a disk. */
export const methods = (): Method[] => [...registered.values(), ...builtIn.values()];

export const methodNames = (): string[] => [...builtIn.keys(), ...registered.keys()];

/** What a method threw, as callers see it. */
export function failedIn(method: string, name: string, c: MethodContext<unknown>, error: unknown): unknown {
  if (error instanceof DiskSnapshotError || error instanceof LibvirtError) return error;
  if (c.signal.aborted && error === c.signal.reason) return error;
  const guest = c.domain.getName();
  const said = messageOf(error);
  const message = `${guest}: disk ${c.disk.target}: method ${method} failed in ${name}(): ${said}`;
  return new DiskSnapshotError('OPERATION_FAILED', message, { guest, disk: c.disk.target, cause: error });
}

/** The plug-in, whose errors reach callers as any other's do: typed, with the disk that they are about. */
function told(plugin: SnapshotMethod): SnapshotMethod {
  const telling =
    <C extends MethodContext<unknown>, T>(name: string, work: (c: C) => Promise<T>) =>
    async (c: C): Promise<T> => {
      try {
        return await work.call(plugin, c);
      } catch (error) {
        throw failedIn(plugin.method, name, c, error);
      }
    };
  const { method, interfaceVersion, needs, claims, dataFor, read } = plugin;
  return {
    method,
    interfaceVersion,
    needs,
    parse: (element) => plugin.parse(element),
    plan: telling('plan', plugin.plan),
    prepare: telling('prepare', plugin.prepare),
    cut: telling('cut', plugin.cut),
    undo: telling('undo', plugin.undo),
    exists: telling('exists', plugin.exists),
    delete: telling('delete', plugin.delete),
    revert: telling('revert', plugin.revert),
    backupSource: telling('backupSource', plugin.backupSource),
    ...(claims ? { claims: (disk) => claims.call(plugin, disk) } : {}),
    ...(dataFor ? { dataFor: (disk) => dataFor.call(plugin, disk) } : {}),
    ...(read ? { read: (c) => read.call(plugin, c) } : {}),
  };
}
