// Methods that come from outside, by name.
import { invalidType, invalidValue } from '../argument';
import { DiskSnapshotError } from '../errors';
import { checkMethodName, complaint } from '../method-form';
import type { SnapshotMethod } from '../types';

/** Of the proposal, and so never a plug-in's. */
const BUILT_IN: ReadonlySet<string> = new Set(['qemu', 'lvm', 'btrfs', 'reflink', 'rbd']);
const FUNCTIONS = ['parse', 'plan', 'prepare', 'cut', 'undo', 'exists', 'delete', 'revert', 'backupSource'] as const;

const registered = new Map<string, SnapshotMethod>();

/**
 * Makes a method known by its name, for this process. Disposing of the result takes it out again.
 *
 * @throws TypeError for an object that is no {@link SnapshotMethod}
 * @throws DiskSnapshotError INVALID_ARGUMENT where the name is taken, or no name
 * @example
 * const registration = registerSnapshotMethod(new AcmeMethod());
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
  if (BUILT_IN.has(method) || registered.has(method)) {
    const by = BUILT_IN.has(method) ? 'is built in' : 'is registered already';
    throw new DiskSnapshotError('INVALID_ARGUMENT', `A snapshot method ${JSON.stringify(method)} ${by}`);
  }
  // Data and State are the plug-in's own: what one of its functions gave, another takes.
  const entry = plugin as unknown as SnapshotMethod;
  registered.set(method, entry);
  return {
    [Symbol.dispose]: () => {
      if (registered.get(method) === entry) registered.delete(method);
    },
  };
}

/** The method of that name that somebody registered. */
export const pluginFor = (method: string): SnapshotMethod | undefined => registered.get(method);
