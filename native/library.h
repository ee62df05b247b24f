// libvirt, opened at run time: the addon is not linked to it, so one binary serves every version, and loads
// without any.
#pragma once
#include <cstdlib>
#include <mutex>
#include <string>

namespace virt {

// Opens libvirt on the first call, and sets it up: event loop, silence. Null: not installed, or it lacks this
// function.
void* symbolOf(const char* name);

// exit() takes libraries apart while other threads go on: OpenSSL, which libvirt's initialisation uses; and a
// library that is loaded just then has what it depends on set up a second time, which aborts in GObject. From
// now on exit() waits for what holds it, and what has not begun by then never begins.
void guardExit();
std::unique_lock<std::mutex> holdExit();

// Why libvirt, or its QEMU part, could not be opened; empty where it could.
struct LibraryProblem {
  std::string soname, reason;
  explicit operator bool() const { return !reason.empty(); }
};
const LibraryProblem& libraryProblem(const char* name);

// Of the libvirt that is installed: 1,000,000 * major + 1,000 * minor + release.
unsigned long libraryVersion();

// libvirt's own function of that name: VIR(virDomainFree)(domain). For those that every supported libvirt
// has.
#define VIR(function)                                                                             \
  ([]() -> decltype(&function) {                                                                  \
    static const auto found = reinterpret_cast<decltype(&function)>(::virt::symbolOf(#function)); \
    return found;                                                                                 \
  }())

// Of text that libvirt allocated for us.
struct Free {
  void operator()(char* text) const { ::free(text); }
};

}  // namespace virt
