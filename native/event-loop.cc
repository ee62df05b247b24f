// libvirt takes a connection's socket out of the loop while a call waits for its answer, and puts it back
// afterwards. Its own loop is woken for that, and for each timer that is put off: several switches of threads
// for each call, more than the call itself costs. Here a socket that is taken out is only noted as such, and
// one that is put back is watched again a moment later, when the next call may have taken it out already.
#include "event-loop.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <mutex>
#include <vector>

#include "condition.h"
#include "thread.h"
#include "wire.h"

namespace virt {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::nanoseconds kMoment = std::chrono::milliseconds(1);

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
  int polled;   // fd, or a duplicate where it is in the set already
  int events;   // that are wanted
  int watched;  // that the set will report, once; 0: none
  bool isIn;    // the set
  Clock::time_point changed;
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
  EventLoop() {
    control(EPOLL_CTL_ADD, wakeUp_, EPOLLIN, kWakeUpId);
    control(EPOLL_CTL_ADD, moment_, EPOLLIN, kMomentId);
  }

  int addHandle(int fd, int events, virEventHandleCallback callback, Data data) {
    std::lock_guard lock(mutex_);
    Handle handle{fd, fd, events, 0, false, {}, callback, data};
    const int id = ++last_;
    if (!watch(id, handle)) return -1;
    handles_.emplace(id, handle);
    return id;
  }

  void updateHandle(int id, int events) {
    std::lock_guard lock(mutex_);
    const auto found = handles_.find(id);
    if (found == handles_.end()) return;
    Handle& handle = found->second;
    handle.events = events;
    handle.changed = Clock::now();
    if (!toEpoll(events) || handle.watched == events) return;
    if (handle.watched)
      watch(id, handle);
    else
      watchInAMoment();
  }

  int removeHandle(int id) {
    std::lock_guard lock(mutex_);
    const auto found = handles_.find(id);
    if (found == handles_.end()) return -1;
    const Handle& handle = found->second;
    if (handle.isIn) control(EPOLL_CTL_DEL, handle.polled, 0, id);
    if (handle.polled != handle.fd) ::close(handle.polled);
    leave(handle.data);
    handles_.erase(found);
    return 0;
  }

  // libvirt takes a handle out before it closes the descriptor: under the lock it cannot be another one's.
  void shutDown(int id) {
    std::lock_guard lock(mutex_);
    if (const auto found = handles_.find(id); found != handles_.end())
      ::shutdown(found->second.fd, SHUT_RDWR);
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
      ended_ = begun_;
      turned_.notify_all();
    }
  }

  void awaitTurn(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    wake();
    turned_.wait_for(lock, limit, [this, now = begun_] { return ended_ > now; });
  }

 private:
  bool control(int operation, int fd, uint32_t events, int id) {
    epoll_event event{.events = events, .data = {.u64 = static_cast<uint64_t>(id)}};
    return epoll_ctl(epoll_, operation, fd, &event) == 0;
  }

  // Reported once: a broken connection that nobody wants to hear of would be reported again and again.
  bool watch(int id, Handle& handle) {
    const uint32_t events = toEpoll(handle.events) | EPOLLONESHOT;
    if (!toEpoll(handle.events)) return true;
    handle.watched = handle.events;
    if (handle.isIn) return control(EPOLL_CTL_MOD, handle.polled, events, id);
    handle.isIn = control(EPOLL_CTL_ADD, handle.polled, events, id);
    if (handle.isIn || errno != EEXIST) return handle.isIn;
    handle.polled = fcntl(handle.fd, F_DUPFD_CLOEXEC, 0);
    return handle.isIn = handle.polled >= 0 && control(EPOLL_CTL_ADD, handle.polled, events, id);
  }

  // Without waking the loop.
  void watchInAMoment() {
    if (isMomentSet_) return;
    isMomentSet_ = true;
    const itimerspec moment{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = kMoment.count()}};
    timerfd_settime(moment_, 0, &moment, nullptr);
  }

  // Those of connections that calls are waiting on are read by these calls.
  void watchQuiet() {
    isMomentSet_ = false;
    const auto before = Clock::now() - kMoment;
    for (auto& [id, handle] : handles_) {
      if (handle.watched || !toEpoll(handle.events)) continue;
      if (handle.changed < before)
        watch(id, handle);
      else
        watchInAMoment();
    }
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
    if (id == kWakeUpId || id == kMomentId) {
      uint64_t ignored;
      [[maybe_unused]] const auto size =
          ::read(id == kWakeUpId ? wakeUp_ : moment_, &ignored, sizeof ignored);
      if (id == kMomentId) watchQuiet();
      return;
    }
    auto found = handles_.find(id);
    if (found == handles_.end()) return;
    found->second.watched = 0;
    const Handle handle = found->second;
    if (!toEpoll(handle.events)) return;
    if (events & (toEpoll(handle.events) | EPOLLERR | EPOLLHUP)) {
      lock.unlock();
      handle.callback(id, handle.fd, fromEpoll(events), handle.data.opaque);
      lock.lock();
      found = handles_.find(id);
    }
    if (found != handles_.end() && !found->second.watched) watch(id, found->second);
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
      ++begun_;
    }
    for (const auto& data : left)
      if (data.free) data.free(data.opaque);
  }

  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  static constexpr int kWakeUpId = 0, kMomentId = -1;  // handles and timeouts have numbers above
  const int wakeUp_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int moment_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  bool isMomentSet_ = false;
  std::mutex mutex_;
  int last_ = 0;
  std::map<int, Handle> handles_;
  std::map<int, Timeout> timeouts_;
  std::vector<Data> left_;
  uint64_t begun_ = 0, ended_ = 0;  // how often what was left has been freed
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
        const int id = loop().addHandle(fd, events, callback, {opaque, free});
        if (id >= 0) Wire::entered(id);
        return id;
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

void shutDown(int handle) { loop().shutDown(handle); }

void awaitEventLoop(std::chrono::milliseconds limit) { loop().awaitTurn(limit); }

}  // namespace virt
