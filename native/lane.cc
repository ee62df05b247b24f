#include "lane.h"

#include <chrono>

#include "thread.h"

namespace virt {

namespace {
thread_local bool isRetired = false;
}

void Lane::retire() { isRetired = true; }

void Lane::letGo() {
  std::lock_guard lock(mutex_);
  isFreed_ = true;
  freed_.notify_all();
  wake_.notify_all();
}

bool Lane::post(Task task) {
  std::unique_lock lock(mutex_);
  tasks_.push_back(std::move(task));
  if (idle_ >= tasks_.size() || threads_ == width_) {
    lock.unlock();
    wake_.notify_one();
    return true;
  }
  ++threads_;
  if (startThread("virt-lane", [self = shared_from_this()] { self->work(); })) return true;
  if (--threads_ > 0) return true;
  tasks_.pop_back();
  return false;
}

void Lane::work() {
  mayBlock = true;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (tasks_.empty()) {
      ++idle_;
      wake_.wait_for(lock, std::chrono::seconds(5), [this] { return !tasks_.empty() || isFreed_; });
      --idle_;
      if (tasks_.empty()) break;
    }
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // what it held is released outside the lock, and here, where libvirt may be called
    lock.lock();
    if (isRetired) break;
  }
  --threads_;
  if (!isRetired) return;
  // Others do what is left.
  if (!tasks_.empty() && threads_ == idle_) {
    ++threads_;
    if (!startThread("virt-lane", [self = shared_from_this()] { self->work(); })) --threads_;
  }
  freed_.wait(lock, [this] { return isFreed_; });
}

}  // namespace virt
