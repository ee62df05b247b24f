// Ends the calls of a connection that libvirt knows to be dead. When keepalive gives a host up, libvirt may
// fail to wake the thread that waits for an answer: its event loop and that thread race for the same moment,
// and the thread that loses sleeps without a limit (seen with 9.0 whenever several calls were in flight). So
// we look, too.
#pragma once
#include <chrono>
#include <memory>

#include "close-watch.h"
#include "timer.h"

namespace virt {

class Session;

class Liveness final : public Expiring, public std::enable_shared_from_this<Liveness> {
 public:
  Liveness(std::weak_ptr<Session> session, std::shared_ptr<CloseWatch> watch,
           std::chrono::milliseconds interval)
      : session_(std::move(session)), watch_(std::move(watch)), interval_(interval) {}
  void start() { next_.set(interval_, weak_from_this()); }
  void expire() override;

 private:
  void look();  // own thread
  const std::weak_ptr<Session> session_;
  const std::shared_ptr<CloseWatch> watch_;
  const std::chrono::milliseconds interval_;
  bool wasDead_ =
      false;  // calls that are just being woken get the time to say for themselves why they failed
  Deadline next_;
};

}  // namespace virt
