// Where blocking calls run: a few threads private to one connection, so that a hung host starves nobody else.
#pragma once
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "condition.h"

namespace virt {

using Task = std::function<void()>;

// Tasks start in order; only a prompt one passes those that have to wait for others that hang. Threads are
// started when there is work for them and end when there has been none for a while. At most one looks for
// work at a time, and calls the next when it has found more than it can do: whoever posts wakes at most one,
// and none where one is just awake. To wake a thread costs more than most calls in process.
class Lane : public std::enable_shared_from_this<Lane> {
 public:
  // libvirtd serves five requests of a client at once, counts keepalives among them, and closes a client that
  // fills all five for half a minute: three here and one urgent leave room. What it answers from its own
  // memory may go beside three that hang, one at a time; and many at once while nothing else is under way and
  // each is answered quickly, since the more libvirtd gets at once the less each costs.
  static constexpr size_t kWidth = 3, kSpare = 4;

  explicit Lane(size_t width, size_t spare = 0) : width_(width), spare_(spare) {}
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // Until 10.3 libvirt leaves, when a connection dies while several calls wait, a note to itself in the stack
  // frame of a call that has failed (CVE-2024-4418): the host's next packet, minutes later, writes through
  // it. So a thread whose call failed on a dead connection takes no more work: it sleeps, its dead frames
  // untouched (see farBelow), until the connection has been freed for good. On the thread of the task.
  static void retire();
  static constexpr unsigned long kMended = 10'003'000;  // as libraryVersion()
  // The connection has been freed: threads that retired may end.
  void letGo();

  // From any thread. False: no thread could be started, and the task will not run.
  // `isPrompt`: what it asks needs no guest, and may take a spare place.
  bool post(Task task, bool isPrompt = false);

 private:
  struct Entry {
    Task task;
    size_t number;
  };
  using Queue = std::deque<Entry>;

  void work();
  // With the lock held: where the task waits that may start now; null: none may.
  Queue* next();
  size_t widthForPrompt() const;
  bool hasWork() { return next() != nullptr; }
  bool summon();
  void lookOut(std::unique_lock<std::mutex>& lock);

  const size_t width_, spare_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Queue tasks_, prompts_;
  size_t posted_ = 0;
  size_t threads_ = 0, idle_ = 0, ordinary_ = 0;
  using Clock = std::chrono::steady_clock;
  std::multiset<Clock::time_point> running_;  // since when
  bool isQuick_ = false;                      // the prompt task that ended last
  bool isSearching_ = false;           // a thread is awake, or being woken, that will look at the tasks
  std::atomic<bool> hasNews_ = false;  // for the one that is awake
  std::condition_variable freed_;
  bool isFreed_ = false;
};

}  // namespace virt
