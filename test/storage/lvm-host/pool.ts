// The volume group as a pool of libvirt.
import type { Connection, StoragePool } from '../../../lib/libvirt';
import { element, formatXml } from '../../../lib/xml/document';
import { VOLUME_GROUP, VOLUMES } from './scripts';

/** It is not ended: that would deactivate the volume group. It goes with the host. */
export function logicalPool(connection: Connection): Promise<StoragePool> {
  return connection.storagePoolCreateXML(
    formatXml(
      element(
        'pool',
        { type: 'logical' },
        element('name', {}, VOLUME_GROUP),
        element('source', {}, element('name', {}, VOLUME_GROUP), element('format', { type: 'lvm2' })),
        element('target', {}, element('path', {}, VOLUMES)),
      ),
    ),
  );
}
