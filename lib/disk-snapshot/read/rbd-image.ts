// An image in a Ceph cluster as QEMU's tools open it: where its domain says that it lies, with the key that libvirt keeps.
import { type Connection, LibvirtError, SecretUsageType } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { child, childrenOf, type XmlElement } from '../../xml/document';
import { DiskSnapshotError, type DiskSnapshotErrorDetails } from '../errors';
import type { QemuImage } from './qemu-image';

/**
 * The node that a `<source protocol='rbd'>` stands for. A cluster is found by the addresses of its monitors from anywhere, by
 * a configuration file only on the host that has it.
 *
 * @throws DiskSnapshotError METHOD_UNSUPPORTED, PERMISSION_DENIED where libvirt keeps the key to itself
 */
export async function rbdImage(
  conn: Connection,
  source: XmlElement,
  { isLocal, where, ...call }: CallOptions & { isLocal: boolean; where: DiskSnapshotErrorDetails },
): Promise<Pick<QemuImage, 'file' | 'secret'>> {
  const name = source.attributes.name ?? '';
  const slash = name.indexOf('/');
  const hosts = childrenOf(source, 'host').map(({ attributes }) => attributes);
  const configuration = child(source, 'config')?.attributes.file;
  if (!isLocal && (hosts.length === 0 || configuration !== undefined)) {
    throw new DiskSnapshotError(
      'METHOD_UNSUPPORTED',
      `only its own host knows the cluster of ${name}: name the monitors as <host> in its <source>, or use rbd export there`,
      where,
    );
  }
  const auth = child(source, 'auth');
  const snapshot = child(source, 'snapshot')?.attributes.name;
  const file = {
    driver: 'rbd',
    pool: name.slice(0, slash),
    image: name.slice(slash + 1),
    ...(snapshot !== undefined && { snapshot }),
    ...(configuration !== undefined && { conf: configuration }),
    ...(hosts.length > 0 && {
      server: hosts.map((host) => ({ host: host.name ?? '', port: host.port ?? DEFAULT_PORT })),
    }),
    ...(auth && { user: auth.attributes.username ?? '', 'auth-client-required': ['cephx', 'none'] }),
  };
  return { file, secret: auth ? await keyOf(conn, auth, { name, where }, call) : null };
}

/** As libvirt assumes it. */
const DEFAULT_PORT = '6789';

async function keyOf(
  conn: Connection,
  auth: XmlElement,
  { name, where }: { name: string; where: DiskSnapshotErrorDetails },
  call: CallOptions,
): Promise<Uint8Array> {
  const { uuid, usage = '' } = child(auth, 'secret')?.attributes ?? {};
  try {
    const secret = await (uuid === undefined
      ? conn.secretLookupByUsage(SecretUsageType.CEPH, usage, call)
      : conn.secretLookupByUUIDString(uuid, call));
    return await secret.getValue(call);
  } catch (cause) {
    if (!(cause instanceof LibvirtError)) throw cause;
    throw new DiskSnapshotError(
      'PERMISSION_DENIED',
      `libvirt does not give the key of ${name}, secret ${uuid ?? usage}: ${cause.message}. Define it with private='no', or use rbd export`,
      { ...where, cause },
    );
  }
}
