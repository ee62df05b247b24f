// virStream: libvirt's stream, made safe for JavaScript, which reads, writes and aborts as it likes.
#pragma once
#include <memory>
#include <mutex>
#include <optional>

#include "condition.h"
#include "handle.h"
#include "lane.h"

namespace virt {

// A stream serves one thread at a time: libvirt frees what a blocked virStreamRecv still uses when another
// thread aborts. So every stream is non-blocking underneath, its calls take turns, and a call that finds
// nothing to do waits here, where it can be woken.
class StreamObject : public Object {
 public:
  StreamObject(virStreamPtr stream, std::shared_ptr<Session> session);

  const std::shared_ptr<Lane> incoming = std::make_shared<Lane>(1), outgoing = std::make_shared<Lane>(1),
                              ending = std::make_shared<Lane>(1);

  // Own threads. Calls until the stream would not block. Nothing: it is over, or `gaveUp`.
  template <class Invoke, class GaveUp>
  std::optional<int> whenReady(int event, Invoke&& invoke, GaveUp&& gaveUp) {
    constexpr int wouldBlock = -2;
    for (;;) {
      {
        std::lock_guard turn(turn_);
        if (isOver_ || gaveUp()) return {};
        const int result = invoke();
        if (result != wouldBlock || !arm(event)) return result;
      }
      wait(event, gaveUp);
      std::lock_guard turn(turn_);
      disarm(event);
    }
  }
  // Own threads. Its last call: finish or abort. Nothing: it is over already.
  template <class Invoke>
  std::optional<int> end(Invoke&& invoke) {
    std::lock_guard turn(turn_);
    if (std::exchange(isOver_, true)) return {};
    letGo();
    return invoke();
  }
  // From any thread: does not wait for it.
  static void abort(const std::shared_ptr<Object>& stream);
  // From any thread: those who wait look again whether they still want to.
  void wake();

 private:
  // What libvirt's event loop tells; it may outlive the stream for a moment.
  struct Readiness {
    std::mutex mutex;
    std::condition_variable changed;
    int events = 0;
    bool isOver = false;
  };
  using Told = std::shared_ptr<Readiness>;

  template <class GaveUp>
  void wait(int event, GaveUp&& gaveUp) {
    std::unique_lock lock(readiness_->mutex);
    readiness_->changed.wait(lock,
                             [&] { return (readiness_->events & event) || readiness_->isOver || gaveUp(); });
    readiness_->events &= ~event;
  }
  bool arm(int event);
  void disarm(int event);
  void letGo();

  virStreamPtr stream() const { return static_cast<virStreamPtr>(p); }

  std::mutex turn_;
  bool isOver_ = false, isEnrolled_ = false;
  int armed_ = 0;
  const Told readiness_ = std::make_shared<Readiness>();
};

}  // namespace virt
