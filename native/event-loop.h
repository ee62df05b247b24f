// The event loop that libvirt's connections, keepalives and events hang on.
#pragma once
#include <libvirt/libvirt.h>

namespace virt {

// Registers it and starts its thread, which lives as long as the process; before the first connection is
// opened.
void startEventLoop(decltype(virEventRegisterImpl)* enroll);

}  // namespace virt
