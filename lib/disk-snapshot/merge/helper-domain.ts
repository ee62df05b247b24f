// QEMU's block layer for a guest that is off, on any host, through libvirt alone: a paused domain of 16 MiB that holds
// one of its disks, and ends with us. While it runs, QEMU's lock on the image keeps the guest itself from starting.
import { randomBytes } from 'node:crypto';
import {
  type Domain,
  DomainCreateFlags,
  DomainDestroyFlagsValues,
  DomainUndefineFlagsValues,
  ErrorNumber,
  LibvirtError,
} from '../../libvirt';
import { child, childrenOf, element, formatXml } from '../../xml/document';
import { type DomainDisk, type DomainDocument, withoutIndex } from '../../xml/domain';
import { DiskSnapshotError } from '../errors';

/** The disk's target in the helper. */
export const HELPER_DISK = 'vda';

/**
 * The helper's definition: same hypervisor, machine and security labels as the guest's, so that what may open the guest's
 * images may here, and nothing but that disk. It carries no `<backingStore>`, which would win over the headers.
 */
export function helperXml(guest: DomainDocument, disk: DomainDisk, name = helperName(guest, disk)): string {
  const { source, format, type } = disk;
  if (source === null) throw new DiskSnapshotError('DISK_NOT_FOUND', `${guest.name}: disk ${disk.target} is empty`);
  const { arch, machine, emulator } = guest;
  const held = element(
    'disk',
    { type, device: 'disk' },
    element('driver', { name: 'qemu', type: format ?? 'raw' }),
    withoutIndex(source),
    ...childrenOf(disk.element).filter((node) => KEPT.has(node.name)),
    element('target', { dev: HELPER_DISK, bus: 'virtio' }),
  );
  return formatXml(
    element(
      'domain',
      { type: guest.type },
      element('name', {}, name),
      element('memory', { unit: 'MiB' }, '16'),
      element(
        'os',
        {},
        element('type', { arch: arch ?? undefined, machine: machine ?? undefined }, textOfOsType(guest)),
      ),
      element(
        'devices',
        {},
        ...(emulator === null ? [] : [element('emulator', {}, emulator)]),
        element('controller', { type: 'usb', model: 'none' }),
        element('memballoon', { model: 'none' }),
        held,
      ),
      ...childrenOf(guest.root, 'seclabel').filter(({ attributes }) => attributes.type !== 'dynamic'),
    ),
  );
}

/** What a disk's source needs beside itself: credentials, and that nothing is written to it. */
const KEPT: ReadonlySet<string> = new Set(['encryption', 'auth', 'readonly']);

/** One name per disk: a helper that a killed process left behind is found. */
function helperName(guest: DomainDocument, { target }: DomainDisk): string {
  return `${PREFIX}${guest.uuid}-${target}`;
}

const PREFIX = 'libvirt-disksnapshot-';

/** Whether a domain is a helper: it uses images only on behalf of a guest. */
export function isHelper(domain: Domain): boolean {
  return domain.getName().startsWith(PREFIX);
}

function textOfOsType(guest: DomainDocument): string {
  const text = child(guest.root, 'os', 'type')?.children[0];
  return typeof text === 'string' ? text : 'hvm';
}

/**
 * Runs `work` with a helper domain that holds the disk as {@link HELPER_DISK}; the helper is gone afterwards. The caller
 * holds the guest's claim, so a helper of that name that is found here belongs to nobody any more.
 */
export async function withHelper<T>(
  guest: DomainDocument,
  disk: DomainDisk,
  domain: Domain,
  work: (helper: Domain) => Promise<T>,
): Promise<T> {
  await endLeftHelper(guest, disk, domain);
  return runHelper(helperXml(guest, disk), domain, work);
}

/** The same beside others, whoever holds the claim: read-only, for storage that lets several QEMUs open an image. */
export function lookThroughHelper<T>(
  guest: DomainDocument,
  disk: DomainDisk,
  domain: Domain,
  work: (helper: Domain) => Promise<T>,
): Promise<T> {
  const readonly = element('disk', disk.element.attributes, ...disk.element.children, element('readonly'));
  const name = `${helperName(guest, disk)}-${randomBytes(4).toString('hex')}`;
  return runHelper(helperXml(guest, { ...disk, element: readonly }, name), domain, work);
}

/** A helper that is defined and off, for what libvirt does to domains that are off. */
export async function withDefinedHelper<T>(
  guest: DomainDocument,
  disk: DomainDisk,
  domain: Domain,
  work: (helper: Domain) => Promise<T>,
): Promise<T> {
  await endLeftHelper(guest, disk, domain);
  const helper = await domain.connection.domainDefineXML(helperXml(guest, disk));
  try {
    return await work(helper);
  } finally {
    await undefine(helper);
  }
}

async function undefine(helper: Domain): Promise<void> {
  await helper.undefineFlags(DomainUndefineFlagsValues.SNAPSHOTS_METADATA).catch(gone);
}

async function runHelper<T>(xml: string, domain: Domain, work: (helper: Domain) => Promise<T>): Promise<T> {
  const helper = await domain.connection.domainCreateXML(xml, await startFlags(domain));
  try {
    return await work(helper);
  } finally {
    await end(helper);
  }
}

/** The helper that is at work for this disk, or was left by a process that died; null: there is none. */
export function findHelper(guest: DomainDocument, disk: DomainDisk, domain: Domain): Promise<Domain | null> {
  return domain.connection.domainLookupByName(helperName(guest, disk)).catch(gone);
}

/** Ends a helper that was left, and would keep the guest from starting. Only for whoever holds the guest's claim. */
export async function endLeftHelper(guest: DomainDocument, disk: DomainDisk, domain: Domain): Promise<void> {
  const left = await findHelper(guest, disk, domain);
  if (!left) return;
  await end(left);
  await undefine(left);
}

async function startFlags({ connection }: Domain) {
  const { START_PAUSED, START_AUTODESTROY } = DomainCreateFlags;
  // The embedded driver cannot end a domain with its connection: there the next of us finds what was left.
  const isEmbedded = /^[^:]+:\/\/\/embed/.test(await connection.getURI());
  return isEmbedded ? [START_PAUSED] : [START_PAUSED, START_AUTODESTROY];
}

async function end(helper: Domain): Promise<void> {
  const { GRACEFUL, REMOVE_LOGS } = DomainDestroyFlagsValues;
  try {
    // Gracefully first, so that QEMU writes out what it holds.
    await helper.destroyFlags([GRACEFUL, REMOVE_LOGS]);
  } catch {
    // It hangs, or libvirt is older than 8.3 and keeps the logs, or it has gone already.
    await helper.destroy().catch(gone);
  }
}

/** Null where the helper is not there, or not there any more. */
function gone(e: unknown): null {
  if (e instanceof LibvirtError && (e.code === ErrorNumber.NO_DOMAIN || e.code === ErrorNumber.OPERATION_INVALID)) {
    return null;
  }
  throw e;
}
