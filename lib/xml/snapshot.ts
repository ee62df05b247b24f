/** `<domainsnapshot>` for virDomainSnapshotCreateXML: external, disks only. */
import { pathSource } from './disk';
import { element, type XmlElement } from './document';

/** A new image that takes the guest's writes from now on. */
export interface Overlay {
  target: string;
  path: string;
  /** Default 'file'. */
  type?: 'file' | 'block';
  /** Such as 'qcow2'. With VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT it must be what the image is. */
  format: string;
}

/**
 * Between them, `external` and `excluded` must name every disk of the domain: libvirt takes those that are not named as well.
 */
export function diskOnlySnapshot(
  name: string,
  disks: { external: readonly Overlay[]; excluded: readonly string[] },
): XmlElement {
  return element(
    'domainsnapshot',
    {},
    element('name', {}, name),
    element(
      'disks',
      {},
      ...disks.external.map(({ target, path, type = 'file', format }) =>
        element(
          'disk',
          { name: target, snapshot: 'external', type },
          element('driver', { type: format }),
          pathSource(type, path),
        ),
      ),
      ...disks.excluded.map((target) => element('disk', { name: target, snapshot: 'no' })),
    ),
  );
}
