// The sockets of one connection, so that one whose host hangs can be ended. libvirt waits for an answer
// without limit, also for that to its goodbye. When its socket is shut down, whatever waits fails, and the
// connection is freed as any other. To ssh it is a socket, too, but libvirt 9.0 then waits for what ssh still
// has to say: until ssh has ended.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "timer.h"

namespace virt {

class Wire final : public Expiring, public std::enable_shared_from_this<Wire> {
 public:
  // While it lives, what this thread enters into libvirt's event loop is this connection's. Null: nobody's.
  class Opening {
   public:
    explicit Opening(Wire* wire);
    ~Opening();
    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;
  };
  // By the loop: what has been entered on this thread.
  static void entered(int handle);

  // From any thread: at once, and for good, so what is entered later is shut down as well.
  void cut();
  // From any thread: the connection is being closed. A host that has not answered a while later is cut off.
  void takeLeave();

 private:
  void expire() override { cut(); }
  void add(int handle);

  std::mutex mutex_;
  std::vector<int> handles_;
  bool isCut_ = false;
  bool takesLeave_ = false;
  Deadline limit_;
};

}  // namespace virt
