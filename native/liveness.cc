#include "liveness.h"

#include "session.h"
#include "thread.h"

namespace virt {

void Liveness::expire() {
  const auto session = session_.lock();
  if (!session) return;
  // libvirt may take its time to answer, and all deadlines of the process wait for this thread.
  const bool isLooking =
      session->isWaiting() && startThread("virt-liveness", [self = shared_from_this()] { self->look(); });
  if (!isLooking) start();
}

void Liveness::look() {
  mayBlock = true;
  const auto session = session_.lock();
  if (!session) return;
  const bool isDead = session->isDead() && session->isWaiting();
  if (isDead && wasDead_) {
    session->lose();
    watch_->tell(VIR_CONNECT_CLOSE_REASON_KEEPALIVE);
    return;
  }
  wasDead_ = isDead;
  start();
}

}  // namespace virt
