#include "wire.h"

#include <utility>

#include "event-loop.h"

namespace virt {

namespace {
constexpr std::chrono::seconds kPatience{2};
thread_local Wire* opening = nullptr;
}  // namespace

Wire::Opening::Opening(Wire* wire) { opening = wire; }
Wire::Opening::~Opening() { opening = nullptr; }

void Wire::entered(int handle) {
  if (opening) opening->add(handle);
}

void Wire::add(int handle) {
  std::lock_guard lock(mutex_);
  handles_.push_back(handle);
  if (isCut_) shutDown(handle);
}

void Wire::cut() {
  std::lock_guard lock(mutex_);
  isCut_ = true;
  for (const int handle : handles_) shutDown(handle);
}

void Wire::takeLeave() {
  std::lock_guard lock(mutex_);
  if (!std::exchange(takesLeave_, true)) limit_.set(kPatience, weak_from_this());
}

}  // namespace virt
