// Which method serves a disk: what the call passed, else what the domain itself says, else what the disk's type and format
// suggest; with the reason in words.
import type { DomainDisk } from '../../xml/domain';
import { DiskSnapshotError } from '../errors';
import type { Guest } from '../guest';
import { policyOf } from '../policy-metadata';
import type { Method } from '../types';
import type { QemuExternal } from './qemu-external';

export interface Choice {
  method: QemuExternal;
  because: string;
}

/** Methods of the proposal that have a name here but no implementation yet. */
const planned = ['lvm', 'btrfs', 'reflink', 'rbd'];

export function chooseMethod(guest: Guest, disk: DomainDisk, asked: Method | null, strict: boolean): Choice {
  const where = { guest: guest.name, disk: disk.target };
  const wanted = asked ?? policyOf(guest.document, disk.target);
  if (wanted === null) {
    if (!strict) return { method: { method: 'qemu' }, because: `a ${disk.format ?? 'raw'} disk of type ${disk.type}` };
    throw new DiskSnapshotError(
      'INVALID_ARGUMENT',
      `${guest.name}: no method was given for disk ${disk.target}, and strict asks for one: ` +
        `{ disks: { ${disk.target}: 'qemu' } }, or a <diskSnapshot> in the domain`,
      where,
    );
  }
  if (isQemuExternal(wanted)) {
    return { method: wanted, because: asked ? 'the caller chose it' : 'the domain’s own <diskSnapshot> says so' };
  }
  if (wanted.method === 'qemu' || planned.includes(wanted.method)) {
    const what = wanted.method === 'qemu' ? 'method qemu with mode internal' : `method ${wanted.method}`;
    throw new DiskSnapshotError(
      'METHOD_UNSUPPORTED',
      `${guest.name}: disk ${disk.target}: ${what} is not supported by this version; method qemu (external) is`,
      where,
    );
  }
  throw new DiskSnapshotError(
    'METHOD_UNKNOWN',
    `${guest.name}: disk ${disk.target}: nobody registered a method ${JSON.stringify(wanted.method)}. ` +
      'Built in is: qemu. Register another with registerSnapshotMethod()',
    where,
  );
}

function isQemuExternal(method: Method): method is QemuExternal {
  return method.method === 'qemu' && (!('mode' in method) || method.mode === undefined || method.mode === 'external');
}
