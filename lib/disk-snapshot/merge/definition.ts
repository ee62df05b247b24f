// The persistent definition: what the guest starts from must name the image that is to be, and none that is gone.
import { type Domain, DomainXMLFlags } from '../../libvirt';
import { type DomainDisk, pathSource, readDomain, redefineDisk, withoutIndex } from '../../xml/domain';
import { DiskSnapshotError } from '../errors';
import { chainOfXml, positionOf } from '../images/backing-chain';
import type { ImageRef } from '../records/record';

/**
 * Brings the definition of a persistent domain to a disk's new truth: where it starts from `gone` it will start from
 * `parent`; where it names `gone` further down, that part is left to the headers. libvirt does the same for a guest that
 * runs, and then nothing is changed here. The result is read back.
 */
export async function settleDefinition(
  domain: Domain,
  target: string,
  gone: ImageRef,
  parent: ImageRef,
): Promise<void> {
  const flags = [DomainXMLFlags.INACTIVE, DomainXMLFlags.SECURE];
  const read = async () => {
    const xml = await domain.getXMLDesc(flags);
    return { xml, disk: readDomain(xml).disks.find((disk) => disk.target === target) };
  };
  const { xml, disk } = await read();
  // Whoever took the disk out of the definition, or put another image there, meant it.
  if (!disk || !names(disk, gone.path)) return;
  await domain.connection.domainDefineXML(redefineDisk(xml, target, imageAfter(disk, gone, parent)));
  const now = await read();
  if (now.disk && !names(now.disk, gone.path)) return;
  const guest = domain.getName();
  throw new DiskSnapshotError(
    'RECOVERY_NEEDED',
    `${guest}: disk ${target} is merged into ${parent.path}, but its definition still names ${gone.path}. ` +
      'Do not start it; delete the snapshot again, which finishes this',
    { guest, disk: target, outcome: 'unknown' },
  );
}

function names(disk: DomainDisk, path: string): boolean {
  return positionOf(chainOfXml(disk), path) >= 0;
}

function imageAfter(disk: DomainDisk, gone: ImageRef, parent: ImageRef) {
  const { source, type, format } = disk;
  if (disk.sourcePath === gone.path || source === null) {
    return { source: pathSource(parent.type, parent.path), type: parent.type, format: parent.format };
  }
  return { source: withoutIndex(source), type, format: format ?? 'raw' };
}

/** The guest will start from these overlays. One definition for all disks, so all or none. */
export async function startFromOverlays(
  domain: Domain,
  layers: readonly { disk: string; overlay: ImageRef }[],
): Promise<void> {
  let xml = await domain.getXMLDesc([DomainXMLFlags.INACTIVE, DomainXMLFlags.SECURE]);
  for (const { disk, overlay } of layers) {
    const { type, path, format } = overlay;
    xml = redefineDisk(xml, disk, { source: pathSource(type, path), type, format });
  }
  await domain.connection.domainDefineXML(xml);
}
