// What runs inside the LVM host: a small Debian that is a libvirt host of its own. Plain text for its shell and its daemons.
import { randomBytes } from 'node:crypto';
import { GUEST_MODULES } from '../../../lib/testing/guest-scripts';
import { qemuConf } from '../../../lib/testing/qemu-conf';

/** What mmdebstrap puts into its root. */
export const HOST_PACKAGES = [
  ...['libvirt-daemon', 'libvirt-daemon-driver-qemu', 'qemu-system-x86', 'qemu-utils', 'qemu-guest-agent', 'tini'],
  ...['lvm2', 'thin-provisioning-tools', 'btrfs-progs', 'e2fsprogs', 'kmod', 'mount', 'iproute2', 'procps'],
] as const;

/** The volume group, and the folder where its pool has the volumes. No other on any machine is called so. */
export const VOLUME_GROUP = `test${randomBytes(4).toString('hex')}`;
export const VOLUMES = `/dev/${VOLUME_GROUP}`;
/** Of that group. */
export const PHYSICAL_VOLUME = '/dev/vdb';
/** Here lie the kernel and the initramfs of guests inside the host. */
export const BOOT_FILES = '/guest';
/** A btrfs. */
export const BTRFS = '/btrfs';
/** The port of libvirtd, seen from inside. */
export const LIBVIRTD_PORT = 16509;
/** How it is started: it goes into the background when it answers. */
export const LIBVIRTD = ['libvirtd', '--daemon', '--listen'] as const;

/** The first program, beside that of the test guest in its initramfs: goes on in the real root. */
export const SWITCH_ROOT = `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in ${GUEST_MODULES.join(' ')}; do insmod "/lib/modules/$module.ko"; done
mkdir -p /host
mount -t ext4 -o noatime,nobarrier /dev/vda /host
mount -t ext4 -o ro /dev/vdc /host${BOOT_FILES}
cp -a /host${BOOT_FILES}/root/. /host/
for folder in proc sys dev; do mount -o move "/$folder" "/host/$folder"; done
exec switch_root /host /usr/sbin/host-init
`;

const INIT = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
for folder in /run /tmp; do mount -t tmpfs tmpfs "$folder"; done
mkdir -p /dev/pts /run/lock /var/log/libvirt
mount -t devpts devpts /dev/pts
modprobe -a virtio_net dm_mod dm_snapshot dm_thin_pool btrfs
hostname lvm-host
ip link set lo up
ip address add 10.0.2.15/24 dev eth0
ip link set eth0 up
${LIBVIRTD.join(' ')}
vgcreate --quiet ${VOLUME_GROUP} ${PHYSICAL_VOLUME}
mkfs.btrfs --quiet /dev/vdd
mount -t btrfs /dev/vdd ${BTRFS}
for name in /sys/class/virtio-ports/*/name; do
  [ "$(cat "$name")" = org.qemu.guest_agent.0 ] || continue
  port=\${name%/name}
done
# The first process reaps what libvirtd's guests leave.
exec tini -- qemu-ga --method=virtio-serial --path="/dev/\${port##*/}" --statedir=/run
`;

const LIBVIRTD_CONF = `listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
`;

/** LVM keeps nothing of what tests do, and leaves no process behind. */
export const LVM_CONF = `activation {
  monitoring = 0
}
backup {
  backup = 0
  archive = 0
}
`;

/** Without udev nobody would make the nodes in /dev, nor answer who waits for them. */
export const WITHOUT_UDEV = `activation {
  udev_sync = 0
  udev_rules = 0
}
`;

/** Files that are put into the root at each boot, by path. */
export const HOST_FILES: Readonly<Record<string, string>> = {
  '/usr/sbin/host-init': INIT,
  '/etc/libvirt/libvirtd.conf': LIBVIRTD_CONF,
  '/etc/libvirt/qemu.conf': qemuConf(0, 0),
  '/etc/lvm/lvmlocal.conf': LVM_CONF + WITHOUT_UDEV,
};

/** Empty folders of the root, to mount at. */
export const HOST_FOLDERS = [BOOT_FILES, BTRFS, '/images'] as const;
