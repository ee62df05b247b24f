#include "agent.h"

#include <algorithm>

#include "call.h"
#include "library.h"
#include "thread.h"
#include "timer.h"

namespace virt {

// libvirt, too, lets a call wait for another to the same agent for so long.
struct AgentLinks::Waiting : Expiring {
  static constexpr std::chrono::seconds kLongest{30};

  explicit Waiting(std::shared_ptr<Call> call) : call(std::move(call)) {}
  void expire() override {
    Failure failure;
    failure.code = VIR_ERR_OPERATION_TIMEOUT;
    failure.message = "waited 30 seconds for other calls to this guest's agent";
    call->fail(std::move(failure));
  }

  const std::shared_ptr<Call> call;
  Deadline limit;
};

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

void AgentLinks::send(const std::shared_ptr<Call>& call, Turn turn) {
  Guests::key_type uuid{};
  VIR(virDomainGetUUID)(call->receiver(), uuid.data());
  auto waiting = std::make_shared<Waiting>(call);
  waiting->limit.set(Waiting::kLongest, waiting);
  std::lock_guard lock(mutex_);
  const auto guest = guests_.try_emplace(uuid).first;
  auto& [ordinary, urgent, beside] = guest->second;
  auto& queue = turn == Turn::Urgent ? urgent : turn == Turn::Beside ? beside : ordinary;
  std::erase_if(queue.waiting, [](auto& each) { return each->call->isSettled(); });
  queue.waiting.push_back(std::move(waiting));
  advance(guest);
}

void AgentLinks::advance(Guests::iterator guest) {
  auto& [ordinary, urgent, beside] = guest->second;
  while (!urgent.isBusy && start(guest, urgent)) {
  }
  while (!beside.isBusy && start(guest, beside)) {
  }
  while (!urgent.isBusy && !ordinary.isBusy && start(guest, ordinary)) {
  }
  if (!urgent.isBusy && !ordinary.isBusy && !beside.isBusy) guests_.erase(guest);
}

bool AgentLinks::start(Guests::iterator guest, Queue& queue) {
  if (queue.waiting.empty()) return false;
  const auto call = queue.waiting.front()->call;
  queue.waiting.pop_front();
  if (call->isSettled()) return true;
  const auto link = take(&queue == &guest->second.urgent);
  // What the call holds keeps the session, and so this, alive.
  queue.isBusy = link->lane->post([this, call, link, guest, &queue] {
    call->runOver(*link);
    std::lock_guard lock(mutex_);
    giveBack(link);
    queue.isBusy = false;
    advance(guest);
  });
  if (queue.isBusy) return true;
  giveBack(link);
  call->fail(Failure::noThread());
  return true;
}

std::shared_ptr<AgentLink> AgentLinks::take(bool urgent) {
  auto best =
      std::min_element(links_.begin(), links_.end(), [](auto& a, auto& b) { return a->calls < b->calls; });
  const bool isFree = best != links_.end() && (*best)->calls == 0;
  if (!isFree && (urgent || links_.size() < kMost))
    best = links_.insert(links_.end(), std::make_shared<AgentLink>(address_));
  ++(*best)->calls;
  return *best;
}

void AgentLinks::giveBack(const std::shared_ptr<AgentLink>& link) {
  if (--link->calls > 0) return;
  const size_t spare =
      std::count_if(links_.begin(), links_.end(), [](auto& each) { return each->calls == 0; });
  if (spare > kSpare) std::erase(links_, link);  // closed by its last holder
}

void AgentLinks::clear() {
  std::vector<std::shared_ptr<AgentLink>> links;
  std::vector<std::deque<std::shared_ptr<Waiting>>> late;  // released outside the lock
  std::lock_guard lock(mutex_);
  links.swap(links_);
  for (auto& [uuid, guest] : guests_) {
    late.push_back(std::move(guest.ordinary.waiting));
    late.push_back(std::move(guest.urgent.waiting));
    late.push_back(std::move(guest.beside.waiting));
  }
  for (auto& link : links) link->calls > 0 ? link->wire->cut() : link->wire->takeLeave();
}

void AgentLinks::cut() {
  std::vector<std::shared_ptr<AgentLink>> idle;  // closed outside the lock
  std::lock_guard lock(mutex_);
  for (auto& link : links_) {
    link->wire->cut();
    if (link->calls == 0) idle.push_back(link);
  }
  std::erase_if(links_, [](auto& link) { return link->calls == 0; });
}

}  // namespace virt
