// What runs inside the test guest: its boot script, the start of its agent, and its two writers. Plain text for busybox.

/** The kernel's modules, in the order in which they have to be inserted. */
export const GUEST_MODULES = [
  'virtio_ring',
  'virtio',
  'virtio_pci_modern_dev',
  'virtio_pci_legacy_dev',
  'virtio_pci',
  'virtio_blk',
  'virtio_console',
  'loop',
] as const;

/** Runs on each freeze and thaw (argument: freeze or thaw). Tests overwrite it to make the agent slow, failing or dead. */
export const FREEZE_HOOK = '/etc/qemu/fsfreeze-hook';

/** Said on the console when all is up. */
export const BOOTED = 'the guest is up';

const BOOT = `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in ${GUEST_MODULES.join(' ')}; do insmod /lib/modules/$module.ko; done
# A disk without ext4 stays unmounted: the test that attached it knows what to do with it.
for device in /dev/vd?; do
  [ -b "$device" ] || continue
  mkdir -p "/mnt/\${device#/dev/vd}"
  mount -t ext4 "$device" "/mnt/\${device#/dev/vd}" 2>/dev/null
done
mkfifo /run/never
start-agent
echo ${BOOTED} >/dev/console
exec /sbin/init
`;

// The first process: reaps what others leave, and keeps nothing else alive.
const INITTAB = `::ctrlaltdel:/sbin/shutdown
`;

const SHUTDOWN = `#!/bin/sh
sync
umount -a -t ext4
poweroff -f
`;

const START_AGENT = `#!/bin/sh
for name in /sys/class/virtio-ports/*/name; do
  [ "$(cat "$name" 2>/dev/null)" = org.qemu.guest_agent.0 ] || continue
  port=\${name%/name}
  qemu-ga --daemonize --method=virtio-serial --path="/dev/\${port##*/}" --fsfreeze-hook=${FREEZE_HOOK} \\
    --pidfile=/run/qemu-ga.pid --statedir=/run --logfile=/run/qemu-ga.log
done
`;

const HOOK = `#!/bin/sh
exit 0
`;

// The kernel's own nanoseconds; /proc/uptime knows hundredths only. A pipe that nobody writes to is a pause without a fork.
const TICK_WRITER = `#!/bin/sh
# tick-writer SECONDS DIRECTORY...: every SECONDS, appends "COUNTER NANOSECONDS" to the file ticks in each directory.
exec 9<>/run/never
period=$1
shift
count=0
while :; do
  { read -r _; read -r _; read -r _ _ now _; } </proc/timer_list
  count=$((count + 1))
  for directory; do echo "$count $now" >>"$directory/ticks"; done
  read -r -t "$period" _ <&9
done
`;

// Overwrites in place and never truncates: at any instant the file holds a whole number.
const INSTANT_WRITER = `#!/bin/sh
# instant-writer DIRECTORY...: writes 1 to the file instant in each directory in turn, each synced before the next; then 2…
count=0
while :; do
  count=$((count + 1))
  for directory; do
    printf '%015d\\n' "$count" 1<>"$directory/instant"
    sync "$directory/instant"
  done
done
`;

/** Executable files of the guest, by path. */
export const GUEST_SCRIPTS: Readonly<Record<string, string>> = {
  '/init': BOOT,
  '/etc/inittab': INITTAB,
  '/sbin/shutdown': SHUTDOWN,
  '/bin/start-agent': START_AGENT,
  '/bin/tick-writer': TICK_WRITER,
  '/bin/instant-writer': INSTANT_WRITER,
  [FREEZE_HOOK]: HOOK,
};
