// Starting threads that leave Node's signals alone.
#pragma once
#include <functional>

namespace virt {

// True on our own threads: only there may libvirt be called and its objects be released.
inline thread_local bool onOwnThread = false;

// A detached thread; all signals stay with Node's main thread. False: the system refused.
bool startThread(const char* name, std::function<void()> body);

}  // namespace virt
