#include "agent.h"

#include <algorithm>

#include "library.h"
#include "thread.h"

namespace virt {

AgentLink::~AgentLink() {
  if (!connection_) {
    lane->letGo();
    return;
  }
  const Task close = [connection = connection_, lane = lane, wire = wire] {
    wire->takeLeave();
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
  if (!connection_) connection_ = address_->open(true, wire.get());
  if (connection_) VIR(virConnectRef)(connection_);
  return connection_;
}

std::shared_ptr<AgentLink> AgentLinks::take(bool urgent) {
  std::lock_guard lock(mutex_);
  auto best =
      std::min_element(links_.begin(), links_.end(), [](auto& a, auto& b) { return a->calls < b->calls; });
  const bool isFree = best != links_.end() && (*best)->calls == 0;
  if (!isFree && (urgent || links_.size() < kMost))
    best = links_.insert(links_.end(), std::make_shared<AgentLink>(address_));
  ++(*best)->calls;
  return *best;
}

void AgentLinks::giveBack(const std::shared_ptr<AgentLink>& link) {
  std::lock_guard lock(mutex_);
  if (--link->calls > 0) return;
  const size_t spare =
      std::count_if(links_.begin(), links_.end(), [](auto& each) { return each->calls == 0; });
  if (spare > kSpare) std::erase(links_, link);  // closed by its last holder
}

void AgentLinks::clear() {
  std::vector<std::shared_ptr<AgentLink>> links;
  std::lock_guard lock(mutex_);
  links.swap(links_);
  for (auto& link : links) link->calls > 0 ? link->wire->cut() : link->wire->takeLeave();
}

}  // namespace virt
