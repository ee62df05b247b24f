// libvirt forks twice to start a daemon such as QEMU; libuv was not made for the second time.
#pragma once

namespace virt {

// Call once, before libvirt's first fork and after libuv's loop exists.
void guardForks();

}  // namespace virt
