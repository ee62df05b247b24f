// Method `qemu`, mode internal: a snapshot in the tables of the qcow2 image itself. It needs no further file, and cannot be
// named as a source: whoever reads it opens the image and says which.
import { type Domain, DomainSnapshotCreateFlags, DomainXMLFlags } from '../../libvirt';
import { readDisk } from '../../xml/disk';
import { element, formatXml, parseXml } from '../../xml/document';
import { lookAtGuest } from '../guest';
import { HELPER_DISK, withDefinedHelper } from '../merge/helper-domain';
import type { MethodContext } from '../types';
import { internalMethod } from './internal-method';
import type { InternalState } from './internal-snapshot';

export const qemuInternal = internalMethod({
  method: 'qemu',
  unfit: ({ format }) =>
    format === 'qcow2' ? null : `it is of format ${format ?? 'raw'}; only qcow2 images hold internal snapshots`,
  unfitDriver: (driver) =>
    driver === 'qcow2' ? null : `QEMU has it open as ${driver}; only qcow2 images hold internal snapshots`,
  unfitName: (name) =>
    /^\d+$/.test(name) ? 'is a number, by which QEMU would take another snapshot of the image for it' : null,
  revert,
  keep: (_, { snapshot }) => ({ source: null, internalSnapshot: snapshot, format: 'qcow2' }),
});

/**
 * QEMU's monitor reverts only snapshots that hold the machine too; qemu-img any. libvirt runs qemu-img, on whichever host, for
 * a domain that is off: so the helper is defined, is told of the snapshot, and is reverted.
 */
async function revert(c: MethodContext<unknown>, { snapshot }: InternalState): Promise<void> {
  const { document } = await lookAtGuest(c.domain, { signal: c.signal });
  await withDefinedHelper(document, readDisk(c.disk.xml), c.domain, async (helper) => {
    const { REDEFINE } = DomainSnapshotCreateFlags;
    await helper.revertToSnapshot(await helper.snapshotCreateXML(await snapshotXml(helper, snapshot), REDEFINE));
  });
}

async function snapshotXml(helper: Domain, name: string): Promise<string> {
  return formatXml(
    element(
      'domainsnapshot',
      {},
      element('name', {}, name),
      element('state', {}, 'shutoff'),
      element('creationTime', {}, '0'),
      element('memory', { snapshot: 'no' }),
      element('disks', {}, element('disk', { name: HELPER_DISK, snapshot: 'internal' })),
      parseXml(await helper.getXMLDesc(DomainXMLFlags.INACTIVE | DomainXMLFlags.SECURE)),
    ),
  );
}
