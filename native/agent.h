// Extra connections for calls to guests' agents. An agent may not answer for ever, and libvirtd serves five
// calls of a connection at once: on a connection of their own, hung agents hold up nothing else.
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
  static constexpr size_t kWidth = 3;
  explicit AgentLink(std::shared_ptr<const Address> address) : address_(std::move(address)) {}
  ~AgentLink();

  const std::shared_ptr<Lane> lane = std::make_shared<Lane>(kWidth);
  size_t busy = 0;  // guarded by AgentLinks

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
  static constexpr size_t kMost = 16;
  explicit AgentLinks(std::shared_ptr<const Address> address) : address_(std::move(address)) {}

  // A link with a free place, opened if need be; give it back when the call has ended.
  std::shared_ptr<AgentLink> take(bool urgent);
  void giveBack(AgentLink& link);
  void clear();  // own threads

 private:
  const std::shared_ptr<const Address> address_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<AgentLink>> links_;
};

}  // namespace virt
