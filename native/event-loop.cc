// libvirt takes a connection's socket out of the loop while a call waits for its answer, and puts it back
// afterwards. Its own loop is woken for that, and for each timer that is put off: several switches of threads
// for each call, more than the call itself costs. With epoll a change needs no waking.
#include "event-loop.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <mutex>
#include <vector>

#include "condition.h"
#include "thread.h"

namespace virt {

namespace {

using Clock = std::chrono::steady_clock;

uint32_t toEpoll(int events) {
  return (events & VIR_EVENT_HANDLE_READABLE ? EPOLLIN : 0u) |
         (events & VIR_EVENT_HANDLE_WRITABLE ? EPOLLOUT : 0u);
}

int fromEpoll(uint32_t events) {
  return (events & EPOLLIN ? VIR_EVENT_HANDLE_READABLE : 0) |
         (events & EPOLLOUT ? VIR_EVENT_HANDLE_WRITABLE : 0) |
         (events & EPOLLERR ? VIR_EVENT_HANDLE_ERROR : 0) | (events & EPOLLHUP ? VIR_EVENT_HANDLE_HANGUP : 0);
}

// What libvirt gave along with a callback, and how it is freed: on the loop's thread, outside its callbacks.
struct Data {
  void* opaque;
  virFreeCallback free;
};

struct Handle {
  int fd;
  int polled;  // fd, or a duplicate where it is in the set already
  int events;
  virEventHandleCallback callback;
  Data data;
};

struct Timeout {
  int milliseconds;  // < 0: switched off
  Clock::time_point due;
  virEventTimeoutCallback callback;
  Data data;
};

class EventLoop {
 public:
  EventLoop() { watch(EPOLL_CTL_ADD, wakeUp_, EPOLLIN, 0); }

  int addHandle(int fd, int events, virEventHandleCallback callback, Data data) {
    std::lock_guard lock(mutex_);
    Handle handle{fd, fd, 0, callback, data};
    const int id = ++last_;
    if (!arm(id, handle, events)) return -1;
    handles_.emplace(id, handle);
    return id;
  }

  void updateHandle(int id, int events) {
    std::lock_guard lock(mutex_);
    if (const auto found = handles_.find(id); found != handles_.end()) arm(id, found->second, events);
  }

  int removeHandle(int id) {
    std::lock_guard lock(mutex_);
    const auto found = handles_.find(id);
    if (found == handles_.end()) return -1;
    arm(id, found->second, 0);
    leave(found->second.data);
    handles_.erase(found);
    return 0;
  }

  int addTimeout(int milliseconds, virEventTimeoutCallback callback, Data data) {
    std::lock_guard lock(mutex_);
    const int id = ++last_;
    set(timeouts_.emplace(id, Timeout{-1, {}, callback, data}).first->second, milliseconds);
    return id;
  }

  void updateTimeout(int id, int milliseconds) {
    std::lock_guard lock(mutex_);
    if (const auto found = timeouts_.find(id); found != timeouts_.end()) set(found->second, milliseconds);
  }

  int removeTimeout(int id) {
    std::lock_guard lock(mutex_);
    const auto found = timeouts_.find(id);
    if (found == timeouts_.end()) return -1;
    leave(found->second.data);
    timeouts_.erase(found);
    return 0;
  }

  void run() {
    for (;;) {
      std::array<epoll_event, 64> ready;
      const int count = epoll_wait(epoll_, ready.data(), ready.size(), untilNext());
      for (int i = 0; i < count; ++i) dispatch(static_cast<int>(ready[i].data.u64), ready[i].events);
      expire();
      freeLeft();
      std::lock_guard lock(mutex_);
      ++turns_;
      turned_.notify_all();
    }
  }

  void awaitTurn(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    wake();
    turned_.wait_for(lock, limit, [this, now = turns_] { return turns_ > now; });
  }

 private:
  bool watch(int operation, int fd, uint32_t events, int id) {
    epoll_event event{.events = events, .data = {.u64 = static_cast<uint64_t>(id)}};
    return epoll_ctl(epoll_, operation, fd, &event) == 0;
  }

  // A handle without events is out of the set: a broken connection would be reported again and again.
  bool arm(int id, Handle& handle, int events) {
    const bool wasIn = toEpoll(handle.events) != 0;
    const bool isIn = toEpoll(events) != 0;
    handle.events = events;
    if (wasIn && !isIn) {
      watch(EPOLL_CTL_DEL, handle.polled, 0, id);
      if (handle.polled != handle.fd) ::close(handle.polled);
      handle.polled = handle.fd;
      return true;
    }
    if (!isIn) return true;
    if (watch(wasIn ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, handle.polled, toEpoll(events), id)) return true;
    if (errno != EEXIST) return false;
    handle.polled = fcntl(handle.fd, F_DUPFD_CLOEXEC, 0);
    return handle.polled >= 0 && watch(EPOLL_CTL_ADD, handle.polled, toEpoll(events), id);
  }

  void set(Timeout& timeout, int milliseconds) {
    timeout.milliseconds = milliseconds;
    if (milliseconds < 0) return;
    timeout.due = Clock::now() + std::chrono::milliseconds(milliseconds);
    if (timeout.due < sleepsUntil_) wake();
  }

  void leave(const Data& data) {
    left_.push_back(data);
    wake();
  }

  void wake() { eventfd_write(wakeUp_, 1); }

  // Milliseconds until the next timeout; -1: none.
  int untilNext() {
    std::lock_guard lock(mutex_);
    sleepsUntil_ = Clock::time_point::max();
    for (const auto& [id, timeout] : timeouts_)
      if (timeout.milliseconds >= 0) sleepsUntil_ = std::min(sleepsUntil_, timeout.due);
    if (sleepsUntil_ == Clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(sleepsUntil_ - Clock::now()).count();
    return static_cast<int>(std::max<decltype(left)>(left, 0));
  }

  void dispatch(int id, uint32_t events) {
    std::unique_lock lock(mutex_);
    if (id == 0) {
      eventfd_t ignored;
      eventfd_read(wakeUp_, &ignored);
      return;
    }
    const auto found = handles_.find(id);
    if (found == handles_.end() || !toEpoll(found->second.events)) return;
    const Handle handle = found->second;
    lock.unlock();
    handle.callback(id, handle.fd, fromEpoll(events), handle.data.opaque);
  }

  void expire() {
    std::unique_lock lock(mutex_);
    const auto now = Clock::now();
    std::vector<int> due;
    for (const auto& [id, timeout] : timeouts_)
      if (timeout.milliseconds >= 0 && timeout.due <= now) due.push_back(id);
    for (const int id : due) {
      const auto found = timeouts_.find(id);
      if (found == timeouts_.end() || found->second.milliseconds < 0 || found->second.due > now) continue;
      found->second.due = now + std::chrono::milliseconds(found->second.milliseconds);
      const Timeout timeout = found->second;
      lock.unlock();
      timeout.callback(id, timeout.data.opaque);
      lock.lock();
    }
  }

  void freeLeft() {
    std::vector<Data> left;
    {
      std::lock_guard lock(mutex_);
      left.swap(left_);
    }
    for (const auto& data : left)
      if (data.free) data.free(data.opaque);
  }

  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  const int wakeUp_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::mutex mutex_;
  int last_ = 0;
  std::map<int, Handle> handles_;
  std::map<int, Timeout> timeouts_;
  std::vector<Data> left_;
  uint64_t turns_ = 0;
  std::condition_variable turned_;
  Clock::time_point sleepsUntil_ = Clock::time_point::max();
};

// Never destroyed: its thread outlives main().
EventLoop& loop() {
  static auto* const instance = new EventLoop;
  return *instance;
}

}  // namespace

void startEventLoop(decltype(virEventRegisterImpl)* enroll) {
  enroll(
      [](int fd, int events, virEventHandleCallback callback, void* opaque, virFreeCallback free) {
        return loop().addHandle(fd, events, callback, {opaque, free});
      },
      [](int id, int events) { loop().updateHandle(id, events); },
      [](int id) { return loop().removeHandle(id); },
      [](int milliseconds, virEventTimeoutCallback callback, void* opaque, virFreeCallback free) {
        return loop().addTimeout(milliseconds, callback, {opaque, free});
      },
      [](int id, int milliseconds) { loop().updateTimeout(id, milliseconds); },
      [](int id) { return loop().removeTimeout(id); });
  startThread("virt-events", [] { loop().run(); });
}

void awaitEventLoop(std::chrono::milliseconds limit) { loop().awaitTurn(limit); }

}  // namespace virt
