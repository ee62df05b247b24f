// QEMU as the private drivers of tests run it: as ourselves, without what needs systemd, cgroups or a logging daemon.

// The user: libvirt probes QEMU as root and then checks that its user may use /dev/kvm; where the two answers differ it probes
// anew for every device, which takes a minute and more.
// An ordinary user's driver obeys these two lines as well, and fails to give what it makes to anybody else.
export const qemuConf = (user = process.getuid?.() ?? 0, group = process.getgid?.() ?? 0): string => `user = "+${user}"
group = "+${group}"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
`;
