// Of two threads that begin at the same moment, libvirt's client (seen with 9.0) may lose the one's
// request to wake the other, which waits for replies: its call is not sent until something else happens on
// the connection, which is the reply of a call that hangs, or a keepalive after five seconds. Another request
// wakes it for both, so calls that take long beside others are given a small one.
#pragma once
#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "timer.h"

namespace virt {

class Session;

class Prod final : public Expiring, public std::enable_shared_from_this<Prod> {
 public:
  void begin(std::weak_ptr<Session> session);

  // A call, for as long as libvirt has it.
  class Turn {
   public:
    explicit Turn(Prod& prod);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    friend class Prod;
    Prod& prod_;
    Deadline::Moment due_;  // of the next request for it
    std::chrono::milliseconds patience_;
  };

 private:
  void expire() override;
  void arm(Deadline::Moment moment);  // with the lock held

  std::mutex mutex_;
  std::weak_ptr<Session> session_;
  std::vector<Turn*> turns_;
  bool isArmed_ = false;
  Deadline::Moment armedFor_;
  Deadline next_;
};

}  // namespace virt
