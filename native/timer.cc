#include "timer.h"

#include <mutex>
#include <vector>

#include "condition.h"
#include "thread.h"

namespace virt {

namespace {

struct Timer {
  std::mutex mutex;
  std::condition_variable wake;
  std::map<std::pair<Deadline::Moment, uint64_t>, std::weak_ptr<Expiring>> entries;
  uint64_t serial = 0;
  bool running = false;

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      if (entries.empty()) {
        wake.wait(lock);
        continue;
      }
      const auto next = entries.begin()->first.first;
      if (std::chrono::steady_clock::now() < next) {
        wake.wait_until(lock, next);
        continue;
      }
      auto due = entries.extract(entries.begin());
      lock.unlock();
      if (auto what = due.mapped().lock()) what->expire();
      lock.lock();
    }
  }
};

// Never destroyed: its thread outlives main().
Timer& timer() {
  static auto* const instance = new Timer;
  return *instance;
}

}  // namespace

void Deadline::set(std::chrono::milliseconds after, std::weak_ptr<Expiring> what) {
  auto& t = timer();
  std::lock_guard lock(t.mutex);
  key_ = {std::chrono::steady_clock::now() + after, ++t.serial};
  const auto entry = t.entries.emplace(key_, std::move(what)).first;
  if (!t.running) t.running = startThread("virt-timer", [&t] { t.run(); });
  if (entry == t.entries.begin()) t.wake.notify_one();
}

void Deadline::cancel() {
  if (key_.second == 0) return;
  auto& t = timer();
  std::lock_guard lock(t.mutex);
  t.entries.erase(key_);
  key_.second = 0;
}

}  // namespace virt
