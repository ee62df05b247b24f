#include "fork-guard.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

namespace virt {

namespace {

// In a forked child, libuv closes the two descriptors of its signal pipe by number and opens new ones.
// libvirt's child then closes all that it does not know, opens its own under the same small numbers, and
// forks again: now libuv closes those. The embedded driver's QEMU would never start ("Unable to wait for
// child process"). So a fork below a fork keeps copies, and puts every descriptor back after libuv's handler
// has run.
constexpr int kFirst = 3;
constexpr int kCount = 253;  // libuv's numbers are small: they are given at the start of the process

struct Kept {
  int copy;
  bool closeOnExec;
};

pid_t process;
bool nested;
Kept kept[kCount];

void keepCopies() {
  nested = getpid() != process;
  if (!nested) return;
  for (int i = 0; i < kCount; ++i) {
    const int flags = fcntl(kFirst + i, F_GETFD);
    kept[i] = {flags < 0 ? -1 : fcntl(kFirst + i, F_DUPFD_CLOEXEC, kFirst + kCount),
               (flags & FD_CLOEXEC) != 0};
  }
}

void dropCopies() {
  if (!nested) return;
  for (const Kept& each : kept)
    if (each.copy >= 0) close(each.copy);
}

void putBack() {
  if (!nested) return;
  for (int i = 0; i < kCount; ++i) {
    if (kept[i].copy < 0) continue;
    dup3(kept[i].copy, kFirst + i, kept[i].closeOnExec ? O_CLOEXEC : 0);
    close(kept[i].copy);
  }
}

}  // namespace

void guardForks() {
  process = getpid();
  for (Kept& each : kept) each.copy = -1;
  // Children run their handlers in the order of registration: ours after libuv's.
  pthread_atfork(keepCopies, dropCopies, putBack);
}

}  // namespace virt
