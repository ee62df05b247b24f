#include "agent.h"

#include <algorithm>

#include "library.h"
#include "thread.h"

namespace virt {

AgentLink::~AgentLink() {
  if (!connection_) return;
  const Task close = [connection = connection_, lane = lane] {
    if (VIR(virConnectClose)(connection) == 0) lane->letGo();
  };
  if (mayBlock)
    close();
  else
    lane->post(close);
}

virDomainPtr AgentLink::reach(virDomainPtr domain, Failure& why) {
  unsigned char uuid[VIR_UUID_BUFLEN];
  virDomainPtr found = nullptr;
  virConnectPtr connection = current();
  if (connection && VIR(virDomainGetUUID)(domain, uuid) == 0)
    found = VIR(virDomainLookupByUUID)(connection, uuid);
  if (!found) why = Failure::last();
  if (connection) VIR(virConnectClose)(connection);
  return found;
}

virConnectPtr AgentLink::current() {
  std::lock_guard lock(mutex_);
  if (connection_ && VIR(virConnectIsAlive)(connection_) == 0) {  // the daemon has gone, and may be back
    VIR(virConnectClose)(connection_);
    connection_ = nullptr;
  }
  if (!connection_) connection_ = address_->open(true);
  if (connection_) VIR(virConnectRef)(connection_);
  return connection_;
}

std::shared_ptr<AgentLink> AgentLinks::take(bool urgent) {
  std::lock_guard lock(mutex_);
  auto best =
      std::min_element(links_.begin(), links_.end(), [](auto& a, auto& b) { return a->busy < b->busy; });
  const bool isFree = best != links_.end() && (*best)->busy < AgentLink::kWidth;
  if (!isFree && (best == links_.end() || urgent || links_.size() < kMost))
    best = links_.insert(links_.end(), std::make_shared<AgentLink>(address_));
  ++(*best)->busy;
  return *best;
}

void AgentLinks::giveBack(AgentLink& link) {
  std::lock_guard lock(mutex_);
  --link.busy;
}

void AgentLinks::clear() {
  std::vector<std::shared_ptr<AgentLink>> links;
  std::lock_guard lock(mutex_);
  links.swap(links_);
}

}  // namespace virt
