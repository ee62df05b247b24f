// Which method serves a disk: what the call passed, else what the domain itself says, else what the disk suggests; with the
// reason in words.
import type { CallOptions } from '../../libvirt/options';
import type { DomainDisk } from '../../xml/domain';
import { pluginElement } from '../element/element';
import { policyOf } from '../element/policy-metadata';
import { DiskSnapshotError, messageOf } from '../errors';
import type { Guest } from '../guest';
import type { Method } from '../types';
import { methodDisk } from './context';
import { defaultMethod } from './default-method';
import type { Method as KnownMethod } from './method';
import type { QemuExternal } from './qemu-external';
import { methodNamed, methodNames } from './registry';

export type Choice = { because: string } & (
  | { kind: 'layer'; method: QemuExternal }
  | { kind: 'method'; method: KnownMethod; data: unknown }
);

export async function chooseMethod(
  guest: Guest,
  disk: DomainDisk,
  asked: Method | null,
  { strict, mayPause }: { strict: boolean; mayPause: boolean },
  call: CallOptions,
): Promise<Choice> {
  if (asked) return choice(guest, disk, asked, 'the caller chose it');
  const ofDomain = policyOf(guest.document, disk.target);
  if (ofDomain) return choice(guest, disk, ofDomain, 'the domain’s own <diskSnapshot> says so');
  if (strict) {
    throw refusal(
      'INVALID_ARGUMENT',
      guest,
      disk,
      `no method was given, and strict asks for one: { disks: { ${disk.target}: 'qemu' } }, or a <diskSnapshot> in the domain`,
    );
  }
  const { method, because } = await defaultMethod(guest.domain.connection, methodDisk(disk), mayPause, call);
  return choice(guest, disk, method, because);
}

function choice(guest: Guest, disk: DomainDisk, wanted: Method, because: string): Choice {
  if (isQemuExternal(wanted)) return { kind: 'layer', method: wanted, because };
  const found = methodNamed(wanted.method);
  if (found) {
    return { kind: 'method', method: found, data: dataOf(guest, disk, found, wanted), because };
  }
  throw refusal(
    'METHOD_UNKNOWN',
    guest,
    disk,
    `nobody registered a method ${JSON.stringify(wanted.method)}. Known are: ${methodNames().join(', ')}. ` +
      'Register another with registerSnapshotMethod()',
  );
}

/** A plug-in parses its own element; what came as an object is its data already, and where nothing came it says itself. */
function dataOf(guest: Guest, disk: DomainDisk, method: KnownMethod, wanted: Method): unknown {
  const element = pluginElement(wanted);
  const { method: _, ...given } = wanted;
  try {
    if (element !== null) return method.parse(element);
    return Object.keys(given).length === 0 && method.dataFor ? method.dataFor(methodDisk(disk)) : given;
  } catch (error) {
    if (error instanceof DiskSnapshotError) throw error;
    const said = messageOf(error);
    const why = `method ${method.method} refuses ${element ? 'its <diskSnapshot>' : 'this disk'}: ${said}`;
    throw refusal(element ? 'INVALID_XML' : 'INVALID_ARGUMENT', guest, disk, why, error);
  }
}

function refusal(
  code: 'INVALID_ARGUMENT' | 'INVALID_XML' | 'METHOD_UNKNOWN',
  guest: Guest,
  { target }: DomainDisk,
  why: string,
  cause?: unknown,
): DiskSnapshotError {
  return new DiskSnapshotError(code, `${guest.name}: disk ${target}: ${why}`, {
    guest: guest.name,
    disk: target,
    cause,
  });
}

function isQemuExternal(method: Method): method is QemuExternal {
  return method.method === 'qemu' && (!('mode' in method) || method.mode === undefined || method.mode === 'external');
}
