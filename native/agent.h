// Extra connections for calls to guests' agents. An agent may not answer for ever, and libvirtd serves five
// calls of a connection at once: on a connection of its own, a hung agent holds up nothing else.
//
// One call for each, no more: of two threads that begin at the same moment, libvirt 9.0's client may lose the
// one's request to wake the other. Its call is then not sent until something else happens on that connection:
// the reply of a hung agent, or a keepalive after five seconds.
#pragma once
#include <libvirt/libvirt.h>

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "auth.h"
#include "error.h"
#include "lane.h"

namespace virt {

class Call;

// One extra connection, opened by its first call.
class AgentLink {
 public:
  explicit AgentLink(std::shared_ptr<const Address> address) : address_(std::move(address)) {}
  ~AgentLink();

  const std::shared_ptr<Lane> lane = std::make_shared<Lane>(1);
  const std::shared_ptr<Wire> wire = std::make_shared<Wire>();
  size_t calls = 0;  // guarded by AgentLinks: the one that runs, and those of other guests that wait for it

  // Own threads. A new reference to the same guest, reached over this connection; null: and why.
  virDomainPtr reach(virDomainPtr domain, Failure& why);

 private:
  virConnectPtr current();  // a new reference to the open connection

  const std::shared_ptr<const Address> address_;
  std::mutex mutex_;
  virConnectPtr connection_ = nullptr;
};

// Calls to one guest's agent go one after the other. libvirt lets them do nothing else, but keeps a thread of
// the daemon's few waiting for each: a dozen to one hung agent held up every other guest's for half a minute.
class AgentLinks {
 public:
  // Beyond it calls wait for those of other guests, except urgent ones.
  static constexpr size_t kMost = 48;
  // So many wait for the next call; what a burst opened beyond them is closed again.
  static constexpr size_t kSpare = 4;
  explicit AgentLinks(std::shared_ptr<const Address> address) : address_(std::move(address)) {}

  // When its turn comes, behind those of the same kind. An urgent one goes beside an ordinary one that hangs,
  // and so does one that finds another way than the agent: libvirt takes it where the agent stays busy.
  enum class Turn { Ordinary, Urgent, Beside };
  void send(const std::shared_ptr<Call>& call, Turn turn);
  // Own threads. Calls that still run nobody waits for any more: they are cut off.
  void clear();
  // From any thread: their host is dead. It has its own keepalive for none of them.
  void cut();

 private:
  struct Waiting;
  struct Queue {
    std::deque<std::shared_ptr<Waiting>> waiting;
    bool isBusy = false;  // until libvirt has returned, whoever has given the call up before
  };
  struct Guest {
    Queue ordinary, urgent, beside;
  };
  using Guests = std::map<std::array<unsigned char, VIR_UUID_BUFLEN>, Guest>;

  // With the lock held. A guest of whom nothing is under way is forgotten.
  void advance(Guests::iterator guest);
  bool start(Guests::iterator guest, Queue& queue);
  std::shared_ptr<AgentLink> take(bool urgent);
  void giveBack(const std::shared_ptr<AgentLink>& link);

  const std::shared_ptr<const Address> address_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<AgentLink>> links_;
  Guests guests_;
};

}  // namespace virt
