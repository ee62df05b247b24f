// QEMU as the private drivers of tests run it: as ourselves, without what needs systemd, cgroups or a logging daemon.

// The user: libvirt probes QEMU as root and then checks that its user may use /dev/kvm; where the two answers differ it probes
// anew for every device, which takes a minute and more.
export const QEMU_CONF = `user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
`;
