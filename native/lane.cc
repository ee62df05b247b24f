#include "lane.h"

#include <algorithm>
#include <thread>

#include "thread.h"

namespace virt {

namespace {
thread_local bool isRetired = false;
constexpr std::chrono::microseconds kLookOut(50);
constexpr std::chrono::milliseconds kQuick(100);
}  // namespace

void Lane::retire() { isRetired = true; }

void Lane::letGo() {
  std::lock_guard lock(mutex_);
  isFreed_ = true;
  freed_.notify_all();
  wake_.notify_all();
}

bool Lane::post(Task task, bool isPrompt) {
  std::lock_guard lock(mutex_);
  auto& queue = isPrompt ? prompts_ : tasks_;
  queue.push_back({std::move(task), ++posted_});
  hasNews_ = true;
  if (!hasWork() || summon() || threads_ > 0) return true;
  queue.pop_back();
  return false;
}

Lane::Queue* Lane::next() {
  const bool task = !tasks_.empty() && running_.size() < width_;
  const bool prompt = !prompts_.empty() && running_.size() < widthForPrompt();
  if (task && prompt) return tasks_.front().number < prompts_.front().number ? &tasks_ : &prompts_;
  return task ? &tasks_ : prompt ? &prompts_ : nullptr;
}

size_t Lane::widthForPrompt() const {
  const bool isFlowing =
      isQuick_ && ordinary_ == 0 && (running_.empty() || Clock::now() - *running_.begin() < kQuick);
  return width_ + (isFlowing ? spare_ : std::min<size_t>(spare_, 1));
}

bool Lane::summon() {
  if (isSearching_) return true;
  if (idle_ > 0) {
    wake_.notify_one();
    return isSearching_ = true;
  }
  if (threads_ == width_ + spare_) return false;
  isSearching_ = startThread("virt-lane", [self = shared_from_this()] { self->work(); });
  if (isSearching_) ++threads_;
  return isSearching_;
}

// Calls come in bursts, and one after the other: the next is often posted before a thread would be asleep.
void Lane::lookOut(std::unique_lock<std::mutex>& lock) {
  if (isSearching_) return;
  isSearching_ = true;
  hasNews_ = false;
  lock.unlock();
  const auto end = Clock::now() + kLookOut;
  while (!hasNews_ && Clock::now() < end) std::this_thread::yield();
  lock.lock();
  isSearching_ = false;
}

void Lane::work() {
  mayBlock = true;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!hasWork()) lookOut(lock);
    if (!hasWork()) {
      ++idle_;
      wake_.wait_for(lock, std::chrono::seconds(5), [this] {
        if (hasWork() || isFreed_) return true;
        // Woken for a task that may not start any more: whoever posts the next one wakes somebody again.
        isSearching_ = false;
        return false;
      });
      --idle_;
      if (!hasWork()) break;
    }
    Queue& queue = *next();
    const bool isPrompt = &queue == &prompts_;
    Task task = std::move(queue.front().task);
    queue.pop_front();
    const auto start = running_.insert(Clock::now());
    if (!isPrompt) ++ordinary_;
    isSearching_ = false;
    if (hasWork()) summon();
    lock.unlock();
    task();
    task = nullptr;  // what it held is released outside the lock, and here, where libvirt may be called
    lock.lock();
    if (isPrompt)
      isQuick_ = Clock::now() - *start < kQuick;
    else
      --ordinary_;
    running_.erase(start);
    if (isRetired) break;
  }
  --threads_;
  if (!isRetired) return;
  isSearching_ = false;
  if (hasWork()) summon();  // others do what is left
  freed_.wait(lock, [this] { return isFreed_; });
}

}  // namespace virt
