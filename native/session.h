// One connection as JavaScript sees it: libvirt's connection, the threads that serve it, and everything that
// must be gone when it is closed.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "agent.h"
#include "auth.h"
#include "condition.h"
#include "handle.h"
#include "lane.h"
#include "liveness.h"
#include "prod.h"
#include "wire.h"

namespace virt {

class Call;
class EventSource;
class EventSources;
class Subscription;

// Which way a call takes.
struct Route {
  // Over a connection of its own, since an agent may not answer for ever. AsksFirst: it has another way, and
  // takes it when libvirt has waited long enough for an agent that is busy.
  enum class ToAgent { Never, Asks, AsksFirst };
  ToAgent agent = ToAgent::Never;
  bool urgent = false;  // not behind calls that hang: abort, destroy, thaw
  bool prompt = false;  // answered by the daemon from its own memory, whatever hangs
  bool pins = false;    // tells the connection something that no other knows
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::string uri, unsigned flags, std::shared_ptr<Authenticator> auth)
      : address(std::make_shared<Address>(std::move(uri), flags, std::move(auth))) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const std::shared_ptr<const Address> address;
  const std::shared_ptr<Wire> wire = std::make_shared<Wire>();

  // The object of a handle, unless the session is closed.
  std::shared_ptr<Object> objectOf(Handle& handle);
  // Enters a call and posts it; a closed session, or a lack of threads, is the call's failure.
  void submit(const std::shared_ptr<Call>& call, Route route);
  // From now on calls to agents go over this connection, too: what it was told of its user holds for no
  // other.
  void pin();
  // Out of the set of those that close() waits for.
  void settled(Call& call);
  // Gives a reference back where libvirt may be called. The collector lets go of many at once: one task
  // serves them all.
  struct Release {
    int (*free)(void*);
    void* p;
  };
  void release(Release release);

  // Threads of other connections: has this one's make a request that its daemon answers from its own memory,
  // and waits. `request` gives false where it failed.
  void ask(std::function<bool()> request);
  // Own threads. Closed by us, or given up by libvirt.
  bool isDead();
  // Calls are in flight.
  bool isWaiting();
  // Ends them: the host is dead.
  void lose();
  // From any thread: a small request, so that libvirt looks for others that wait to be sent.
  void prod();

  // References to libvirt's objects: close() waits until the last has been given back.
  void took() { ++references_; }
  void gaveBack();

  // A handle that is made after the close holds nothing.
  void enter(Handle& handle);
  void leave(Handle& handle);

  // Own threads only. `keepAlive` 0: none.
  void opened(virConnectPtr connection, std::shared_ptr<CloseWatch> watch,
              std::chrono::milliseconds keepAlive);
  // False: libvirt's error says why not. `domain` null: events of all guests.
  bool subscribe(const std::shared_ptr<Subscription>& consumer, virConnectPtr connection,
                 const std::shared_ptr<Object>& object);
  void unsubscribe(const std::shared_ptr<Subscription>& consumer, virConnectPtr connection);

  // Refuses new calls from now on. False: somebody has closed it already.
  bool beginClose();
  // It could not even begin: the connection is open again.
  void takeBackClose();
  // Own thread: lets calls end, abandons those that do not, releases everything, closes. A host that answers
  // nothing any more is cut off: no socket and no thread is left.
  void close(std::chrono::milliseconds limit);

 private:
  std::vector<std::shared_ptr<Call>> unsettled();  // with the lock held
  void releaseAll();
  void endStreams();  // a call that waits for data would never end

  // A new reference to the connection, to be given back; null: there is none.
  virConnectPtr borrow();
  void giveBack(virConnectPtr connection);

  // True: libvirt has freed the connection.
  static bool dismantle(virConnectPtr connection);
  // True: nothing of libvirt's is held any more.
  bool awaitReferences();

  struct Lanes {
    std::shared_ptr<Lane> ordinary = std::make_shared<Lane>(Lane::kWidth, Lane::kSpare);
    std::shared_ptr<Lane> urgent = std::make_shared<Lane>(1);
    std::shared_ptr<Lane> prods = std::make_shared<Lane>(1);
    void letGo() const;
  };
  const Lanes lanes_;
  AgentLinks agents_{address};
  std::atomic<bool> hasAgentLinks_ = true;
  virConnectPtr connection_ = nullptr;
  // Of one that never was there is nothing to be freed, nor to be waited for.
  std::atomic<bool> wasOpened_ = false;

  std::mutex mutex_;
  std::condition_variable drained_;
  bool closing_ = false;
  bool isSwept_ = false;  // the handles have lost their objects
  std::atomic<int> references_ = 0;
  std::shared_ptr<CloseWatch> watch_;
  std::shared_ptr<Liveness> liveness_;
  const std::shared_ptr<Prod> prod_ = std::make_shared<Prod>();
  std::atomic<bool> isProdded_ = false;
  std::unordered_set<Call*> calls_;
  std::unordered_set<Handle*> handles_;

  std::mutex releasesMutex_;
  std::vector<Release> releases_;
  bool isReleasing_ = false;

  std::shared_ptr<EventSources> events_;  // from the opening on
};

}  // namespace virt
