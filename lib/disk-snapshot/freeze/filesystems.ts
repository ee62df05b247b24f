// Which of the guest's file systems lie on which disks, and what must be named to freeze those on some of them.
import type { DomainDocument, PciAddress } from '../../xml/domain';
import type { FrozenFilesystem } from '../types';
import type { AgentDisk, AgentFilesystem } from './agent';

/** One mount in the guest, with its disks as the host names them. */
export interface GuestMount {
  /** The block device in the guest: the same for all mounts of one file system. */
  device: string;
  mountpoint: string;
  fsType: string;
  /** Targets. */
  disks: string[];
  /** All its disks are known. False: it may lie on any of them (a loop device, a disk passed through). */
  placed: boolean;
}

// ---- from the guest's addresses to the host's disks ----------------------------------------------------------------

/** Buses of disks with a drive address: their controllers are of the type of the same name. */
const DRIVE_BUSES: ReadonlySet<string> = new Set(['scsi', 'sata', 'ide']);

const isSamePci = (a: PciAddress, b: PciAddress) =>
  a.domain === b.domain && a.bus === b.bus && a.slot === b.slot && a.function === b.function;

function targetOf({ disks, controllers }: DomainDocument, found: AgentDisk): string | undefined {
  const at = controllers.filter(({ address }) => address !== null && isSamePci(address, found.pci));
  return disks.find(({ address, bus }) => {
    if (address?.type === 'pci') return isSamePci(address, found.pci);
    if (address?.type !== 'drive') return false;
    return (
      bus !== null &&
      DRIVE_BUSES.has(bus) &&
      at.some(({ type, index }) => type === bus && index === address.controller) &&
      address.bus === found.bus &&
      address.target === found.target &&
      address.unit === found.unit
    );
  })?.target;
}

/**
 * The agent's list with the host's names for the disks, by PCI address, or by the controller's and bus, target and unit
 * on it, as virDomainGetFSInfo finds them.
 */
export function locateMounts(filesystems: readonly AgentFilesystem[], document: DomainDocument): GuestMount[] {
  return filesystems.map(({ name, mountpoint, type, disks }) => {
    const targets = disks.map((disk) => targetOf(document, disk));
    const known = targets.filter((target) => target !== undefined);
    return {
      device: name,
      mountpoint,
      fsType: type,
      disks: [...new Set(known)],
      placed: targets.length > 0 && known.length === targets.length,
    };
  });
}

// ---- what to freeze -------------------------------------------------------------------------------------------------

/**
 * Kinds that no system can freeze. Those that hold no writes need not be frozen and are left out; the others can change
 * while all else is frozen. Upper case: as Windows names them.
 */
const UNFREEZABLE: ReadonlyMap<string, 'read-only' | 'writable'> = new Map([
  ...(['iso9660', 'squashfs', 'erofs', 'cramfs', 'romfs', 'CDFS'] as const).map((kind) => [kind, 'read-only'] as const),
  ...(['vfat', 'msdos', 'exfat', 'ntfs', 'ntfs3', 'fuseblk', 'udf', 'hfs', 'hfsplus', 'minix'] as const).map(
    (kind) => [kind, 'writable'] as const,
  ),
  ...(['FAT', 'FAT32', 'exFAT', 'UDF'] as const).map((kind) => [kind, 'writable'] as const),
]);

/** What freezing some disks means. */
export interface Selection {
  /** To freeze: one mount of each file system, in the order of mounting. As many as the agent must count. */
  filesystems: FrozenFilesystem[];
  /** On those disks, writable, and of a kind that cannot be frozen (an EFI partition's FAT): they stay as they are. */
  unfreezable: FrozenFilesystem[];
  /** On those disks, and out of the agent's reach: other mounts cover all of theirs. */
  covered: FrozenFilesystem[];
}

/**
 * What must be frozen for a cut of these disks.
 *
 * @param mounts as the agent lists them: what was mounted last comes first.
 */
export function selectFilesystems(mounts: readonly GuestMount[], targets: readonly string[] | 'all'): Selection {
  const selection: Selection = { filesystems: [], unfreezable: [], covered: [] };
  const covered = coveredMounts(mounts);
  const isWanted = ({ placed, disks }: GuestMount) =>
    targets === 'all' || !placed || disks.some((disk) => targets.includes(disk));
  for (const [first, ...others] of byDevice(mounts.filter(isWanted))) {
    const kind = UNFREEZABLE.get(first.fsType);
    if (kind === 'read-only') continue;
    const visible = [first, ...others].find((mount) => !covered.has(mount));
    const { mountpoint, fsType, disks } = visible ?? first;
    const into = kind === 'writable' ? 'unfreezable' : visible ? 'filesystems' : 'covered';
    selection[into].push({ mountpoint, fsType, disks });
  }
  return selection;
}

/** The mounts of each file system, oldest first. */
function byDevice(mounts: readonly GuestMount[]): Iterable<[GuestMount, ...GuestMount[]]> {
  const devices = new Map<string, [GuestMount, ...GuestMount[]]>();
  for (const mount of mounts.toReversed()) {
    const known = devices.get(mount.device);
    if (known) known.push(mount);
    else devices.set(mount.device, [mount]);
  }
  return devices.values();
}

/** A folder on the way to mountpoints. */
interface Folder {
  isMountpoint: boolean;
  inside: Map<string, Folder>;
}

/**
 * The mounts whose path leads elsewhere, since something was mounted later on it or above it. The root covers nobody: it
 * is listed late where an initramfs has moved it. What is overlooked here shows when the agent counts too few.
 */
function coveredMounts(mounts: readonly GuestMount[]): ReadonlySet<GuestMount> {
  const covered = new Set<GuestMount>();
  const root: Folder = { isMountpoint: false, inside: new Map() };
  for (const mount of mounts) {
    let folder = root;
    // A tree of names, not a comparison of all with all: the list is as long as the guest likes.
    for (const name of mount.mountpoint.split('/').filter((part) => part !== '')) {
      const next = folder.inside.get(name) ?? { isMountpoint: false, inside: new Map() };
      folder.inside.set(name, next);
      folder = next;
      if (folder.isMountpoint) covered.add(mount);
    }
    folder.isMountpoint = true;
  }
  return covered;
}
