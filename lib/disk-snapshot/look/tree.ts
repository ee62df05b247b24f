// Guest, disks, the chain of each and the snapshots on it: what is there now, for whoever draws or lists it.
import type { Domain } from '../../libvirt';
import type { CallOptions } from '../../libvirt/options';
import { parseXml } from '../../xml/document';
import type { DomainDisk } from '../../xml/domain';
import { policyOf } from '../element/policy-metadata';
import { DiskSnapshotError } from '../errors';
import { facade } from '../facade';
import { type Guest, lookAtGuest } from '../guest';
import type { ChainLayer } from '../images/backing-chain';
import { diskChain } from '../images/disk-chain';
import { ImageFiles } from '../images/image-files';
import { listDiskSnapshots } from '../list';
import type { DiskSnapshot, DiskTree, Layer, Method } from '../types';

/**
 * The guest's disks in the order of its XML, each with its layers, the one that the guest writes to first, and its
 * snapshots, oldest first. Asked of QEMU where the guest runs, of the images' headers where it is off.
 *
 * In a layer, `snapshots` are those whose immutable state it is; `fileSize` are the bytes that it takes on its storage,
 * null where they are not known; `virtualSize` is 0 where nobody can tell. `source` is the path, or `protocol:name` on a
 * network and `pool/volume` in a pool. `policy` is null also where the domain's own element cannot be read: `diagnose`
 * then says why.
 *
 * @throws DiskSnapshotError NOT_FOUND where the domain is gone; CONNECTION_LOST
 * @example
 * for (const { disk, layers } of (await diskTree(dom)).disks) console.log(disk, layers.map((layer) => layer.source));
 */
export function diskTree(dom: Domain, options: CallOptions = {}): Promise<DiskTree> {
  return facade(dom, options, 'diskTree', async ({ signal }) => {
    const call = signal ? { signal } : {};
    const guest = await lookAtGuest(dom, call);
    const snapshots = (await listDiskSnapshots(dom, call)).flatMap((set) => set.disks);
    const files = new ImageFiles(dom.connection, call);
    try {
      const disks: DiskTree['disks'][number][] = [];
      for (const disk of guest.document.disks) {
        const own = snapshots.filter((snapshot) => snapshot.disk === disk.target);
        disks.push({
          disk: disk.target,
          policy: readablePolicy(guest, disk.target),
          layers: await layersOf(guest, disk, own, files, call),
          snapshots: own.map(({ name, method, state }) => ({ name, method, state })),
        });
      }
      return { guest: guest.name, uri: await dom.connection.getURI(call), disks };
    } finally {
      await files.close();
    }
  });
}

function readablePolicy(guest: Guest, target: string): Method | null {
  try {
    return policyOf(guest.document, target);
  } catch (error) {
    if (error instanceof DiskSnapshotError) return null;
    throw error;
  }
}

async function layersOf(
  guest: Guest,
  disk: DomainDisk,
  snapshots: readonly DiskSnapshot[],
  files: ImageFiles,
  call: CallOptions,
): Promise<Layer[]> {
  if (disk.source === null) return [];
  const chain = await diskChain(guest, disk.target, call);
  const layers: Layer[] = [];
  for (const [at, found] of chain.entries()) {
    const file = found.path === null ? null : await files.look(found.path, found.format);
    const info = file?.kind === 'image' ? file.info : null;
    layers.push({
      source: found.path ?? nameOf(disk, at),
      format: found.format,
      virtualSize: found.virtualSize ?? info?.virtualSize ?? 0,
      // A device takes its whole size, whatever qemu-img says of it.
      fileSize: info === null || found.path?.startsWith('/dev/') ? null : info.actualSize,
      active: at === 0,
      missing: found.missing || file?.kind === 'absent',
      snapshots: snapshots.filter((snapshot) => liesOn(snapshot, found)).map(({ name }) => name),
    });
  }
  return layers;
}

function liesOn({ state, backupSource, internalSnapshot }: DiskSnapshot, layer: ChainLayer): boolean {
  if (state === 'missing') return false;
  if (internalSnapshot !== null) return layer.internalSnapshots?.includes(internalSnapshot) ?? false;
  if (backupSource === null || layer.path === null) return false;
  const { file, dev } = parseXml(backupSource).attributes;
  return (file ?? dev) === layer.path;
}

/** Of what has no path: as the XML tells it. */
function nameOf(disk: DomainDisk, at: number): string {
  const image = [disk, ...disk.backingChain][at];
  if (image?.network) return `${image.network.protocol}:${image.network.name ?? ''}`;
  return image?.volume ? `${image.volume.pool}/${image.volume.name}` : '';
}
