#include "library.h"

#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include <mutex>

#include "event-loop.h"
#include "fork-guard.h"

extern "C" char** environ;

namespace virt {

namespace {

struct Library {
  explicit Library(const char* soname) {
    // Never unloaded: its threads and ours may be inside it for as long as the process lives.
    handle = dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) problem = {soname, dlerror()};
  }
  void* handle;
  LibraryProblem problem;
};

bool logIsConfigured() {
  for (char** entry = environ; entry && *entry; ++entry)
    if (strncmp(*entry, "LIBVIRT_LOG_", 12) == 0 || strncmp(*entry, "LIBVIRT_DEBUG=", 14) == 0) return true;
  return false;
}

template <class Function>
Function* find(const Library& library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library.handle, name));
}

// Never destroyed: taken by exit() and never given back.
std::mutex& loading() {
  static auto* const mutex = new std::mutex;
  return *mutex;
}

// How libvirt's daemons choose where their log goes: no part of its API, and taken only from versions that
// were tried with it.
using SetOutputs = int(const char* outputs);
SetOutputs* findSetOutputs(const Library& library) {
  for (const char* version : {"LIBVIRT_PRIVATE_9.0.0", "LIBVIRT_PRIVATE_11.3.0"})
    if (void* found = dlvsym(library.handle, "virLogSetOutputs", version))
      return reinterpret_cast<SetOutputs*>(found);
  return nullptr;
}

void setUp(const Library& library) {
  guardForks();
  // The embedded driver runs in this process and would write its log to our stderr.
  const char* const nowhere = "4:file:/dev/null";
  const bool silence = !logIsConfigured();
  SetOutputs* const setOutputs = silence ? findSetOutputs(library) : nullptr;
  // libvirt reads the variable once. Other threads may just read variables, which setenv() does not wait for.
  const bool byVariable = silence && !setOutputs;
  if (byVariable) setenv("LIBVIRT_LOG_OUTPUTS", nowhere, 0);
  if (auto* initialize = find<decltype(virInitialize)>(library, "virInitialize")) initialize();
  if (byVariable) unsetenv("LIBVIRT_LOG_OUTPUTS");
  if (setOutputs) setOutputs(nowhere);

  if (auto* setErrorFunc = find<decltype(virSetErrorFunc)>(library, "virSetErrorFunc"))
    setErrorFunc(nullptr, [](void*, virErrorPtr) {});

  // Before the first open: keepalive, events and the embedded driver need the loop.
  if (auto* enroll = find<decltype(virEventRegisterImpl)>(library, "virEventRegisterImpl"))
    startEventLoop(enroll);
}

const Library& main() {
  static const Library* const library = [] {
    const auto held = holdExit();
    auto* opened = new Library("libvirt.so.0");
    if (opened->handle) setUp(*opened);
    return opened;
  }();
  return *library;
}

const Library& libraryOf(const char* name) {
  const Library& libvirt = main();
  if (!libvirt.handle || !strstr(name, "Qemu")) return libvirt;
  static const Library* const qemu = [] {
    const auto held = holdExit();
    return new Library("libvirt-qemu.so.0");
  }();
  return *qemu;
}

}  // namespace

std::unique_lock<std::mutex> holdExit() { return std::unique_lock(loading()); }

void guardExit() {
  static const int registered = atexit([] { loading().lock(); });
  (void)registered;
}

void* symbolOf(const char* name) {
  const Library& library = libraryOf(name);
  return library.handle ? dlsym(library.handle, name) : nullptr;
}

unsigned long libraryVersion() {
  static const unsigned long version = [] {
    unsigned long found = 0;
    if (auto* getVersion = find<decltype(virGetVersion)>(main(), "virGetVersion"))
      getVersion(&found, nullptr, nullptr);
    return found;
  }();
  return version;
}

const LibraryProblem& libraryProblem(const char* name) { return libraryOf(name).problem; }

}  // namespace virt
