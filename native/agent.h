// Extra connections for calls to guests' agents. An agent may not answer for ever, and libvirtd serves five
// calls of a connection at once: on a connection of its own, a hung agent holds up nothing else.
//
// One call for each, no more: of two threads that begin at the same moment, libvirt 9.0's client may lose the
// one's request to wake the other. Its call is then not sent until something else happens on that connection:
// the reply of a hung agent, or a keepalive after five seconds.
#pragma once
#include <libvirt/libvirt.h>

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "auth.h"
#include "error.h"
#include "lane.h"

namespace virt {

// One extra connection, opened by its first call.
class AgentLink {
 public:
  explicit AgentLink(std::shared_ptr<const Address> address) : address_(std::move(address)) {}
  ~AgentLink();

  const std::shared_ptr<Lane> lane = std::make_shared<Lane>(1);
  const std::shared_ptr<Wire> wire = std::make_shared<Wire>();
  size_t calls = 0;  // guarded by AgentLinks: the one that runs, and those that wait for it

  // Own threads. A new reference to the same guest, reached over this connection; null: and why.
  virDomainPtr reach(virDomainPtr domain, Failure& why);

 private:
  virConnectPtr current();  // a new reference to the open connection

  const std::shared_ptr<const Address> address_;
  std::mutex mutex_;
  virConnectPtr connection_ = nullptr;
};

class AgentLinks {
 public:
  // Beyond it calls wait for their turn, except urgent ones.
  static constexpr size_t kMost = 48;
  // So many wait for the next call; what a burst opened beyond them is closed again.
  static constexpr size_t kSpare = 4;
  explicit AgentLinks(std::shared_ptr<const Address> address) : address_(std::move(address)) {}

  // A free link, opened if need be; give it back when the call has ended.
  std::shared_ptr<AgentLink> take(bool urgent);
  void giveBack(const std::shared_ptr<AgentLink>& link);
  // Own threads. Calls that still run nobody waits for any more: they are cut off.
  void clear();

 private:
  const std::shared_ptr<const Address> address_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<AgentLink>> links_;
};

}  // namespace virt
