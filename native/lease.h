// A guest that was frozen or paused for us goes on when its time is over, also while JavaScript is stuck: the
// one watch that an embedded driver, which lives in this process, can have while the process lives.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "auth.h"
#include "condition.h"
#include "timer.h"

namespace virt {

class Lease final : public Expiring, public std::enable_shared_from_this<Lease> {
 public:
  enum class What { Freeze, Pause };

  Lease(std::shared_ptr<const Address> address, std::string uuid, What what)
      : address_(std::move(address)), uuid_(std::move(uuid)), what_(what) {}

  // It keeps itself alive until it has ended, whatever JavaScript forgets.
  void begin(std::chrono::milliseconds after);
  // JavaScript is seen to be at it: the time begins anew.
  void postpone(std::chrono::milliseconds by);
  // The guest is proven to go on.
  void end();

  void expire() override;

 private:
  void act();  // own thread: until the guest is proven to go on, or end()
  // On a connection of its own for each try, since the first one may be what is broken. False: try again.
  bool goesOn();
  bool isEnded();
  bool thaw(virDomainPtr domain) const;
  bool resume(virDomainPtr domain) const;

  const std::shared_ptr<const Address> address_;
  const std::string uuid_;
  const What what_;
  Deadline deadline_;
  std::atomic<bool> isActing_ = false;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool hasEnded_ = false;
  std::shared_ptr<Lease> self_;
};

}  // namespace virt
