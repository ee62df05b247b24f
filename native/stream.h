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
//
// A volume is downloaded in parts. libvirt takes whatever comes from its socket, for other calls wait for
// their answers there, and keeps it until it is asked for: of a consumer that is slower than the host it
// would keep the whole volume. So the host is asked for no more than one part at a time, by a stream of
// libvirt's for each.
class StreamObject : public Object {
 public:
  StreamObject(virStreamPtr stream, std::shared_ptr<Session> session);
  ~StreamObject();

  // Own threads. As virStorageVolDownload.
  int download(virStorageVolPtr volume, unsigned long long offset, unsigned long long length, unsigned flags);

  const std::shared_ptr<Lane> incoming = std::make_shared<Lane>(1), outgoing = std::make_shared<Lane>(1),
                              ending = std::make_shared<Lane>(1);

  // What a call brought.
  struct Come {
    unsigned long long bytes = 0;
    bool isHole = false, isEnd = false;
  };
  // Own threads. Calls until the stream would not block. Nothing: it is over, or `gaveUp`. `come` tells by
  // the result what came.
  template <class Invoke, class ComeBy, class GaveUp>
  std::optional<int> whenReady(int event, Invoke&& invoke, ComeBy&& come, GaveUp&& gaveUp) {
    constexpr int wouldBlock = -2;
    for (;;) {
      {
        std::lock_guard turn(turn_);
        if (isOver_ || gaveUp()) return {};
        if (isBetweenParts()) {
          if (part_->left == 0) return 0;
          if (!openPart()) return -1;
        }
        const int result = invoke(stream());
        if (part_) {
          const Come what = come(result);
          part_->count(what);
          if (what.isEnd && part_->isFull()) {
            if (!finishPart()) return -1;
            continue;
          }
          if (what.bytes && part_->isFeeler) abortPart();
        }
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
    return isBetweenParts() ? 0 : invoke(stream());
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
  void forget();
  void letGo();

  // What of a volume is being downloaded.
  struct Part {
    static constexpr auto kToTheEnd = ~0ull;
    std::shared_ptr<Object> volume;
    unsigned flags;
    unsigned long long offset, left;  // of what will come next, of this part and of all that follow
    unsigned long long room;          // what may still come of this one
    bool isOpen = true;
    // A hole may be long. Where a part ended in one, the host is asked for all the rest, and its answer is
    // cut off after the first thing that comes.
    bool isFeeler = false, endsInHole = false;

    void count(const Come& what) {
      if (!what.bytes) return;
      offset += what.bytes;
      room -= what.bytes;
      if (left != kToTheEnd) left -= what.bytes;
      endsInHole = what.isHole;
    }
    bool isFull() const { return room == 0 && left > 0; }
  };
  // All with the turn. False: libvirt's error says why not.
  bool isBetweenParts() const { return part_ && !part_->isOpen; }
  bool openPart();
  bool finishPart();
  void abortPart();

  virStreamPtr stream() const { return static_cast<virStreamPtr>(follower_ ? follower_->p : p); }

  std::mutex turn_;
  std::optional<Part> part_;
  std::unique_ptr<Object> follower_;  // libvirt's stream for the second part and those after it
  bool isOver_ = false, isEnrolled_ = false;
  int armed_ = 0;
  const Told readiness_ = std::make_shared<Readiness>();
};

}  // namespace virt
