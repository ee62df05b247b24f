// Starting threads that leave Node's signals alone.
#pragma once
#include <functional>

namespace virt {

// True where a call of libvirt may wait for a host: on lanes and on threads that close. Elsewhere releases
// are handed over: JavaScript, the timer and libvirt's event loop wait for nobody.
inline thread_local bool mayBlock = false;

// Calls libvirt with its frames far below everything else that runs on this thread. See Lane::retire.
template <class F>
[[gnu::noinline]] auto farBelow(F&& call) {
  void* gap = __builtin_alloca(64 * 1024);
  asm volatile("" : : "r"(gap) : "memory");
  auto result = call();
  asm volatile("" : : "r"(gap) : "memory");
  return result;
}

// A detached thread; all signals stay with Node's main thread. False: the system refused.
bool startThread(const char* name, std::function<void()> body);

}  // namespace virt
