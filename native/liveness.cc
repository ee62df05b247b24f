#include "liveness.h"

#include "session.h"

namespace virt {

void Liveness::expire() {
  const auto session = session_.lock();
  if (!session) return;
  const bool isDead = session->waitsForDeadHost();
  if (isDead && wasDead_) {
    session->lose();
    watch_->tell(VIR_CONNECT_CLOSE_REASON_KEEPALIVE);
    return;
  }
  wasDead_ = isDead;
  start();
}

}  // namespace virt
