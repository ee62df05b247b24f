#include "close-watch.h"

#include <mutex>
#include <unordered_map>

#include "library.h"

namespace virt {

namespace {
// Those that live, by their numbers.
class Watches {
 public:
  void* enter(std::weak_ptr<CloseWatch> watch) {
    std::lock_guard lock(mutex_);
    auto* number = reinterpret_cast<void*>(++last_);
    watches_.emplace(number, std::move(watch));
    return number;
  }
  void leave(void* number) {
    std::lock_guard lock(mutex_);
    watches_.erase(number);
  }
  std::shared_ptr<CloseWatch> find(void* number) {
    std::lock_guard lock(mutex_);
    const auto found = watches_.find(number);
    return found == watches_.end() ? nullptr : found->second.lock();
  }

 private:
  std::mutex mutex_;
  std::unordered_map<void*, std::weak_ptr<CloseWatch>> watches_;
  uintptr_t last_ = 0;
};

// Outlives every thread.
Watches& watches() {
  static auto& all = *new Watches;
  return all;
}
}  // namespace

CloseWatch::~CloseWatch() { watches().leave(number_); }

void CloseWatch::start(virConnectPtr connection) {
  number_ = watches().enter(weak_from_this());
  VIR(virConnectRegisterCloseCallback)(connection, &CloseWatch::callback, number_, nullptr);
}

void CloseWatch::stop(virConnectPtr connection) {
  VIR(virConnectUnregisterCloseCallback)(connection, &CloseWatch::callback);
}

void CloseWatch::callback(virConnectPtr, int reason, void* number) {
  if (const auto watch = watches().find(number)) watch->tell(reason);
}

}  // namespace virt
