// The event loop that libvirt's connections, keepalives and events hang on.
#pragma once
#include <libvirt/libvirt.h>

#include <chrono>

namespace virt {

// Registers it and starts its thread, which lives as long as the process; before the first connection is
// opened.
void startEventLoop(decltype(virEventRegisterImpl)* enroll);

// Ends the socket of a handle, unless it has left the loop: whoever waits for its other end is told that that
// has gone.
void shutDown(int handle);

// Until callbacks that run now have ended, and what was removed before is freed; at most for so long. Not on
// the loop's own thread.
void awaitEventLoop(std::chrono::milliseconds limit);

}  // namespace virt
