// Method `rbd`: a snapshot in the Ceph cluster, made by the QEMU that has the image open, with the credentials that it has.
import { DomainBlockCopyFlags } from '../../libvirt';
import { type DomainDisk, readDisk, withoutIndex } from '../../xml/disk';
import { childrenOf, element, formatXml, type XmlElement } from '../../xml/document';
import { diskOf } from '../images/backing-chain';
import { rbdName } from '../images/image-name';
import { usersOf } from '../images/users';
import { runBlockJob } from '../merge/block-job';
import { HELPER_DISK } from '../merge/helper-domain';
import type { MethodContext } from '../types';
import { internalMethod } from './internal-method';
import { type InternalState, imageOf, withQemu } from './internal-snapshot';
import { refusal } from './refusal';

const isRbd = ({ network }: DomainDisk) => network?.protocol === 'rbd';
const isRaw = ({ format }: DomainDisk) => format === null || format === 'raw';

/** Of a snapshot's name; QEMU reads no more of it back. */
const LONGEST_NAME = 127;

export const rbd = internalMethod({
  method: 'rbd',
  claims({ xml }) {
    const disk = readDisk(xml);
    return (
      isRbd(disk) && isRaw(disk) && `the image ${imageOf(disk)} lies in a Ceph cluster, which keeps snapshots itself`
    );
  },
  unfit(disk) {
    if (!isRbd(disk)) return 'it is not in a Ceph cluster: method rbd takes <source protocol="rbd">';
    if (isRaw(disk)) return null;
    return `it is a ${disk.format} image over RBD, in which QEMU would make the snapshot instead; use { method: 'qemu', mode: 'internal' }`;
  },
  unfitDriver: (driver) =>
    driver === 'raw' || driver === 'rbd'
      ? null
      : `QEMU has it open as ${driver}, and would not reach the RBD image below`,
  unfitName(name) {
    if (name.includes('@')) return "contains '@', which ends the name of an RBD image";
    return Buffer.byteLength(name) > LONGEST_NAME ? `has more than ${LONGEST_NAME} bytes` : null;
  },
  checkDelete,
  revert,
  keep: (disk, state) => ({ source: formatXml(snapshotSource(disk, state)), format: 'raw' }),
});

/** The cluster deletes also what somebody reads, or has for a disk. */
async function checkDelete(c: MethodContext<unknown>, { image, snapshot }: InternalState): Promise<void> {
  const users = await usersOf(c.domain.connection, rbdName(image, snapshot), { signal: c.signal });
  if (users.length === 0) return;
  const names = users.map(({ guest, disk }) => `${guest} (${disk})`).join(', ');
  throw refusal(c, 'IN_USE', `its snapshot ${snapshot} of ${image} is in use by ${names}. Detach it there first`);
}

/** With the disk's credentials inside, since whoever takes the source alone needs them. */
function snapshotSource(disk: DomainDisk, { snapshot }: InternalState): XmlElement {
  const { attributes, children } = sourceOf(disk);
  return element('source', attributes, ...children, element('snapshot', { name: snapshot }));
}

function sourceOf(disk: DomainDisk): XmlElement {
  const source = disk.source ? withoutIndex(disk.source) : element('source');
  return element('source', source.attributes, ...source.children, ...childrenOf(disk.element, 'auth'));
}

/** QEMU copies the snapshot over the image: what is equal to zero is discarded, not written. */
async function revert(c: MethodContext<unknown>, state: InternalState): Promise<void> {
  const image = readDisk(c.disk.xml);
  const driver = element('driver', { name: 'qemu', type: 'raw' });
  const attributes = { type: 'network', device: 'disk' };
  const target = element('target', { dev: c.disk.target });
  const held = readDisk(element('disk', attributes, driver, snapshotSource(image, state), target, element('readonly')));
  const copy = formatXml(element('disk', attributes, driver, sourceOf(image)));
  await withQemu(
    c,
    async (helper) => {
      const domain = helper;
      await runBlockJob(
        {
          domain,
          disk: HELPER_DISK,
          pivots: true,
          start: () => domain.blockCopy(HELPER_DISK, copy, null, DomainBlockCopyFlags.REUSE_EXT),
          took: async () => (await diskOf(domain, HELPER_DISK))?.network?.snapshot === null,
        },
        { signal: c.signal, onProgress: c.progress },
      );
    },
    { disk: held },
  );
}
